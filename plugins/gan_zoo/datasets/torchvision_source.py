"""What the data sets that come through torchvision have in common."""

from __future__ import annotations

import http.client
import pickle
import socket
import struct
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, Fit, InMemory
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.fitting import image_shape

T = TypeVar("T")

TIMEOUT = 20.0
"""Seconds of silence after which a download is given up."""

UNREADABLE = (AssertionError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError, struct.error)
"""What torchvision raises for files that are missing or damaged."""

UNREACHABLE = (OSError, http.client.HTTPException)


class TorchvisionSource(DataSource):
    """A labelled set of images that torchvision reads into memory.

    Attributes:
        name: the plugin's name.
        files: which files are needed and where below the root, for a user who has to fetch them.

    Args:
        image_size: height and width in pixels.
        channels: 1 or 3.
        num_classes: the set's number of classes, or None.
        root: the folder that holds the files, or None for the user's data folder.
        download: whether to download what is missing.
    """

    name: ClassVar[str]
    files: ClassVar[str]

    def __init__(
        self, image_size: int, channels: int, num_classes: int | None, root: Path | None, download: bool
    ) -> None:
        known_classes(self.name, num_classes, len(self.classes))
        self.fit = Fit(image_shape(image_size, channels))
        self.shape = DataShape(self.fit.shape, len(self.classes))
        self.root = root_folder(root)
        self.download = download

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split(self.name, split, ("train", "test"))
        samples, labels = fetch(
            lambda download: self.read(split, download), self.name, self.root, self.files, self.download
        )
        images = torch.as_tensor(samples)
        data = InMemory(self.fit(images), torch.as_tensor(labels))
        data.notes = self.fit.changes({(images.shape[1], images.shape[2], images.shape[3]): len(images)})
        return data

    @abstractmethod
    def read(self, split: str, download: bool) -> tuple[Any, Any]:
        """Return a split's images (N, C, H, W) uint8 and labels (N,), as torchvision has them."""


def root_folder(root: Path | None) -> Path:
    """Return the folder that holds data sets, by default one in the user's data folder."""
    if root:
        return root
    import platformdirs

    return Path(platformdirs.user_data_dir("gan-framework")) / "datasets"


def fetch(read: Callable[[bool], T], name: str, root: Path, files: str, download: bool) -> T:
    """Read a data set, after downloading it if it is not there.

    Args:
        read: reads it; its argument says whether to download it first.
        name: the plugin's name.
        root: the folder that holds data sets.
        files: which files are needed and where below the root.
        download: whether to download what is missing.

    Raises:
        ConfigError: it is not there and cannot be downloaded; the message says which files to put where.
    """
    try:
        return read(False)
    except (*UNREADABLE, OSError) as error:
        why = str(error).partition(". You can use download=True")[0]
    if download:
        import filelock

        try:
            root.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(root / f".{name}.lock"), _impatient():
                return read(True)
        except (*UNREADABLE, *UNREACHABLE) as error:
            why = " ".join(str(error).split())
    tried = "could not be downloaded" if download else "is not to be downloaded (data.download=false)"
    raise ConfigError(
        f"{name} is not in {root} and {tried}: {why.rstrip('.')}.\nPut {files} into {root}, or set data.root to the "
        "folder that has them. data=digits needs no download"
    )


@contextmanager
def _impatient() -> Iterator[None]:
    """Give up connections that stay silent; torchvision itself would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
