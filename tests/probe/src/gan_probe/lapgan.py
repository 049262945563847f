"""LAPGAN (Denton et al. 2015, arXiv 1506.05751): a game at each level of a Laplacian pyramid."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, Batch, Discriminator, Game, Generator, Latent, Pair, Player


def halved(x: Tensor) -> Tensor:
    """Return images of half the size."""
    return F.avg_pool2d(x, 2)


def doubled(x: Tensor) -> Tensor:
    """Return images of twice the size."""
    return F.interpolate(x, scale_factor=2)


class LAPGAN(Game):
    """Level 0 makes the coarsest images, each further one the residual that belongs to the one before, enlarged.

    The levels learn by themselves, on real coarse images (Algorithm 1); samples go through all of them (equation 4).
    """

    sampling_network = "pyramid"

    def make_players(self) -> list[Player]:
        """Return a judge and a generator for each level."""
        self.levels = sum(name.startswith("discriminator_") for name in self.networks)
        generators = [self.network(f"generator_{level}") for level in range(self.levels)]
        self.networks["pyramid"] = Pyramid(generators)
        return [
            Player(f"{team}_{level}", (f"{team}_{level}",), team, {str(level): team})
            for team in ("discriminator", "generator")
            for level in range(self.levels)
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each level's residuals before its judge, together with the coarse images that they belong to."""
        found, x = {}, batch.samples
        for level in range(self.levels - 1, -1, -1):
            smaller = halved(x) if level else None
            coarse = doubled(smaller) if level else None
            given = (coarse,) if coarse is not None else ()
            inputs = latent._replace(given={"coarse": coarse}) if level else latent
            made, real = self.generate(inputs, f"generator_{level}"), x - coarse if level else x
            judge = self.judge(f"discriminator_{level}")
            found[str(level)] = Pair(judge, batch, latent, made, real=real, real_given=given, fake_given=given)
            x = smaller
        return found


class Pyramid(Generator):
    """All levels one after another, without parameters of its own."""

    def __init__(self, generators: list[nn.Module]) -> None:
        super().__init__()
        self._generators = tuple(generators)  # in a tuple, because the game has registered them already

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images of the finest level."""
        first, *further = self._generators
        x = first(z, labels)
        for generator in further:
            coarse = doubled(x)
            x = coarse + generator(z, labels, {"coarse": coarse})
        return x


class Level(Generator):
    """A linear layer from z, and the coarse image where there is one, to an image.

    Args:
        latent_dim: the size of z.
        size: of square images.
        coarse: whether there is a coarse image.
    """

    def __init__(self, latent_dim: int, size: int, coarse: bool) -> None:
        super().__init__()
        self.size = size
        self.layer = nn.Linear(latent_dim + coarse * size**2, size**2)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) to images (N, 1, size, size)."""
        inputs = [z, *(coarse.flatten(1) for coarse in given.values())]
        made: Tensor = self.layer(torch.cat(inputs, dim=1))
        return made.unflatten(1, (1, self.size, self.size))


class LevelJudge(Discriminator):
    """One hidden layer of tanh on a residual and the coarse image, where there is one.

    Args:
        size: of square images.
        coarse: whether there is a coarse image.
        hidden: the size of the hidden layer.
    """

    def __init__(self, size: int, coarse: bool, hidden: int) -> None:
        super().__init__()
        self.inner = nn.Linear((1 + coarse) * size**2, hidden)
        self.output = nn.Linear(hidden, 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the hidden layer (N, hidden)."""
        return (torch.tanh(self.inner(torch.cat([part.flatten(1) for part in (x, *given)], dim=1))),)
