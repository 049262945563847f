"""A generator that changes an image at its full size."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Generator
from gan_zoo.layers import ImageSize, init_normal, sides
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import image_in

NORMS = ("batch", "none")


class Residual(nn.Module):
    """x + f(x), f two convolutions of 3x3 with a norm if wanted and ReLU between, then ReLU.

    Args:
        width: channels.
        norm: `batch` or `none`.
    """

    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.Conv2d(width, width, 3, 1, 1)]
            layers += [nn.BatchNorm2d(width)] if norm == "batch" else []
            layers += [nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        return torch.relu(x + self.layers(x))


class Refiner(Generator):
    """Convolution, residual blocks and a convolution of one pixel, all at the image's size; tanh.

    It is SimGAN's refiner with 4 blocks of 64 maps and no z (Shrivastava et al. 2017, arXiv 1612.07828, section 3), and
    PixelDA's generator with 6 blocks, batch norm and z as a further map (Bousmalis et al. 2017, arXiv 1612.05424).

    Args:
        image_size: of square images, or height and width; read where there is z.
        channels: of what it makes.
        source_channels: of what it is given.
        latent_dim: the size of z, which a linear layer makes a map of; 0 for none.
        width: of all maps.
        blocks: residual blocks.
        norm: `batch` or `none`.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        source_channels: int,
        latent_dim: int,
        width: int,
        blocks: int,
        norm: str,
    ) -> None:
        super().__init__()
        require_positive(channels=channels, source_channels=source_channels, width=width, blocks=blocks)
        require_not_negative(latent_dim=latent_dim)
        if norm not in NORMS:
            raise ValueError(f"norm={norm!r}: choose one of {', '.join(NORMS)}")
        self.latent_dim = latent_dim
        height, across = sides(image_size)
        self.noise = (
            nn.Sequential(nn.Linear(latent_dim, height * across), nn.Unflatten(1, (1, height, across)))
            if latent_dim
            else None
        )
        inputs = source_channels + (1 if latent_dim else 0)
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, width, 3, 1, 1),
            nn.ReLU(),
            *(Residual(width, norm) for _ in range(blocks)),
            nn.Conv2d(width, channels, 1),
            nn.Tanh(),
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, C', H, W) and z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        x = image_in(given)
        if self.noise is not None:
            x = torch.cat([x, self.noise(z)], dim=1)
        images: Tensor = self.layers(x)
        return images
