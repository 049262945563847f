"""Videos that are made: a shape that moves over a still background, whose track and flow are known."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split

KINDS = ("square", "disc", "cross", "frame")


def reflected(place: Tensor, length: float) -> Tensor:
    """Return places that go on and on as they are between two walls at 0 and a length: a triangle wave."""
    turn = place.remainder(2 * length)
    return torch.where(turn > length, 2 * length - turn, turn)


def tracks(start: Tensor, velocity: Tensor, frames: int, length: float) -> Tensor:
    """Return the places (N, T, 2) of what starts at (N, 2) with a velocity (N, 2) per frame and is reflected."""
    time = torch.arange(frames, dtype=start.dtype)
    return reflected(start[:, None] + velocity[:, None] * time[None, :, None], length)


def shape_masks(kind: Tensor, place: Tensor, size: int, side: int) -> Tensor:
    """Return masks (N, T, H, W) bool of shapes with their upper left corner at places (N, T, 2), as (row, column)."""
    row = torch.arange(side)[None, None, :, None] - place[..., 0].round()[..., None, None]
    column = torch.arange(side)[None, None, None] - place[..., 1].round()[..., None, None]
    inside = (row >= 0) & (row < size) & (column >= 0) & (column < size)
    middle = (size - 1) / 2
    y, x = (row - middle).abs(), (column - middle).abs()
    forms = torch.stack(
        [
            inside,
            inside & (y.square() + x.square() <= (size / 2) ** 2),
            inside & ((y <= size / 6) | (x <= size / 6)),
            inside & ((y > size / 4) | (x > size / 4)),
        ]
    )
    return forms[kind, torch.arange(len(kind))]


def smooth_noise(n: int, side: int, random: torch.Generator) -> Tensor:
    """Return still backgrounds (N, 1, H, W) in [0, 0.5]: noise of a few pixels, enlarged."""
    noise = torch.rand(n, 1, 4, 4, generator=random)
    return 0.5 * F.interpolate(noise, size=(side, side), mode="bilinear", align_corners=True)


class Videos(DataSource):
    """A square, disc, cross or frame, the class, moves evenly over a still background and is reflected at the walls.

    Samples are videos (T, 1, H, W) of 8 bits. The extra `source` is the first frame (1, H, W).

    Args:
        frames: T.
        image_size: height and width.
        size: of the shape in pixels.
        speed: the greatest along an axis, in pixels for a frame.
        background: whether it is smooth noise; else black.
        samples: of each split.
        channels: null, or the number of frames.
        num_classes: 4, or null.
    """

    classes = KINDS

    def __init__(
        self,
        frames: int,
        image_size: int,
        size: int,
        speed: float,
        background: bool,
        samples: int,
        channels: int | None,
        num_classes: int | None,
    ) -> None:
        known_classes("videos", num_classes, len(KINDS))
        if frames < 4 or not 3 <= size < image_size or speed <= 0 or samples < 1:
            raise ConfigError(
                f"data.frames={frames} data.size={size} data.speed={speed} data.samples={samples}: at least 4 frames "
                f"and a sample, a shape of 3 pixels or more that fits into {image_size}, and a speed above 0"
            )
        self.frames, self.side, self.size, self.speed = frames, image_size, size, speed
        self.background, self.samples = background, samples
        self.shape = DataShape((frames, 1, image_size, image_size), len(KINDS))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("videos", split, ("train", "test"))
        random = seeding.generator(0, "videos", split)
        kind = torch.arange(self.samples) % len(KINDS)
        room = self.side - self.size
        start = room * torch.rand(self.samples, 2, generator=random)
        velocity = self.speed * (2 * torch.rand(self.samples, 2, generator=random) - 1)
        mask = shape_masks(kind, tracks(start, velocity, self.frames, room), self.size, self.side)
        still = torch.zeros(self.samples, 1, self.side, self.side)
        if self.background:
            still = smooth_noise(self.samples, self.side, random)
        shown = torch.where(mask, 1.0, still)
        samples = (shown[:, :, None] * 255).round().to(torch.uint8)
        return InMemory(samples, kind, {"source": samples[:, 0].contiguous()})
