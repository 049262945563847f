"""What the sources of edited digits share: who each image shows, what it could become, and what that would look like.

Beside every image come whole numbers: `identity`, the index of the digit that it was made of, `digit`, the class of
that digit, and `target`, the attribute that pictures and scores ask for, another one than the image has.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape, InMemory, seeding
from gan_zoo.datasets.digits import Digits

IDENTITY, DIGIT, TARGET = "identity", "digit", "target"
INTEGERS = (IDENTITY, DIGIT, TARGET)


class Edited(InMemory):
    """Images that know what each is after the edit that its `target` asks for.

    Args:
        images: (N, C, H, W) uint8.
        labels: the attribute that each has (N,).
        extra: further tensors by name.
        truth: (N, C, H, W) uint8.
    """

    def __init__(self, images: Tensor, labels: Tensor, extra: dict[str, Tensor], truth: Tensor) -> None:
        super().__init__(images, labels, extra)
        self._truth = truth

    def read_truth(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the edited images (n, C, H, W) uint8."""
        return self._truth[torch.as_tensor(indices, dtype=torch.int64)]


def shape_of(image_size: int, channels: int | None, classes: int, **further: tuple[int, ...]) -> DataShape:
    """Return the shape of edited digits with so many attributes, and further extras.

    Raises:
        ConfigError: there are other channels than one.
    """
    if channels not in (None, 1):
        raise ConfigError(f"data.channels={channels}: these digits are grey; set it to 1")
    extra: dict[str, tuple[int, ...]] = dict.fromkeys(INTEGERS, ())
    return DataShape((1, image_size, image_size), classes, extra={**extra, **further}, integers=INTEGERS)


def digits_of(image_size: int, split: str) -> tuple[Tensor, Tensor]:
    """Return the digits of a split (N, 1, H, W) uint8, and their classes (N,)."""
    data = Digits(image_size, 1, None).load(split)
    assert data.labels is not None
    return data.read(range(len(data))), data.labels


def other_labels(labels: Tensor, count: int, *names: str) -> Tensor:
    """Return for each label another one, drawn once and for all."""
    steps = torch.randint(1, count, labels.shape, generator=seeding.generator(0, *names))
    return (labels + steps) % count


def thickened(images: Tensor, times: int) -> Tensor:
    """Return images (N, C, H, W) uint8 after so many maxima over 3x3 pixels, or minima where the number is negative."""
    sign = 1 if times >= 0 else -1
    maps = sign * images.float()
    for _ in range(abs(times)):
        maps = F.max_pool2d(maps, 3, 1, 1)
    return (sign * maps).to(torch.uint8)


def moved(images: Tensor, degrees: Tensor, shift: Tensor, scale: Tensor | None = None) -> Tensor:
    """Return images (N, C, H, W) uint8 scaled and turned about their centre, anticlockwise, and then shifted.

    Args:
        images: what is moved.
        degrees: of the turns (N,).
        shift: in pixels to the right and down (N, 2).
        scale: how much larger they become (N,); None for not at all.
    """
    height, width = images.shape[2:]
    angle = torch.deg2rad(degrees)
    sine, cosine = angle.sin(), angle.cos()
    turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    if scale is not None:
        turn = turn / scale[:, None, None]
    by = 2 * shift / torch.tensor([width, height])
    # Where a pixel comes from: the shift is taken back first.
    grid = F.affine_grid(torch.cat([turn, -turn @ by[:, :, None]], 2), list(images.shape), align_corners=False)
    return F.grid_sample(images.float(), grid, align_corners=False).round().to(torch.uint8)
