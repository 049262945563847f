"""What sets share that are rendered in two domains: plain, and as they would be in the world."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split

DOMAINS = ("a", "b")
"""`a` is the plain domain, of which the parameters are given; `b` the other one, of which images alone are."""


class Scenes(NamedTuple):
    """What a renderer makes of some scenes.

    Attributes:
        plain: images (N, C, H, W) in [0, 1].
        real: the same scenes in the other domain, of the same shape.
        extra: the parameters of the scenes (N, ...), given in the plain domain alone.
    """

    plain: Tensor
    real: Tensor
    extra: Mapping[str, Tensor]


class KnownElsewhere(InMemory):
    """Images of one domain that know what each is in the other one."""

    def __init__(self, images: Tensor, truth: Tensor, extra: Mapping[str, Tensor] | None = None) -> None:
        super().__init__(images, None, extra)
        self._truth = truth

    def read_truth(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the same scenes in the other domain, (n, C, H, W) uint8."""
        return self._truth[torch.as_tensor(indices, dtype=torch.int64)]


class Rendered(DataSource):
    """The base of sets in two domains, made on the spot; no scene is in both.

    Args:
        domain: `a` or `b`.
        samples: scenes in the split `train` of each domain; `test` has a quarter.
        image_size: height and width in pixels.
        channels: what the renderer makes; another number is refused.
        num_classes: 0, as there are none.
    """

    name: ClassVar[str]
    made_channels: ClassVar[int] = 1
    least_size: ClassVar[int] = 8
    extras: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    """The shapes of the parameters by name; an entry of 0 stands for the image's side."""

    def __init__(
        self, domain: str, samples: int, image_size: int, channels: int | None, num_classes: int | None
    ) -> None:
        known_classes(self.name, num_classes, 0)
        if domain not in DOMAINS:
            raise ConfigError(f"data.domain={domain} must be a or b")
        if channels not in (None, self.made_channels):
            raise ConfigError(f"data.channels={channels}: images of {self.name} have {self.made_channels} channels")
        if samples < 4 or image_size < self.least_size:
            raise ConfigError(
                f"data.samples={samples} data.image_size={image_size}: {self.name} has at least 4 and {self.least_size}"
            )
        self.domain, self.samples, self.size = domain, samples, image_size
        shapes = {name: tuple(image_size if side == 0 else side for side in of) for name, of in self.extras.items()}
        self.shape = DataShape((self.made_channels, image_size, image_size), extra=shapes if domain == "a" else {})

    @abstractmethod
    def render(self, n: int, random: torch.Generator) -> Scenes:
        """Return n scenes in both domains."""

    def load(self, split: str) -> KnownElsewhere:
        """Return a split, `train` or `test`."""
        known_split(self.name, split, ("train", "test"))
        n = self.samples if split == "train" else self.samples // 4
        made = self.render(n, seeding.generator(0, self.name, self.domain, split))
        plain, real = (in_8_bits(images) for images in (made.plain, made.real))
        if self.domain == "a":
            return KnownElsewhere(plain, real, {name: tensor.float() for name, tensor in made.extra.items()})
        return KnownElsewhere(real, plain)


def in_8_bits(x: Tensor) -> Tensor:
    """Return images in [0, 1] as uint8."""
    return (x.clamp(0, 1) * 255).round().to(torch.uint8)


def places(size: int) -> tuple[Tensor, Tensor]:
    """Return x to the right and y down of all pixels, (1, size, size) each, from -1 to 1."""
    line = (torch.arange(size) + 0.5) / size * 2 - 1
    return line[None, None].expand(1, size, size), line[None, :, None].expand(1, size, size)


def inside(distance: Tensor, softness: float) -> Tensor:
    """Return how far a signed distance is below 0, from 0 to 1, with a soft border."""
    return torch.sigmoid(-distance / softness)


def clouds(n: int, size: int, cells: int, random: torch.Generator, channels: int = 1) -> Tensor:
    """Return smooth noise (n, channels, size, size) in [0, 1], of so many cells to a side."""
    coarse = torch.rand(n, channels, cells, cells, generator=random)
    return F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True).clamp(0, 1)


def uniform(n: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """Return n numbers between two as (n, 1, 1)."""
    return low + (high - low) * torch.rand(n, 1, 1, generator=random)
