"""8-bit images of two colours that are stored as 0 and 1, of the 255 that networks see as white."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor

from gan_framework.api import ConfigError
from gan_zoo.datasets.arrays import read_array

log = logging.getLogger(__name__)


class FullRange:
    """Brings 0 and 1 to 0 and 255 where the training file's array has no other values, and 1 is among them.

    Args:
        path: the training file, which decides for a test file too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._two_colours: dict[str, bool] = {}

    def fill(self, key: str, images: Tensor, path: Path) -> Tensor:
        """Return what are images uint8 (N, ...) in the full range, and what are none as it is.

        Args:
            key: the array's name in the file.
            images: what has been read of a file, which is changed.
            path: the file.

        Raises:
            ConfigError: one of the two files has images of two colours, and the other has others.
        """
        if images.dtype != torch.uint8:
            return images
        greatest = int(images.max())
        two_colours = self._of_training(key, greatest if path == self.path else None)
        if greatest > 1 if two_colours else (greatest == 1 and path != self.path):
            others = "only 0 and 1" if two_colours else "others than 0 and 1"
            raise ConfigError(
                f"{path} ({key}) has values up to {greatest}, and {self.path} ({key}) {others}: bring both to one range"
            )
        return images.mul_(255) if two_colours else images

    def _of_training(self, key: str, greatest: int | None) -> bool:
        """Return whether the training file's images are of two colours; these are read if `greatest` is None."""
        if key not in self._two_colours:
            if greatest is None:
                greatest = int(read_array(self.path, key, "data.x").max())
            if greatest == 1:
                log.info("%s (%s) has the values 0 and 1 only: they become 0 and 255", self.path, key)
            elif greatest == 0:
                log.warning("%s (%s) has no value but 0: its images are black", self.path, key)
            self._two_colours[key] = greatest == 1
        return self._two_colours[key]
