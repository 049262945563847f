"""Images of the user's own, in a folder or a zip file."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import Counter
from pathlib import Path

import torch

from gan_framework.api import ConfigError, DataShape, Fit
from gan_zoo.datasets.checks import known_classes, warn_of_one_place
from gan_zoo.datasets.files import Files, find_files, report_others
from gan_zoo.datasets.fitting import Crop, ImageSize, Shapes, fitting
from gan_zoo.datasets.image_files import HeldOutImages, Parts, Reading, load_images
from gan_zoo.datasets.layouts import Layout, read_layout
from gan_zoo.datasets.scanning import shapes_of
from gan_zoo.datasets.splits import held_out, known_share

log = logging.getLogger(__name__)


class Folder(HeldOutImages):
    """A folder or zip file of images; the names of its subfolders, sorted, are the classes.

    Images that lie directly in it have no labels, those of an archive of StyleGAN have the ones in its `dataset.json`.
    With an `image_size`, images of any size are cropped at the centre to its proportions and resized; without, all must
    have one size.

    Args:
        path: the folder or zip file.
        test_path: another one, for the split `test`.
        test_share: without `test_path`, the share of the images that is held out as `test`; an image's name decides
            whether it is.
        image_size: height and width in pixels, one number for both; None for those of the images.
        channels: 1 or 3; None for 3 if one image is coloured.
        num_classes: the number of classes, or None for as many as there are.
        on_bad: whether to `skip` or `refuse` files that cannot be read.
        in_memory_mb: sets that take at most so many MiB are held in memory, others streamed.
        crop: `center` to the proportions of `image_size`; how many pixels at the centre are used, 108 or [height,
            width]; or `none`.
        resize: the filter, `bicubic`, `bilinear` or `nearest`.
    """

    named = "folder"

    def __init__(
        self,
        path: Path | None,
        test_path: Path | None,
        test_share: float,
        image_size: ImageSize | None,
        channels: int | None,
        num_classes: int | None,
        on_bad: str,
        in_memory_mb: int,
        crop: Crop = "center",
        resize: str = "bicubic",
    ) -> None:
        self.files = find_files(path, "data.path")
        self.test_files = find_files(test_path, "data.test_path") if test_path else None
        self.test_share = known_share(test_share)
        self.reading = Reading(on_bad, in_memory_mb)
        self.layout = read_layout(self.files)
        report_others(self.files, on_bad, used=self.layout.labels_file)
        if self.test_files is not None:
            warn_of_one_place(self.files.path, self.test_files.path)
            report_others(self.test_files, on_bad, used=self.layout.labels_file)
        self.classes = self.layout.classes
        known_classes(str(path), num_classes, len(self.classes))
        self.fit = fitting(image_size, channels, crop, resize, self._shapes, str(path))
        self.shape = DataShape(self.fit.shape, len(self.classes))
        self.place, self.has_test = str(self.files.path), self.test_files is not None

    def _read(self) -> Parts:
        if self.test_files is not None:
            places = [("train", self.files, self.layout), ("test", self.test_files, self._test_layout(self.test_files))]
            parts: Parts = {}
            for split, files, layout in places:
                labels = self._labels(layout)
                chosen = torch.arange(len(files.names))
                parts |= load_images(files, {split: chosen}, self.fit, labels, self.reading)
        else:
            held = self._held()
            chosen_of = {"train": (~held).nonzero()[:, 0], "test": held.nonzero()[:, 0]}
            labels = self._labels(self.layout)
            parts = load_images(self.files, chosen_of, self.fit, labels, self.reading)
        self._warn_of_unseen(parts)
        return parts

    def _shapes(self) -> Shapes:
        """Return how many images there are of each shape in all places."""
        counts: Counter[tuple[int, int, int]] = Counter()
        for files in (self.files, self.test_files):
            if files is not None:
                found = shapes_of(files)
                if not found:  # the reading says of each why
                    load_images(files, {"all": torch.arange(len(files.names))}, Fit((1, 1, 1)), None, self.reading)
                counts.update(found)
        return counts

    def _held(self) -> torch.Tensor:
        """Return for each file of `path` whether it is held out."""
        # The same name is composed on one system and decomposed on another. There may be a million: all at once, joined
        # by what no name holds and what composes with nothing.
        names = os.fsencode(unicodedata.normalize("NFC", "\0".join(self.layout.below)))
        return held_out(names.split(b"\0"), self.test_share)

    def _test_layout(self, files: Files) -> Layout:
        layout = read_layout(files, known=self.classes)
        unknown = sorted(set(layout.kinds) - set(self.classes or [""]))
        if unknown:
            raise ConfigError(
                f"data.test_path={files.path} has the classes {', '.join(map(repr, unknown))}, which "
                f"data.path={self.files.path} has not; it has {', '.join(self.classes) or 'no classes'}"
            )
        return layout

    def _labels(self, layout: Layout) -> torch.Tensor | None:
        if not self.classes:
            return None
        numbers = {name: number for number, name in enumerate(self.classes)}
        return torch.tensor([numbers[name] for name in layout.kinds])

    def _warn_of_unseen(self, parts: Parts) -> None:
        labels = parts["train"].labels if "train" in parts else None
        if labels is None:
            return
        counts = labels.bincount(minlength=len(self.classes))
        unseen = [name for name, count in zip(self.classes, counts.tolist(), strict=True) if not count]
        if unseen:
            shown = ", ".join(unseen[:10]) + (f" and {len(unseen) - 10} more classes" if len(unseen) > 10 else "")
            log.warning("%s: the split 'train' has no image of %s", self.files.path, shown)
