"""8-bit images of two colours that are stored as 0 and 1, of the 255 that networks see as white."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import Tensor

from gan_framework.api import ConfigError
from gan_zoo.datasets.array_kinds import BYTES
from gan_zoo.datasets.arrays import read_form, read_rows

log = logging.getLogger(__name__)


class FullRange:
    """Brings 0 and 1 to 0 and 255 where the training file's array has no other values, and 1 is among them.

    Args:
        path: the training file, which decides for a test file too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._two_colours: dict[str, bool] = {}

    def fill(self, key: str, setting: str, images: Tensor) -> Tensor:
        """Return images uint8 (n, ...) in the full range.

        Args:
            key: the array's name in the file.
            setting: the setting that gave the name, for messages.
            images: some of the array's rows, which are changed.
        """
        return images.mul_(255) if self._of_training(key, setting) else images

    def check(self, key: str, setting: str, path: Path, greatest: float) -> None:
        """Raise ConfigError if one of the two files has images of two colours, and the other has others.

        Args:
            key: the array's name in the file.
            setting: the setting that gave the name, for messages.
            path: the file that has been read.
            greatest: the greatest value that the array has in it.
        """
        two_colours = self._of_training(key, setting)
        if greatest > 1 if two_colours else (greatest == 1 and path != self.path):
            others = "only 0 and 1" if two_colours else "others than 0 and 1"
            raise ConfigError(
                f"{path} ({key}) has values up to {greatest}, and {self.path} ({key}) {others}: bring both to one range"
            )

    def _of_training(self, key: str, setting: str) -> bool:
        """Return whether the training file's images are of two colours: it is read up to the first of another."""
        if key not in self._two_colours:
            self._two_colours[key] = self._greatest(key, setting) == 1
        return self._two_colours[key]

    def _greatest(self, key: str, setting: str) -> int:
        """Return 0, 1, or any greater value that the training file has."""
        greatest = 2
        if read_form(self.path, key, setting)[1] in BYTES:
            greatest = 0
            for rows in read_rows(self.path, key, setting):
                greatest = max(greatest, int(rows.max()))
                if greatest > 1:
                    break
        if greatest == 1:
            log.info("%s (%s) has the values 0 and 1 only: they become 0 and 255", self.path, key)
        elif greatest == 0:
            log.warning("%s (%s) has no value but 0: its images are black", self.path, key)
        return greatest
