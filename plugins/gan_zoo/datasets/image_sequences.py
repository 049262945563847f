"""Sequences of images that are made: figures that move, the next frame and its flow, diagrams with a rule."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.videos import KINDS, shape_masks, smooth_noise, tracks
from gan_zoo.stick_figures import drawn, poses


def _known(image_size: int, samples: int) -> None:
    if image_size < 16 or samples < 1:
        raise ConfigError(f"data.image_size={image_size} data.samples={samples}: at least 16 pixels and a sample")


class StickFigures(DataSource):
    """Videos (T, 1, H, W) of a figure, with its last image before (`source`), its poses and those of before.

    The extras `poses` (T, 16) and `past` (T, 16) are rows and columns of eight joints in [-1, 1].

    Args:
        frames: T.
        image_size: height and width.
        samples: of each split.
        channels: null, or T.
        num_classes: null.
    """

    def __init__(
        self, frames: int, image_size: int, samples: int, channels: int | None, num_classes: int | None
    ) -> None:
        known_classes("stick_figures", num_classes, 0)
        _known(image_size, samples)
        if frames < 4:
            raise ConfigError(f"data.frames={frames}: at least 4")
        self.frames, self.side, self.samples = frames, image_size, samples
        self.shape = DataShape((frames, 1, image_size, image_size))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("stick_figures", split, ("train", "test"))
        joints = poses(self.samples, 2 * self.frames, seeding.generator(0, "stick figures", split))
        past, future = joints[:, : self.frames], joints[:, self.frames :]
        seen = (drawn(joints[:, self.frames - 1 :], self.side) * 255).to(torch.uint8)
        extra = {"source": seen[:, :1].contiguous(), "poses": future.flatten(2), "past": past.flatten(2)}
        return InMemory(seen[:, 1:, None].contiguous(), None, {k: v.contiguous() for k, v in extra.items()})


class NextFrame(DataSource):
    """The next frame (1, H, W) of a moving shape, of two before (`source`), and the true `flow` (2, H, W).

    The flow says for each pixel of the next frame how far its content has moved down and right, in pixels / 4.

    Args:
        image_size: height and width.
        size: of the shape in pixels.
        speed: the greatest along an axis, in pixels for a frame.
        samples: of each split.
        channels: 1.
        num_classes: null.
    """

    def __init__(
        self, image_size: int, size: int, speed: float, samples: int, channels: int | None, num_classes: int | None
    ) -> None:
        known_classes("next_frame", num_classes, 0)
        _known(image_size, samples)
        if not 3 <= size < image_size or speed <= 0:
            raise ConfigError(
                f"data.size={size} data.speed={speed}: a shape that fits into the image, and a speed above 0"
            )
        self.side, self.size, self.speed, self.samples = image_size, size, speed, samples
        self.shape = DataShape((1, image_size, image_size))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("next_frame", split, ("train", "test"))
        random = seeding.generator(0, "next frame", split)
        kind = torch.arange(self.samples) % len(KINDS)
        room = self.side - self.size
        velocity = self.speed * (2 * torch.rand(self.samples, 2, generator=random) - 1)
        start = (room * torch.rand(self.samples, 2, generator=random)).round()
        place = tracks(start, velocity.round(), 3, room).round()
        mask = shape_masks(kind, place, self.size, self.side)
        shown = torch.where(mask, 1.0, smooth_noise(self.samples, self.side, random))
        frames = (shown * 255).round().to(torch.uint8)
        step = place[:, 2] - place[:, 1]
        flow = mask[:, 2, None] * step[:, :, None, None] / FLOW
        return InMemory(frames[:, 2:].contiguous(), None, {"source": frames[:, :2].contiguous(), "flow": flow.float()})


FLOW = 4.0
"""So many pixels of motion are a flow of 1."""

RULES = ("rotate", "move", "grow", "fill")


def diagrams(n: int, side: int, random: torch.Generator) -> Tensor:
    """Return sequences (N, 6, H, W) in [0, 1] of a glyph, an L, under two of four rules.

    It is turned by 45°, moved by 4 of 32 pixels to the right, enlarged by 15 %, or filled and emptied in turn.
    """
    first = torch.randint(len(RULES), (n,), generator=random)
    second = (first + 1 + torch.randint(len(RULES) - 1, (n,), generator=random)) % len(RULES)
    has = torch.stack([(first == rule) | (second == rule) for rule in range(len(RULES))], 1).float()
    start = 2 * torch.pi * torch.rand(n, generator=random)
    row = 0.3 * (2 * torch.rand(n, generator=random) - 1)
    step = torch.arange(6)
    angle = start[:, None] + has[:, :1] * step * (torch.pi / 4)
    column = -0.55 * has[:, 1:2] + has[:, 1:2] * step * (8 / 32)
    scale = 0.3 * 1.15 ** (has[:, 2:3] * step)
    filled = 1 - has[:, 3:4] * (step % 2)
    at = (torch.arange(side) + 0.5) / side * 2 - 1
    y, x = torch.meshgrid(at, at, indexing="ij")
    y, x = y - row[:, None, None, None], x - column[..., None, None]
    cos, sin = angle.cos()[..., None, None], angle.sin()[..., None, None]
    u, v = (cos * x + sin * y) / scale[..., None, None], (cos * y - sin * x) / scale[..., None, None]
    bar = (u.abs() <= 0.35) & (v.abs() <= 1)
    foot = (v >= 0.35) & (v <= 1) & (u >= -0.35) & (u <= 1)
    inner = ((u.abs() <= 0.15) & (v.abs() <= 0.8)) | ((v >= 0.55) & (v <= 0.8) & (u >= -0.15) & (u <= 0.8))
    shape = (bar | foot).float()
    return torch.where(inner & (filled[..., None, None] == 0), 0.0, shape)


class Diagrams(DataSource):
    """The sixth image (1, H, W) of a sequence under two rules; the extras are the five before it and five `choices`.

    The first choice is right; the others are the fifth image and sixth ones of other sequences.

    Args:
        image_size: height and width.
        samples: of each split.
        channels: 1.
        num_classes: null.
    """

    def __init__(self, image_size: int, samples: int, channels: int | None, num_classes: int | None) -> None:
        known_classes("diagrams", num_classes, 0)
        _known(image_size, samples)
        self.side, self.samples = image_size, samples
        self.shape = DataShape((1, image_size, image_size))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("diagrams", split, ("train", "test"))
        seen = (diagrams(self.samples, self.side, seeding.generator(0, "diagrams", split)) * 255).to(torch.uint8)
        sixth = seen[:, 5:]
        others = [sixth.roll(shift, 0) for shift in (1, 2, 3)]
        choices = torch.cat([sixth, seen[:, 4:5], *others], 1)
        return InMemory(sixth.contiguous(), None, {"source": seen[:, :5].contiguous(), "choices": choices})


def warped(image: Tensor, flow: Tensor) -> Tensor:
    """Return the next image (N, C, H, W) of one that moves by a flow (N, 2, H, W), in pixels / 4, bilinearly."""
    height, width = image.shape[2:]
    rows = torch.arange(height, device=image.device, dtype=image.dtype)[None, :, None] - FLOW * flow[:, 0]
    columns = torch.arange(width, device=image.device, dtype=image.dtype)[None, None] - FLOW * flow[:, 1]
    places = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1)
    return F.grid_sample(image, places, padding_mode="border", align_corners=False)
