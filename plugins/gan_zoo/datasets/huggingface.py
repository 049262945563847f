"""Images of a data set of the Hugging Face library `datasets`."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape
from gan_zoo.datasets.checks import known_classes
from gan_zoo.datasets.fitting import Crop, ImageSize, Shapes, fitting
from gan_zoo.datasets.image_files import HeldOutImages, Parts, Reading, load_images
from gan_zoo.datasets.row_files import RowFiles
from gan_zoo.datasets.scanning import shapes_of
from gan_zoo.datasets.splits import held_out, known_share
from gan_zoo.datasets.tables import image_column, label_column, open_tables

log = logging.getLogger(__name__)


class HuggingFace(HeldOutImages):
    """The images and classes of a table, read by row, so that the order is the framework's own and resumes exactly.

    Args:
        path: a folder that `save_to_disk` wrote, one of Parquet or image files, or a name on the Hub.
        config: which of a data set's configurations.
        split: the name of its split that is trained on.
        test_split: the name of that which is `test`; None for `test` if it has one, else for `test_share`.
        test_share: where there is none, the share of the rows that is held out; a row's number decides whether it is.
        image: the column of images; None for the only one.
        label: the column of classes (named, texts or whole numbers); None for the only one of named classes; `none`
            for unlabelled images.
        image_size: height and width in pixels, one number for both; None for those of the images.
        channels: 1 or 3; None for 3 if one image is coloured.
        num_classes: the number of classes, or None for as many as there are.
        on_bad: whether to `skip` or `refuse` images that cannot be read.
        in_memory_mb: sets that take at most so many MiB are held in memory, others streamed.
        crop: `center` to the proportions of `image_size`; how many pixels at the centre are used; or `none`.
        resize: the filter, `bicubic`, `bilinear` or `nearest`.
    """

    named = "huggingface"

    def __init__(
        self,
        path: Path | str | None,
        config: str | None,
        split: str,
        test_split: str | None,
        test_share: float,
        image: str | None,
        label: str | None,
        image_size: ImageSize | None,
        channels: int | None,
        num_classes: int | None,
        on_bad: str,
        in_memory_mb: int,
        crop: Crop = "center",
        resize: str = "bicubic",
    ) -> None:
        if not path:
            raise ConfigError("data.path is missing: a name on the Hugging Face Hub, or a folder of such a data set")
        path = str(path)
        self.path, self.test_share, self.reading = path, known_share(test_share), Reading(on_bad, in_memory_mb)
        tables = open_tables(path, config)
        self.tables = {"train": _split(tables, split, "data.split", path)}
        if test_split is None and "test" in tables and split != "test":
            test_split = "test"
        if test_split is not None:
            self.tables["test"] = _split(tables, test_split, "data.test_split", path)
            if test_split == split:
                log.warning("data.test_split=%s is data.split: the split 'test' is what is trained on", split)
        column = image_column(self.tables["train"], image)
        self.label = label_column(self.tables["train"], label)
        self.files = {split: _files(path, table, column) for split, table in self.tables.items()}
        self._read_labels()
        known_classes(path, num_classes, len(self.classes))
        self.fit = fitting(image_size, channels, crop, resize, self._shapes, path)
        self.shape = DataShape(self.fit.shape, len(self.classes))
        self.place, self.has_test = path, "test" in self.tables

    def _read(self) -> Parts:
        parts: Parts = {}
        if "test" in self.files:
            for split, files in self.files.items():
                chosen = torch.arange(len(files.names))
                parts |= load_images(files, {split: chosen}, self.fit, self._labels[split], self.reading)
        else:
            held = self._held()
            chosen_of = {"train": (~held).nonzero()[:, 0], "test": held.nonzero()[:, 0]}
            parts = load_images(self.files["train"], chosen_of, self.fit, self._labels["train"], self.reading)
        return parts

    def _held(self) -> Tensor:
        """Return for each row whether it is held out."""
        return held_out((str(row).encode() for row in range(len(self.tables["train"]))), self.test_share)

    def _shapes(self) -> Shapes:
        """Return how many images there are of each shape in all splits."""
        counts: Counter[tuple[int, int, int]] = Counter()
        for files in self.files.values():
            counts.update(shapes_of(files))
        if not counts:
            raise ConfigError(f"data.path={self.path}: not one image of it can be read")
        return counts

    def _read_labels(self) -> None:
        """Set the classes and each split's labels (N,) int64."""
        self.classes = ()
        self._labels: dict[str, Tensor | None] = dict.fromkeys(self.tables)
        if self.label is None:
            return
        names = getattr(self.tables["train"].features[self.label], "names", None)
        stored = {split: _values(table, self.label) for split, table in self.tables.items()}
        known = list(range(len(names))) if names else sorted({value for value in stored["train"] if value is not None})
        numbers = {value: number for number, value in enumerate(known)}
        for split, values in stored.items():
            unknown = sorted({value for value in values if value not in numbers}, key=str)
            if unknown:
                which = "no class" if split == "train" else "no class of the training split"
                raise ConfigError(
                    f"data.path={self.path}: rows of the split {split!r} have {', '.join(map(str, unknown[:5]))} in "
                    f"the column {self.label}, which is {which}; "
                    "data.label=none is for unlabelled data"
                )
            self._labels[split] = torch.tensor([numbers[value] for value in values])
        self.classes = tuple(str(name) for name in (names or known))


def _split(tables: dict[str, Any], name: str, setting: str, path: str) -> Any:
    if name not in tables:
        raise ConfigError(f"{setting}={name}: {path} has the splits {', '.join(tables)}")
    return tables[name]


def _files(path: str, table: Any, column: str) -> RowFiles:
    import datasets

    return RowFiles(Path(path), table.cast_column(column, datasets.Image(decode=False)), column)


def _values(table: Any, column: str) -> list[Any]:
    return list(table.select_columns([column])[:][column])
