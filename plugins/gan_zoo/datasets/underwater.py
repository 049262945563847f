"""Scenes with their depth, in air and under water."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_zoo.datasets.rendered import Rendered, Scenes, clouds, inside, places, uniform

ATTENUATION = (0.5, 0.06, 0.03)
"""η of red, green and blue, for each unit of depth."""

HAZE = 0.2
HAZE_COLOUR = (0.2, 0.8, 1.0)


def under_water(air: Tensor, depth: Tensor) -> Tensor:
    """Return I ⊙ e^(-η d) + haze (1 - e^(-d / 2)) of images (N, 3, H, W) in [0, 1] and depths (N, 1, H, W)."""
    eta, colour = (air.new_tensor(of)[:, None, None] for of in (ATTENUATION, HAZE_COLOUR))
    return air * torch.exp(-eta * depth) + HAZE * colour * (1 - torch.exp(-depth / 2))


class Underwater(Rendered):
    """Coloured shapes before a wall, with the depth of every pixel; `b` has such scenes under water.

    The water is WaterGAN's (Li et al. 2017, arXiv 1702.07392, section 3) with constants of its own. The extra `depth`
    (1, H, W), from 0.5 to 4, is given in `a` alone.
    """

    name = "underwater"
    made_channels = 3
    extras = {"depth": (1, 0, 0)}

    def render(self, n: int, random: torch.Generator) -> Scenes:
        """Return n scenes."""
        size = self.size
        x, y = places(size)
        depth = 3.0 - y + 0.5 * clouds(n, size, 3, random)[:, 0]
        air = 0.55 + 0.35 * clouds(n, size, 5, random, 3)
        for number in range(3):
            colour = 0.2 + 0.8 * torch.rand(n, 3, 1, 1, generator=random)
            left, top = (1.4 * torch.rand(n, 1, 1, generator=random) - 0.7 for _ in range(2))
            half = uniform(n, 0.2, 0.45, random)
            round_one = ((x - left).square() + (y - top).square()).sqrt() - half
            square = torch.maximum((x - left).abs(), (y - top).abs()) - half
            shape = inside(round_one if number % 2 else square, 0.02)
            near = uniform(n, 0.5, 2.5, random)
            depth = depth * (1 - shape) + near * shape
            air = air * (1 - shape[:, None]) + colour * shape[:, None]
        depth = depth[:, None]
        noise = 0.01 * torch.randn(n, 3, size, size, generator=random)
        return Scenes(air, under_water(air, depth) + noise, {"depth": depth})
