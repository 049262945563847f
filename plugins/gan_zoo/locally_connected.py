"""Convolutions whose weights differ from place to place, and LAGAN's networks of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_zoo.ranges import require_positive


class LocallyConnected(nn.Module):
    """A convolution with weights of its own at each place.

    Args:
        inputs: channels.
        outputs: channels.
        size: height and width of what comes in, before it is padded.
        kernel: sides of the kernels.
        padding: zeros around.
    """

    def __init__(self, inputs: int, outputs: int, size: int, kernel: int, padding: int = 0) -> None:
        super().__init__()
        require_positive(inputs=inputs, outputs=outputs, kernel=kernel)
        self.size = size + 2 * padding - kernel + 1
        if self.size < 1:
            raise ValueError(f"size={size}: it must be at least {kernel - 2 * padding}")
        self.kernel, self.padding = kernel, padding
        fan = inputs * kernel**2
        self.weight = nn.Parameter(torch.randn(outputs, fan, self.size**2) * math.sqrt(2 / fan))
        self.bias = nn.Parameter(torch.zeros(outputs, self.size**2))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, size, size) to (N, outputs, size', size')."""
        patches = F.unfold(x, self.kernel, padding=self.padding)
        made = torch.einsum("nfp,ofp->nop", patches, self.weight.to(patches.dtype)) + self.bias
        maps: Tensor = made.unflatten(2, (self.size, self.size))
        return maps


class EnergyImage(nn.Module):
    """LAGAN's generator: L, C5, ↑2, locally connected 5x5, ↑2, 3x3 and 2x2, ReLU: sparse images of energies.

    Args:
        latent_dim: the size of what comes in.
        size: of the image.
        width: channels of the first map; 128 in the paper.
    """

    def __init__(self, latent_dim: int, size: int, width: int) -> None:
        super().__init__()
        base = -(-(size + 3) // 4)
        self.before = size + 3
        self.first = nn.Sequential(
            nn.Linear(latent_dim, width * base**2),
            nn.Unflatten(1, (width, base, base)),
            nn.Conv2d(width, max(width // 2, 1), 5, padding=2),
            nn.LeakyReLU(0.2),
            nn.BatchNorm2d(max(width // 2, 1)),
            nn.Upsample(scale_factor=2),
            LocallyConnected(max(width // 2, 1), 6, 2 * base, 5, padding=2),
            nn.LeakyReLU(0.2),
            nn.BatchNorm2d(6),
            nn.Upsample(scale_factor=2),
        )
        pixels = LocallyConnected(6, 1, self.before - 2, 2)
        self.last = nn.Sequential(LocallyConnected(6, 6, self.before, 3), nn.LeakyReLU(0.2), pixels)
        with torch.no_grad():
            pixels.bias.fill_(0.01)  # so that not all pixels begin where ReLU has no slope

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, latent_dim) to images (N, 1, size, size), before the ReLU."""
        maps = self.first(z)[:, :, : self.before, : self.before]
        image: Tensor = self.last(maps)
        return image


def energy_features(size: int, width: int) -> tuple[list[nn.Module], int]:
    """Return the blocks of LAGAN's discriminator for images (N, 1, size, size), and how many features come out."""
    inner = size - 2
    blocks: list[nn.Module] = [
        nn.Sequential(nn.Conv2d(1, width, 5, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.2)),
        nn.Sequential(LocallyConnected(width, 8, size, 3), nn.LeakyReLU(0.2), nn.BatchNorm2d(8), nn.Dropout(0.2)),
        nn.Sequential(LocallyConnected(8, 8, inner, 3), nn.LeakyReLU(0.2), nn.BatchNorm2d(8), nn.Dropout(0.2)),
        nn.Sequential(LocallyConnected(8, 8, inner - 2, 3), nn.LeakyReLU(0.2), nn.BatchNorm2d(8), nn.Dropout(0.2)),
        nn.Sequential(nn.AvgPool2d(2), nn.Flatten()),
    ]
    return blocks, 8 * ((inner - 4) // 2) ** 2
