"""A compositional pattern-producing generator."""

from __future__ import annotations

import torch
from gan_framework.api import Generator
from torch import Tensor, nn


class CPPN(Generator):
    """One small network, asked for the colour of every place in turn (Stanley 2007, doi 10.1007/s10710-007-9028-8).

    It maps (z, x, y, r) to a pixel, with x and y in [-1, 1] and r the distance from the centre, so the
    number of its parameters does not depend on the image's size.

    Args:
        latent_dim: the size of z.
        image_size: height and width in pixels.
        channels: of the images.
        width: the size of the hidden layers.
        depth: the number of hidden layers.
    """

    places: Tensor

    def __init__(self, latent_dim: int, image_size: int, channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.register_buffer("places", grid(image_size), persistent=False)
        self.from_latent = nn.Linear(latent_dim, width)
        self.from_place = nn.Linear(3, width, bias=False)
        hidden = [layer for _ in range(depth - 1) for layer in (nn.Tanh(), nn.Linear(width, width))]
        self.layers = nn.Sequential(*hidden, nn.Tanh(), nn.Linear(width, channels), nn.Tanh())

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]; labels are not used."""
        pixels: Tensor = self.layers(self.from_latent(z)[:, None, None] + self.from_place(self.places))
        return pixels.permute(0, 3, 1, 2).contiguous()


def grid(size: int) -> Tensor:
    """Return x, y and r of every pixel of a square image, (H, W, 3)."""
    axis = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y, (x.square() + y.square()).sqrt()], dim=-1)
