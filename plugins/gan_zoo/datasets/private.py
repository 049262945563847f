"""A private bit, and something that tells of it: the best adversary is known."""

from __future__ import annotations

import torch

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split

KINDS = ("binary", "gaussian")
FLIPPED = 0.1


class Private(DataSource):
    """Numbers x (1,) and a private label y, 0 or 1 with equal chance (Huang et al. 2017, arXiv 1710.09549, section 4).

    `binary`: x is y, but flipped with probability 0.1: who sees x guesses y with accuracy 0.9. `gaussian`: x is
    N(-1, 1) or N(1, 1): with 0.8413447.

    Args:
        kind: `binary` or `gaussian`.
        samples: in the split `train`; `test` has a quarter.
        image_size: null, as samples are no images.
        channels: 1.
        num_classes: 2.
    """

    classes = ("0", "1")

    def __init__(self, kind: str, samples: int, image_size: None, channels: int, num_classes: int | None) -> None:
        known_classes("private", num_classes, 2)
        if kind not in KINDS:
            raise ConfigError(f"data.kind={kind} must be one of {', '.join(KINDS)}")
        if image_size is not None or channels != 1:
            raise ConfigError(
                f"data.image_size={image_size} data.channels={channels} must be null and 1: x is a number"
            )
        if samples < 4:
            raise ConfigError(f"data.samples={samples} must be at least 4")
        self.kind, self.samples = kind, samples
        self.shape = DataShape((1,), 2)

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("private", split, ("train", "test"))
        n = self.samples if split == "train" else self.samples // 4
        random = seeding.generator(0, "private", self.kind, split)
        y = torch.arange(n) % 2
        if self.kind == "binary":
            flipped = torch.rand(n, generator=random) < FLIPPED
            x = (y ^ flipped.long()).float()
        else:
            x = 2.0 * y - 1 + torch.randn(n, generator=random)
        return InMemory(x[:, None], y)
