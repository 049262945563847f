"""Jets and showers that are made."""

from __future__ import annotations

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.showers import make_jets, make_showers

POSITIVE = (0.0, float("inf"))


class Jets(DataSource):
    """Energies (1, size, size) of jets of one axis or of two, the class: see `make_jets`.

    Args:
        image_size: pixels to a side, of 0.1 each; 25 in the paper.
        samples: of each split.
        channels: 1.
        num_classes: 2, or null.
    """

    classes = ("one_prong", "two_prongs")

    def __init__(self, image_size: int, samples: int, channels: int | None, num_classes: int | None) -> None:
        known_classes("jets", num_classes, 2)
        if image_size < 9 or samples < 1 or channels not in (None, 1):
            raise ConfigError(f"data.image_size={image_size} data.samples={samples}: at least 9 pixels and a sample")
        self.size, self.samples = image_size, samples
        self.shape = DataShape((1, image_size, image_size), 2, value_range=POSITIVE)

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("jets", split, ("train", "test"))
        return InMemory(*make_jets(self.samples, self.size, seeding.generator(0, "jets", split)))


class Showers(DataSource):
    """Energies (3, size, size) of showers in three layers, in units of 100 GeV; the extra `energy` (1) is theirs.

    Args:
        image_size: cells to a side.
        samples: of each split.
        channels: 3.
        num_classes: null.
    """

    def __init__(self, image_size: int, samples: int, channels: int | None, num_classes: int | None) -> None:
        known_classes("showers", num_classes, 0)
        if image_size < 8 or samples < 1 or channels not in (None, 3):
            raise ConfigError(f"data.image_size={image_size} data.samples={samples}: at least 8 cells and a sample")
        self.size, self.samples = image_size, samples
        self.shape = DataShape((3, image_size, image_size), value_range=POSITIVE)

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("showers", split, ("train", "test"))
        showers, energy = make_showers(self.samples, self.size, seeding.generator(0, "showers", split))
        return InMemory(showers, None, {"energy": energy[:, None].contiguous()})
