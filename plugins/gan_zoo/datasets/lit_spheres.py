"""Balls in a light that is known, and balls of which it is known with an error."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, seeding
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.rendered import DOMAINS, clouds, in_8_bits, places

LAMBERT = (math.pi, 2 * math.pi / 3, math.pi / 4)
"""A_l: what a matt surface leaves of light of the orders 0, 1 and 2 (Basri & Jacobs 2003)."""

DEVIATIONS = (0.8, 0.4, 0.2)
"""Of the coefficients of each order."""

ERROR = 0.3
"""The deviation of the error of noisy labels."""

ORDERS = (0, 1, 1, 1, 2, 2, 2, 2, 2)
"""Of the nine coefficients."""


def harmonics(normals: Tensor) -> Tensor:
    """Return Y₀₀, Y₁₋₁, Y₁₀, Y₁₁, Y₂₋₂, Y₂₋₁, Y₂₀, Y₂₁ and Y₂₂ (..., 9) of unit vectors (..., 3)."""
    x, y, z = normals.unbind(-1)
    first, second = math.sqrt(3 / (4 * math.pi)), math.sqrt(15 / (4 * math.pi))
    return torch.stack(
        [
            torch.full_like(x, math.sqrt(1 / (4 * math.pi))),
            first * y,
            first * z,
            first * x,
            second * x * y,
            second * y * z,
            math.sqrt(5 / (16 * math.pi)) * (3 * z.square() - 1),
            second * x * z,
            second / 2 * (x.square() - y.square()),
        ],
        dim=-1,
    )


def shading(normals: Tensor, light: Tensor) -> Tensor:
    """Return Σ A_l l_lm Y_lm(n) (N, ...) of normals (..., 3) in lights (N, 9)."""
    weights = light.new_tensor([LAMBERT[order] for order in ORDERS])
    found: Tensor = torch.einsum("nk,...k->n...", light * weights, harmonics(normals).to(light.dtype))
    return found


class LitSpheres(DataSource):
    """Half balls in lights of nine coefficients, the condition vectors; grey is no light, and light may be negative.

    In `a` balls are plain and labels true. In `b` balls have a texture and noise, and the labels of the split `train`
    an error of deviation 0.3, those of `test` none, as scores are to be against the truth.

    Args:
        domain: `a` or `b`.
        samples: in the split `train`; `test` has a quarter.
        image_size: height and width in pixels.
        channels: 1.
        num_classes: 0, as labels are no classes.
        condition_dim: 9.
    """

    def __init__(
        self,
        domain: str,
        samples: int,
        image_size: int,
        channels: int | None,
        num_classes: int | None,
        condition_dim: int | None,
    ) -> None:
        known_classes("lit_spheres", num_classes, 0)
        if domain not in DOMAINS:
            raise ConfigError(f"data.domain={domain} must be a or b")
        if channels not in (None, 1) or condition_dim not in (None, len(ORDERS)):
            raise ConfigError(f"data.channels={channels} data.condition_dim={condition_dim} must be 1 and 9")
        if samples < 4 or image_size < 8:
            raise ConfigError(f"data.samples={samples} data.image_size={image_size} must be at least 4 and 8")
        self.domain, self.samples = domain, samples
        self.shape = DataShape((1, image_size, image_size), 0, len(ORDERS))

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("lit_spheres", split, ("train", "test"))
        n = self.samples if split == "train" else self.samples // 4
        size = self.shape.sample[1]
        random = seeding.generator(0, "lit spheres", self.domain, split)
        deviations = torch.tensor([DEVIATIONS[order] for order in ORDERS])
        light = deviations * torch.randn(n, len(ORDERS), generator=random)
        x, y = (place[0] / 0.95 for place in places(size))
        square = x.square() + y.square()
        normals = torch.stack([x, -y, (1 - square).clamp(min=0).sqrt()], dim=-1)
        ball = 0.35 * shading(normals, light) * (square <= 1)
        if self.domain == "b":
            texture = 0.6 + 0.6 * clouds(n, size, 6, random)[:, 0]
            ball = ball * texture + 0.05 * torch.randn(n, size, size, generator=random)
        error = ERROR * torch.randn(n, len(ORDERS), generator=random) if self.domain == "b" and split == "train" else 0
        return InMemory(in_8_bits(0.5 + 0.5 * ball)[:, None], light + error)
