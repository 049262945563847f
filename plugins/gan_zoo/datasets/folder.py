"""Images of the user's own, in a folder or a zip file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import torch

from gan_framework.api import ConfigError, Data, DataShape, DataSource
from gan_zoo.datasets.checks import image_shape, known_classes, known_split
from gan_zoo.datasets.files import Files, find_files
from gan_zoo.datasets.image_files import Reading, load_images
from gan_zoo.datasets.splits import held_out, known_share


class Folder(DataSource):
    """A folder or zip file of images; the names of its subfolders, sorted, are the classes.

    Images that lie directly in it have no labels. Images of any size are cropped to their central
    square and resized.

    Args:
        path: the folder or zip file.
        test_path: another one, for the split `test`.
        test_share: without `test_path`, the share of the images that is held out as `test`.
        image_size: height and width in pixels.
        channels: 1 or 3.
        num_classes: the number of classes, or None for as many as there are.
        on_bad: whether to `skip` or `refuse` files that cannot be read.
        in_memory_mb: sets that take at most so many MiB are held in memory, others streamed.
    """

    def __init__(
        self,
        path: str | None,
        test_path: str | None,
        test_share: float,
        image_size: int,
        channels: int,
        num_classes: int | None,
        on_bad: str,
        in_memory_mb: int,
    ) -> None:
        self.image_shape = image_shape(image_size, channels)
        self.files = find_files(path, "data.path")
        self.test_files = find_files(test_path, "data.test_path") if test_path else None
        self.test_share = known_share(test_share)
        self.reading = Reading(on_bad, in_memory_mb)
        self.classes = tuple(sorted({name for name in _class_names(self.files) if name}))
        known_classes(str(path), num_classes, len(self.classes))
        self.shape = DataShape(self.image_shape, len(self.classes))

    def load(self, split: str) -> Data:
        """Return a split, `train` or `test`."""
        known_split("folder", split, ("train", "test"))
        if self.test_files is not None:
            files = self.test_files if split == "test" else self.files
            chosen = list(range(len(files.names)))
        else:
            files = self.files
            chosen = held_out(len(files.names), self.test_share, split).tolist()
        labels = self._labels(files)
        return load_images(
            files,
            [files.names[number] for number in chosen],
            self.image_shape,
            None if labels is None else labels[chosen],
            self.reading,
        )

    def _labels(self, files: Files) -> torch.Tensor | None:
        names = _class_names(files, known=self.classes if files is self.test_files else ())
        unknown = sorted(set(names) - set(self.classes or [""]))
        if unknown:
            raise ConfigError(
                f"data.test_path={files.path} has the classes {', '.join(map(repr, unknown))}, which "
                f"data.path={self.files.path} has not; it has {', '.join(self.classes) or 'no subfolders'}"
            )
        if not self.classes:
            return None
        numbers = {name: number for number, name in enumerate(self.classes)}
        return torch.tensor([numbers[name] for name in names])


def _class_names(files: Files, known: Sequence[str] = ()) -> list[str]:
    """Return the class of every file, empty for files that lie directly in the root.

    A single folder that holds everything else is not a class but the root, unless a class of that name is known.
    """
    folders = [PurePosixPath(name).parts[:-1] for name in files.names]
    shared = 0
    while all(len(parts) > shared for parts in folders) and len({parts[shared] for parts in folders}) == 1:
        if folders[0][shared] in known:
            break
        shared += 1
    names = [parts[shared] if len(parts) > shared else "" for parts in folders]
    if "" in names and len(set(names)) > 1:
        lost = files.names[names.index("")]
        raise ConfigError(
            f"{files.path} has images both in subfolders, which are classes, and beside them ({lost}): move either away"
        )
    if {"train", "test"} <= set(names):
        raise ConfigError(
            f"{files.path} has the subfolders train and test, which are splits and no classes: "
            f"set data.path={files.path}/train data.test_path={files.path}/test"
        )
    return names
