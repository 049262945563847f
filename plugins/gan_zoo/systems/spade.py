"""SPADE (Park et al. 2019, arXiv 1903.07291): images of maps, which set the scale and shift of every norm by place."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, Generator
from gan_zoo.layers import ImageSize, doublings
from gan_zoo.ranges import require_positive
from gan_zoo.translating import image_in


class SpatialNorm(nn.Module):
    """norm(x) (1 + γ(m)) + β(m): γ and β of each place come from a map m (section 3.1, equation 1).

    Args:
        channels: of x.
        map_channels: of m.
        hidden: channels between m and both.
        norm: `batch` or `instance`, without parameters.
    """

    def __init__(self, channels: int, map_channels: int, hidden: int, norm: str) -> None:
        super().__init__()
        if norm not in ("batch", "instance"):
            raise ValueError(f"norm={norm!r}: choose batch or instance")
        self.norm = (nn.BatchNorm2d if norm == "batch" else nn.InstanceNorm2d)(channels, affine=False)
        self.shared = nn.Sequential(nn.Conv2d(map_channels, hidden, 3, padding=1), nn.ReLU())
        self.scale = nn.Conv2d(hidden, channels, 3, padding=1)
        self.shift = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, of: Tensor) -> Tensor:
        """Normalise x (N, channels, H, W) by a map (N, map_channels, H', W'), brought to its size by nearest pixels."""
        found = self.shared(F.interpolate(of, size=x.shape[2:], mode="nearest"))
        made: Tensor = self.norm(x) * (1 + self.scale(found)) + self.shift(found)
        return made


class SpadeBlock(nn.Module):
    """A residual block whose norms are `SpatialNorm` (figure 4 of the paper).

    Args:
        inputs: channels.
        outputs: channels.
        map_channels: of the map.
        hidden: of the norms.
        norm: of the norms.
    """

    def __init__(self, inputs: int, outputs: int, map_channels: int, hidden: int, norm: str) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.norms = nn.ModuleList(SpatialNorm(c, map_channels, hidden, norm) for c in (inputs, middle))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in ((inputs, middle), (middle, outputs))
        )
        self.around_norm = SpatialNorm(inputs, map_channels, hidden, norm) if inputs != outputs else None
        self.around = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else None

    def forward(self, x: Tensor, of: Tensor) -> Tensor:
        """Map (N, inputs, H, W) and a map to (N, outputs, H, W)."""
        straight = x
        if self.around is not None and self.around_norm is not None:
            straight = self.around(self.around_norm(x, of))
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            x = convolution(F.leaky_relu(norm(x, of), 0.2))
        made: Tensor = straight + x
        return made


class SpadeGenerator(Generator):
    """Blocks of spatial norms, doubled in between, up to the image (appendix A): no encoder sees the map.

    It begins with 4 to 7 pixels to a side: of z where there is a prior, else of the map at that size.

    Args:
        image_size: of square images, or height and width: multiples of the power of two that brings them to 4 to 7.
        channels: of the images made.
        source_channels: of the map.
        latent_dim: the size of z; 0 where there is no prior.
        width: channels of the last block; each one before has twice as many, up to eight times.
        hidden: channels of the norms; 128 in the paper.
        norm: `batch` as in the paper, or `instance`.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        source_channels: int,
        latent_dim: int,
        width: int,
        hidden: int,
        norm: str,
    ) -> None:
        super().__init__()
        require_positive(channels=channels, source_channels=source_channels, width=width, hidden=hidden)
        self.start_size, times = doublings(image_size)
        widths = [width * min(2**i, 8) for i in range(times, -1, -1)]
        first = widths[0] * self.start_size[0] * self.start_size[1]
        self.latent_dim = latent_dim
        self.start: nn.Module = (
            nn.Sequential(nn.Linear(latent_dim, first), nn.Unflatten(1, (widths[0], *self.start_size)))
            if latent_dim
            else nn.Conv2d(source_channels, widths[0], 3, padding=1)
        )
        self.blocks = nn.ModuleList(
            SpadeBlock(a, b, source_channels, hidden, norm) for a, b in zip([widths[0], *widths], widths, strict=False)
        )
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_normal_(layer.weight, 0.02**0.5)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given map (N, source_channels, H, W), and z, to images (N, channels, H, W) in [-1, 1]."""
        of = image_in(given)
        x: Tensor = self.start(z if self.latent_dim else F.interpolate(of, size=self.start_size, mode="nearest"))
        for number, block in enumerate(self.blocks):
            x = block(F.interpolate(x, scale_factor=2, mode="nearest") if number else x, of)
        return torch.tanh(self.last(F.leaky_relu(x, 0.2)))
