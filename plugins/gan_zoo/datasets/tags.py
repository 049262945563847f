"""Round tags that carry bits, drawn plainly and as a camera would see them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_zoo.datasets.rendered import Rendered, Scenes, clouds, inside, places, uniform

BITS = 12


def drawn(bits: Tensor, angle: Tensor, scale: Tensor, shift: Tensor, size: int) -> Tensor:
    """Return tags (N, size, size) in [0, 1]: a ring of cells, white for 1, about a half white centre.

    Args:
        bits: 0 or 1 (N, 12), anticlockwise from the tag's own right.
        angle: by which the tag is turned (N, 1, 1), in radians.
        scale: of the tag (N, 1, 1); its radius in shares of half the side.
        shift: of its centre (N, 2), across and down.
        size: of the images.
    """
    x, y = places(size)
    x, y = (x - shift[:, 0, None, None]) / scale, (y - shift[:, 1, None, None]) / scale
    radius = (x.square() + y.square()).sqrt()
    turn = (torch.atan2(-y, x) - angle) % (2 * math.pi)
    cell = (turn / (2 * math.pi) * BITS).long().clamp(0, BITS - 1)
    ring = bits.gather(1, cell.flatten(1)).view_as(turn)
    centre = (turn < math.pi).float()
    within = inside(radius - 1, 0.05)
    tag = torch.where(radius > 0.5, ring, centre)
    return within * (0.1 + 0.8 * tag) + (1 - within) * 0.5


class Tags(Rendered):
    """Tags of 12 bits about a centre that tells which way up they are; `b` has them blurred, lit and on a ground.

    They stand for the tags of honey bees (Sixt et al. 2016). The extras `bits` (12,), 0 or 1, and
    `mask` (1, H, W), 1 on the tag, are given in `a` alone.
    """

    name = "tags"
    least_size = 16
    extras = {"bits": (BITS,), "mask": (1, 0, 0)}

    def render(self, n: int, random: torch.Generator) -> Scenes:
        """Return n tags."""
        size = self.size
        bits = torch.randint(2, (n, BITS), generator=random).float()
        angle = uniform(n, -0.15, 0.15, random)
        scale = uniform(n, 0.8, 0.95, random)
        shift = 0.05 * (2 * torch.rand(n, 2, generator=random) - 1)
        plain = drawn(bits, angle, scale, shift, size)
        x, y = places(size)
        blurred = torch.nn.functional.avg_pool2d(plain[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
        towards = uniform(n, 0.0, 2 * math.pi, random)
        light = 0.75 + 0.2 * (x * torch.cos(towards) + y * torch.sin(towards))
        centre_x, centre_y = shift[:, 0, None, None], shift[:, 1, None, None]
        within = inside(((x - centre_x).square() + (y - centre_y).square()).sqrt() / scale - 1, 0.05)
        ground = clouds(n, size, 5, random)[:, 0]
        real = light * (within * (0.15 + 0.6 * blurred) + (1 - within) * ground)
        real = real + 0.04 * torch.randn(n, size, size, generator=random)
        return Scenes(plain[:, None], real[:, None], {"bits": bits, "mask": within[:, None]})
