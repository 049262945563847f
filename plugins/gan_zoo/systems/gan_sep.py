"""Separable GANs (Osokin et al. 2017, arXiv 1708.04692): one channel is made first, the others of its inner maps.

Cells are seen in red and, one at a time, in green.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import Batch, ConfigError, Game, Generator, Latent, Pair, Player
from gan_zoo.layers import ImageSize, Projection, cropped, doublings, init_normal
from gan_zoo.ranges import require_positive


def up(inputs: int, outputs: int) -> nn.Sequential:
    """Return a transposed convolution that doubles the size, batch norm and ReLU."""
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class SeparableGenerator(Generator):
    """z = (z_r, z_1, z_2, …): a DCGAN makes red of z_r, and each green tower its channel of z_i and red's maps.

    A tower's map of each size is joined with red's of that size (section 3, figure 3). Nothing goes back from green to
    red, so that another z_i leaves red as it is.

    Args:
        latent_dim: the size of z, which is divided evenly among the channels.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: red and at least one green.
        width: channels of the layer before red; towers are as wide.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        require_positive(width=width)
        if channels < 2 or latent_dim % channels:
            raise ValueError(
                f"channels={channels}, latent_dim={latent_dim}: at least 2 channels, each with an equal part of z"
            )
        self.image_size, self.each = image_size, latent_dim // channels
        base, n = doublings(image_size)
        widths = [width * 2**i for i in reversed(range(n))]
        self.starts = nn.ModuleList(
            nn.Sequential(Projection(self.each, widths[0], base, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU())
            for _ in range(channels)
        )
        self.levels = nn.ModuleList(
            nn.ModuleList(up(a * (1 if channel == 0 else 2), b) for a, b in pairwise(widths))
            for channel in range(channels)
        )
        self.outputs = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(width * (1 if channel == 0 else 2), 1, 4, 2, 1), nn.Tanh())
            for channel in range(channels)
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, channels, H, W) in [-1, 1]."""
        parts = z[:, :, None, None].split(self.each, dim=1)
        red = [self.starts[0](parts[0])]
        for level in self._levels(0):
            red.append(level(red[-1]))
        made = [self.outputs[0](red[-1])]
        for channel in range(1, len(parts)):
            maps = self.starts[channel](parts[channel])
            for below, level in zip(red, self._levels(channel), strict=False):
                maps = level(torch.cat([maps, below], dim=1))
            made.append(self.outputs[channel](torch.cat([maps, red[-1]], dim=1)))
        return cropped(torch.cat(made, dim=1), self.image_size)

    def _levels(self, channel: int) -> nn.ModuleList:
        levels = self.levels[channel]
        assert isinstance(levels, nn.ModuleList)
        return levels


class GANSep(Game):
    """For each green a judge of red and it, `discriminator_1` and so on (the star of section 3.3).

    The paper has images of red and one green each; here an image has all its channels, and each judge sees two of them.
    """

    def make_players(self) -> list[Player]:
        """Return the judges as one player, and the generator."""
        self.greens = range(1, self.data.sample[0])
        if not self.data.is_image or not self.greens:
            raise ConfigError(
                f"GANSep makes images of at least two channels, and the data are {self.data.sample}: choose "
                "data=two_channel_cells"
            )
        names = [f"green_{i}" for i in self.greens]
        judges = tuple(f"discriminator_{i}" for i in self.greens)
        return [
            Player("discriminator", judges, "discriminator", dict.fromkeys(names, "discriminator")),
            Player("generator", ("generator",), "generator", dict.fromkeys(names, "generator")),
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return red and each green before its judge."""
        made = self.generate(latent)
        return {
            f"green_{i}": Pair(
                self.judge(f"discriminator_{i}"), batch, latent, made[:, [0, i]], real=batch.samples[:, [0, i]]
            )
            for i in self.greens
        }
