"""LAPGAN (Denton et al. 2015, arXiv 1506.05751): a small game for each band of a Laplacian pyramid.

With d to halve and u to double images, l_k = u(d(I_k)) and h_k = I_k - l_k. The coarsest level makes images; each
further one makes h_k for an l_k, and its judge sees l_k + h_k. Levels learn apart, on real l_k (Algorithm 1), here in
the same steps, as no gradient crosses them; samples go through all of them, Ĩ_k = u(Ĩ_{k+1}) + G_k(z_k, u(Ĩ_{k+1})).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, Batch, ConfigError, Discriminator, Game, Generator, Latent, Pair, Player
from gan_zoo.ranges import require_positive

COARSE = "coarse"
"""The name of the enlarged image that a band is made for."""


def halved(x: Tensor) -> Tensor:
    """Return images (N, C, H, W) of half the size, bilinearly: the means of 2x2 pixels."""
    return F.avg_pool2d(x, 2)


def doubled(x: Tensor) -> Tensor:
    """Return images (N, C, H, W) of twice the size, bilinearly."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def pyramid(images: Tensor, levels: int) -> list[tuple[Tensor, Tensor | None]]:
    """Return, coarsest first, the image of each level and the enlarged one before it; None at the coarsest."""
    found: list[tuple[Tensor, Tensor | None]] = []
    for _ in range(levels - 1):
        smaller = halved(images)
        found.insert(0, (images, doubled(smaller)))
        images = smaller
    return [(images, None), *found]


class CoarseGenerator(Generator):
    """Two hidden layers, ReLU and sigmoid, and a linear output: the coarsest images.

    Args:
        latent_dim: the size of its part of z.
        image_size: of the coarsest images, which are square.
        channels: of the images.
        hidden: units of both layers.
        std: weights start from N(0, std²).
    """

    def __init__(self, latent_dim: int, image_size: int, channels: int, hidden: int, std: float) -> None:
        super().__init__()
        require_positive(hidden=hidden)
        self.latent_dim = latent_dim
        self.shape = (channels, image_size, image_size)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.Sigmoid(),
            nn.Linear(hidden, channels * image_size**2),
        )
        _init_normal(self, std)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W)."""
        return self.layers(z).unflatten(1, self.shape)  # type: ignore[no-any-return]


class BandGenerator(Generator):
    """Three convolutions of the enlarged image and a plane of noise to what the image lacks.

    7x7 to `width` maps, 7x7 to as many, ReLU after both, 5x5 to the channels, linear.

    Args:
        image_size: of this level's images, which are square; its square is the size of its part of z.
        channels: of the images.
        width: of the hidden maps.
    """

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        require_positive(width=width)
        self.latent_dim = image_size**2
        self.image_size = image_size
        self.layers = nn.Sequential(
            nn.Conv2d(channels + 1, width, 7, padding=3),
            nn.ReLU(),
            nn.Conv2d(width, width, 7, padding=3),
            nn.ReLU(),
            nn.Conv2d(width, channels, 5, padding=2),
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, H · W) and the enlarged image `coarse` (N, C, H, W) to l + h (N, C, H, W)."""
        coarse = given[COARSE]
        plane = z.view(-1, 1, self.image_size, self.image_size)
        return coarse + self.layers(torch.cat([plane, coarse], 1))  # type: ignore[no-any-return]


class CoarseDiscriminator(Discriminator):
    """Two hidden layers of ReLU and dropout.

    Args:
        image_size: of the coarsest images, which are square.
        channels: of the images.
        hidden: units of both layers.
        dropout: the share of units that are dropped in training.
        std: weights start from N(0, std²).
    """

    def __init__(self, image_size: int, channels: int, hidden: int, dropout: float, std: float) -> None:
        super().__init__()
        require_positive(hidden=hidden)
        sizes = [channels * image_size**2, hidden, hidden]
        self.hidden = nn.ModuleList(
            nn.Sequential(nn.Linear(a, b), nn.ReLU(), nn.Dropout(dropout)) for a, b in pairwise(sizes)
        )
        self.output = nn.Linear(hidden, 1)
        _init_normal(self, std)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return both hidden layers for images (N, C, H, W)."""
        first = self.hidden[0](x.flatten(1))
        return first, self.hidden[1](first)


class BandDiscriminator(Discriminator):
    """5x5 and 5x5 with stride 2, without padding, ReLU after both, dropout, linear.

    Args:
        image_size: of this level's images, which are square; at least 11.
        channels: of the images.
        width: of the hidden maps.
        dropout: the share of activations that are dropped before the last layer in training.
    """

    def __init__(self, image_size: int, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        require_positive(width=width)
        side = (image_size - 9) // 2 + 1
        if side < 1 or image_size < 9:
            raise ValueError(f"image_size={image_size}: a band's images have at least 9 pixels on each side")
        self.blocks = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(channels, width, 5), nn.ReLU()),
                nn.Sequential(nn.Conv2d(width, width, 5, 2), nn.ReLU(), nn.Dropout(dropout)),
            ]
        )
        self.output = nn.Linear(width * side**2, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after both convolutions for images l + h (N, C, H, W)."""
        first = self.blocks[0](x)
        return first, self.blocks[1](first)


def _init_normal(network: nn.Module, std: float) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            nn.init.zeros_(layer.bias)


class Pyramid(Generator):
    """All levels one after another, without parameters of its own.

    Args:
        generators: coarsest first.
    """

    def __init__(self, generators: list[nn.Module]) -> None:
        super().__init__()
        self._generators = tuple(generators)  # in a tuple, because the game has registered them already

    def parts(self, z: Tensor) -> tuple[Tensor, ...]:
        """Return the levels' parts of z (N, D)."""
        return z.split([cast(int, generator.latent_dim) for generator in self._generators], 1)  # type: ignore[no-any-return]

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, D) to images (N, C, H, W) of the finest level."""
        first, *further = self._generators
        z_first, *z_further = self.parts(z)
        x: Tensor = first(z_first)
        for generator, part in zip(further, z_further, strict=True):
            x = generator(part, None, {COARSE: doubled(x)})
        return x


class LAPGAN(Game):
    """A generator and a judge for each level of a Laplacian pyramid (Denton et al. 2015, arXiv 1506.05751).

    Networks are generator_0, discriminator_0 for the coarsest level, and so on; z has a part for each generator.
    """

    sampling_network = "pyramid"

    def make_players(self) -> list[Player]:
        """Return a judge and a generator for each level."""
        self.levels = sum(name.startswith("discriminator_") for name in self.networks)
        generators = [self.network(f"generator_{level}") for level in range(self.levels)]
        self.networks["pyramid"] = Pyramid(generators)
        self._see_that_z_fits(generators)
        return [
            Player(f"{team}_{level}", (f"{team}_{level}",), team, {str(level): team})
            for team in ("discriminator", "generator")
            for level in range(self.levels)
        ]

    def _see_that_z_fits(self, generators: list[nn.Module]) -> None:
        side = self.data.sample[-1]
        if not self.data.is_image or side != self.data.sample[1] or side % 2 ** (self.levels - 1):
            raise ConfigError(
                f"a pyramid of {self.levels} levels is of square images whose side is a multiple of "
                f"{2 ** (self.levels - 1)}, and the samples have the shape {self.data.sample}"
            )
        needed = sum(cast(int, generator.latent_dim) for generator in generators)
        drawn = getattr(self.prior, "dim", None)
        if drawn != needed:
            raise ConfigError(
                f"prior.dim={drawn}: the levels' parts of z have {needed} numbers; set prior.dim={needed}"
            )

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each level's real images, and those made for the enlarged real one before it, by level."""
        found = {}
        parts = cast(Pyramid, self.network("pyramid")).parts(latent.z)
        for level, (real, coarse) in enumerate(pyramid(batch.samples, self.levels)):
            own = latent._replace(z=parts[level], given=EMPTY if coarse is None else {COARSE: coarse})
            made = self.generate(own, f"generator_{level}")
            found[str(level)] = Pair(self.judge(f"discriminator_{level}"), batch, latent, made, real=real)
        return found
