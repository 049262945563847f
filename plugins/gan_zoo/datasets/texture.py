"""Crops of a texture."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from PIL import UnidentifiedImageError
from torch import Tensor

from gan_framework.api import FORMATS, ConfigError, DataShape, DataSource, InMemory, decode, fit, seeding
from gan_zoo.datasets.array_sizes import check_size
from gan_zoo.datasets.checks import known_classes, known_file, known_split

SIDE = 512
"""Pixels to a side of a texture that is made on the spot."""

MAX_BYTES = 256 * 2**20
"""The largest image file that is read."""

PATTERNS = ("stripes", "checks", "scales")


def pattern(name: str, period: int, side: int = SIDE) -> Tensor:
    """Return a texture (1, side, side), uint8: sine waves down, their product along both axes, or shifted scales."""
    turns = 2 * math.pi * torch.arange(side, dtype=torch.float64) / period
    if name == "stripes":
        values = turns.sin()[:, None].expand(side, side)
    elif name == "checks":
        values = turns.sin()[:, None] * turns.sin()
    else:
        shifted = turns + math.pi * (torch.arange(side) // period % 2)[:, None]
        values = (turns % (2 * math.pi) / math.pi - 1)[:, None] * 0.5 + 0.5 * shifted.sin()
    return ((values + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)[None]


class Texture(DataSource):
    """Square crops at random places of one image, or of a pattern that is made on the spot (Jetchev et al. 2016).

    Args:
        path: an image file; null for a pattern.
        pattern: `stripes`, `checks` or `scales`, where there is no path.
        period: of the pattern, in pixels.
        samples: crops of each split.
        image_size: height and width of a crop.
        channels: 1 or 3.
        num_classes: 0, as there are no classes.
    """

    def __init__(
        self,
        path: Path | None,
        pattern: str,
        period: int,
        samples: int,
        image_size: int,
        channels: int,
        num_classes: int | None,
    ) -> None:
        known_classes("texture", num_classes, 0)
        if pattern not in PATTERNS:
            raise ConfigError(f"data.pattern={pattern}: choose one of {', '.join(PATTERNS)}")
        if period < 2 or samples < 1:
            raise ConfigError(f"data.period={period} data.samples={samples}: they must be at least 2 and 1")
        if channels not in (1, 3):
            raise ConfigError(f"data.channels={channels} must be 1 or 3")
        if image_size < 1:
            raise ConfigError(f"data.image_size={image_size} must be at least 1")
        check_size(f"data.samples={samples} of data.image_size={image_size}", samples * channels * image_size**2)
        if path is None and image_size > SIDE:
            raise ConfigError(f"data.image_size={image_size}: a pattern has {SIDE} pixels to a side")
        self.shape = DataShape((channels, image_size, image_size))
        self.path, self.pattern, self.period, self.samples = path, pattern, period, samples

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`: crops at other places."""
        known_split("texture", split, ("train", "test"))
        image = pattern(self.pattern, self.period) if self.path is None else self._read(Path(self.path))
        channels, side, _ = self.shape.sample
        image = fit(image[None], (image.shape[1], image.shape[2]), channels)[0]
        random = seeding.generator(0, "texture", split)
        places = [torch.randint(have - side + 1, (self.samples,), generator=random) for have in image.shape[1:]]
        crops = [image[:, y : y + side, x : x + side] for y, x in zip(*(one.tolist() for one in places), strict=True)]
        return InMemory(torch.stack(crops))

    def _read(self, path: Path) -> Tensor:
        known_file(path, MAX_BYTES)
        try:
            image = decode(path.read_bytes())
        except UnidentifiedImageError as error:
            raise ConfigError(f"data.path={path} cannot be read as an image: it is no {', '.join(FORMATS)}") from error
        except Exception as error:  # a damaged file can make a decoder raise anything
            reason = f"{type(error).__name__}: {error}"
            raise ConfigError(f"data.path={path} cannot be read as an image: {reason}") from error
        side = self.shape.sample[1]
        if min(image.shape[1:]) < side:
            raise ConfigError(
                f"data.image_size={side}: {path} has only {image.shape[2]}x{image.shape[1]} pixels to cut crops from"
            )
        return image
