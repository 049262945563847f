"""CelebA: faces of celebrities (Liu et al. 2015)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from gan_framework.api import ConfigError, Data, DataShape, DataSource
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.files import FolderFiles
from gan_zoo.datasets.fitting import Crop, ImageSize, fitting
from gan_zoo.datasets.image_files import Parts, Reading, load_images
from gan_zoo.datasets.torchvision_source import fetch, root_folder

SHAPE = (3, 218, 178)

SPLITS = ("train", "test")

FILES = (
    "list_attr_celeba.txt, identity_CelebA.txt, list_bbox_celeba.txt, list_landmarks_align_celeba.txt, "
    "list_eval_partition.txt and the unpacked folder img_align_celeba, in a folder celeba,"
)


class CelebA(DataSource):
    """162,770 and 19,962 aligned colour images of 178x218 pixels, by default of the central square.

    Args:
        image_size: height and width in pixels, one number for both; None for 218 and 178.
        channels: 1 or 3; None for 3.
        num_classes: 2 with an attribute, 0 without; or None.
        attribute: one of the 40 attributes (`Smiling`), whose absence and presence are two classes.
        root: the folder that holds the files, or None for the user's data folder.
        download: whether to download what is missing (this needs the package gdown).
        in_memory_mb: images that take at most so many MiB are held in memory, more are streamed.
        crop: `center` to the proportions of `image_size`; how many pixels at the centre are used, 108 or [height,
            width]; or `none`.
        resize: the filter, `bicubic`, `bilinear` or `nearest`.
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int | None,
        num_classes: int | None,
        attribute: str | None,
        root: Path | None,
        download: bool,
        in_memory_mb: int,
        crop: Crop = "center",
        resize: str = "bicubic",
    ) -> None:
        self.fit = fitting(image_size, channels, crop, resize, lambda: {SHAPE: 1}, "celeba")
        self.classes = (f"not {attribute}", attribute) if attribute else ()
        known_classes("celeba", num_classes, len(self.classes))
        self.shape = DataShape(self.fit.shape, len(self.classes))
        self.attribute = attribute
        self.root = root_folder(root)
        self.download = download
        self.reading = Reading("refuse", in_memory_mb, may_skip=False)
        self._parts: Parts | None = None

    def load(self, split: str) -> Data:
        """Return a split, `train` or `test`; every file of both is read when the first of them is asked for."""
        known_split("celeba", split, SPLITS)
        if self._parts is None:
            self._parts = self._read()
        return self._parts[split]

    def _read(self) -> Parts:
        from torchvision import datasets

        def read(download: bool) -> Any:
            return [datasets.CelebA(str(self.root), split, download=download) for split in SPLITS]

        found = fetch(read, "celeba", self.root, FILES, self.download)
        files = FolderFiles(
            self.root / "celeba" / "img_align_celeba", [name for data in found for name in data.filename]
        )
        numbers = torch.arange(len(files.names)).split([len(data.filename) for data in found])
        attributes = torch.cat([data.attr for data in found])
        labels = self._labels([name for name in found[0].attr_names if name], attributes)
        return load_images(files, dict(zip(SPLITS, numbers, strict=True)), self.fit, labels, self.reading)

    def _labels(self, names: list[str], attributes: torch.Tensor) -> torch.Tensor | None:
        if not self.attribute:
            return None
        if self.attribute not in names:
            raise ConfigError(f"celeba has no data.attribute={self.attribute}; it has {', '.join(names)}")
        return attributes[:, names.index(self.attribute)]
