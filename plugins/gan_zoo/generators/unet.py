"""The U-Net generator of pix2pix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Generator
from gan_zoo.layers import ImageSize, choose, init_normal, sides
from gan_zoo.ranges import require_below_one, require_positive
from gan_zoo.translating import image_in

MOST_WIDTHS = 8
"""No layer is wider than so many times the first."""

DROPPED = 3
"""How many of the innermost layers on the way up drop activations."""

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
    "none": lambda c: nn.Identity(),
}


class UNetGenerator(Generator):
    """Images of images: halved `levels` times and doubled again, with what was halved joined (Isola et al. 2017).

    arXiv 1611.07004, section 6.1.1: kernels of 4 and stride 2, leaky ReLU 0.2 on the way down and ReLU on the way up, a
    norm on every layer but the first, the innermost and the last, tanh. The paper's only noise is dropout on the three
    innermost layers up. It is on in training alone here, so that a sample follows from its input; with a prior, z is
    joined at the innermost layer.

    Args:
        image_size: of square images, or height and width: multiples of 2^levels.
        channels: of the images made.
        source_channels: of the images that they are made of.
        latent_dim: the size of z; 0 where there is no prior.
        width: channels of the first layer; they double up to eight times as many.
        levels: how often images are halved; null for as often as they can be.
        norm: `batch`, `instance` (without parameters) or `none`.
        dropout: the share of activations that are dropped in training.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        source_channels: int,
        latent_dim: int,
        width: int,
        levels: int | None,
        norm: str,
        dropout: float,
    ) -> None:
        super().__init__()
        height, across = sides(image_size)
        most = min((side & -side).bit_length() - 1 for side in (height, across))
        levels = most if levels is None else levels
        require_positive(channels=channels, source_channels=source_channels, width=width)
        if not 2 <= levels <= most:
            raise ValueError(
                f"levels={levels}: images of {height}x{across} pixels can be halved from 2 to {most} times; choose "
                "another data.image_size or fewer levels"
            )
        require_below_one(dropout=dropout)
        widths = [source_channels, *(width * min(2**i, MOST_WIDTHS) for i in range(levels))]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i in range(levels):
            normed = 0 < i < levels - 1
            layers: list[nn.Module] = [] if i == 0 else [nn.LeakyReLU(0.2)]
            layers.append(nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1, bias=False))
            self.down.append(nn.Sequential(*layers, *([_norm(norm, widths[i + 1])] if normed else [])))
        for i in reversed(range(levels)):
            inner = widths[i + 1] * (1 if i == levels - 1 else 2) + (latent_dim if i == levels - 1 else 0)
            outer = widths[i] if i else channels
            layers = [nn.ReLU(), nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=i == 0)]
            if i:
                layers.append(_norm(norm, outer))
            if i and i >= levels - DROPPED and dropout:
                layers.append(nn.Dropout(dropout))
            self.up.append(nn.Sequential(*layers))
        self.latent_dim = latent_dim
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, source_channels, H, W) to images (N, channels, H, W) in [-1, 1]."""
        x = image_in(given)
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        x = skips.pop()
        if self.latent_dim:
            x = torch.cat([x, z[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)
        for number, layer in enumerate(self.up):
            x = layer(x if number == 0 else torch.cat([x, skips.pop()], 1))
        return torch.tanh(x)


def _norm(name: str, channels: int) -> nn.Module:
    return choose({key: partial(make, channels) for key, make in NORMS.items()}, "norm", name)
