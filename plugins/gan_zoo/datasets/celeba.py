"""CelebA: faces of celebrities (Liu et al. 2015)."""

from __future__ import annotations

from typing import Any

import torch

from gan_framework.api import ConfigError, Data, DataShape, DataSource
from gan_zoo.datasets.checks import image_shape, known_classes, known_split
from gan_zoo.datasets.files import FolderFiles
from gan_zoo.datasets.image_files import Reading, load_images
from gan_zoo.datasets.torchvision_source import fetch, root_folder

FILES = (
    "list_attr_celeba.txt, identity_CelebA.txt, list_bbox_celeba.txt, list_landmarks_align_celeba.txt, "
    "list_eval_partition.txt and the unpacked folder img_align_celeba, in a folder celeba,"
)


class CelebA(DataSource):
    """162,770 and 19,962 aligned colour images of 178x218 pixels, of which the central square is used.

    Args:
        image_size: height and width in pixels.
        channels: 1 or 3.
        num_classes: 2 with an attribute, 0 without; or None.
        attribute: one of the 40 attributes (`Smiling`), whose absence and presence are two classes.
        root: the folder that holds the files, or None for the user's data folder.
        download: whether to download what is missing (this needs the package gdown).
        in_memory_mb: a split that takes at most so many MiB is held in memory, others streamed.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        num_classes: int | None,
        attribute: str | None,
        root: str | None,
        download: bool,
        in_memory_mb: int,
    ) -> None:
        self.image_shape = image_shape(image_size, channels)
        self.classes = (f"not {attribute}", attribute) if attribute else ()
        known_classes("celeba", num_classes, len(self.classes))
        self.shape = DataShape(self.image_shape, len(self.classes))
        self.attribute = attribute
        self.root = root_folder(root)
        self.download = download
        self.reading = Reading("refuse", in_memory_mb)

    def load(self, split: str) -> Data:
        """Return a split, `train` or `test`."""
        known_split("celeba", split, ("train", "test"))
        from torchvision import datasets

        def read(download: bool) -> Any:
            return datasets.CelebA(str(self.root), split, download=download)

        data = fetch(read, "celeba", self.root, FILES, self.download)
        labels = self._labels([name for name in data.attr_names if name], data.attr)
        files = FolderFiles(self.root / "celeba" / "img_align_celeba", data.filename)
        return load_images(files, files.names, self.image_shape, labels, self.reading)

    def _labels(self, names: list[str], attributes: torch.Tensor) -> torch.Tensor | None:
        if not self.attribute:
            return None
        if self.attribute not in names:
            raise ConfigError(f"celeba has no data.attribute={self.attribute}; it has {', '.join(names)}")
        return attributes[:, names.index(self.attribute)]
