"""Two domains without pairs, of which the map from one to the other is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_split
from gan_zoo.datasets.digits import Digits
from gan_zoo.datasets.tasks import STEEP, edges, in_hues

DOMAINS = ("a", "b")

LOW = 4
"""How many pixels to a side are one in the domain `lowres`."""


def _edges(images: Tensor, labels: Tensor | None) -> Tensor:
    random = torch.Generator()
    found = torch.stack([edges(image.float() / 255, STEEP, random)["source"] for image in images])
    return (found * 255).to(torch.uint8)


def _lowres(images: Tensor, labels: Tensor | None) -> Tensor:
    small = F.avg_pool2d(images.float(), LOW)
    return small.repeat_interleave(LOW, 2).repeat_interleave(LOW, 3).round().to(torch.uint8)


def _textured(images: Tensor, labels: Tensor | None) -> Tensor:
    """Return |texture - digit|: the same woven texture for all, of two sums of sines."""
    height, width = images.shape[2:]
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
    woven = torch.sin(0.9 * rows + 0.35 * columns) + torch.sin(0.4 * rows - 0.8 * columns)
    texture = (0.5 + 0.25 * woven).clamp(0, 1) * 255
    return (texture - images.float()).abs().round().to(torch.uint8)


MAPS: dict[str, Callable[[Tensor, Tensor | None], Tensor]] = {
    "negative": lambda images, labels: 255 - images,
    "colour": in_hues,
    "texture": _textured,
    "rotate90": lambda images, labels: torch.rot90(images, 1, (2, 3)),
    "lowres": _lowres,
    "edges": _edges,
}
"""From domain A to domain B: images (N, 1, H, W) uint8 and their classes to images uint8."""


class InDomain(InMemory):
    """Images of one domain that know what each is in the other one."""

    def __init__(self, images: Tensor, labels: Tensor, truth: Tensor) -> None:
        super().__init__(images, labels)
        self._truth = truth

    def read_truth(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the same images in the other domain, (n, C, H, W) uint8."""
        return self._truth[torch.as_tensor(indices, dtype=torch.int64)]


class DigitDomains(DataSource):
    """One of two domains: A are digits as they are, B other digits seen through a map.

    Of each split one half is in A and the other in B, so that no digit is in both; what each is in the other domain is
    known, and read by scores alone.

    Args:
        map: from A to B: negative, colour (a hue for each class), texture, rotate90, lowres or edges.
        domain: `a` or `b`.
        image_size: height and width in pixels.
        channels: those of the domain: 1, and 3 in B where the map is `colour`.
        num_classes: 10.
    """

    def __init__(self, map: str, domain: str, image_size: int, channels: int | None, num_classes: int | None) -> None:
        if map not in MAPS:
            raise ConfigError(f"data.map={map} must be one of {', '.join(MAPS)}")
        if domain not in DOMAINS:
            raise ConfigError(f"data.domain={domain} must be a or b")
        if map == "lowres" and image_size % LOW:
            raise ConfigError(f"data.image_size={image_size} must be a multiple of {LOW} with data.map=lowres")
        self._digits = Digits(image_size, 1, num_classes)
        self.classes = self._digits.classes
        self.map, self.domain = map, domain
        found = 3 if map == "colour" and domain == "b" else 1
        if channels not in (None, found):
            raise ConfigError(f"data.channels={channels}: the images of data.domain={domain} have {found} channels")
        self.shape = DataShape((found, image_size, image_size), len(self.classes))

    def load(self, split: str) -> InDomain:
        """Return a split, `train` or `test`."""
        known_split("digit_domains", split, ("train", "test"))
        data = self._digits.load(split)
        order = torch.randperm(len(data), generator=seeding.generator(0, "digit domains", split))
        half = len(data) // 2
        chosen = order[:half] if self.domain == "a" else order[half:]
        chosen = chosen.sort().values
        images, labels = data.read(chosen), data.labels
        assert labels is not None
        mapped = MAPS[self.map](images, labels[chosen])
        here, there = (images, mapped) if self.domain == "a" else (mapped, images)
        return InDomain(here, labels[chosen], there)
