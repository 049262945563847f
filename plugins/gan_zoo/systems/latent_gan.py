"""l-GAN (Achlioptas et al. 2018, arXiv 1707.02392): clouds of points, raw and as codes of an autoencoder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
)
from gan_zoo.chamfer import chamfer
from gan_zoo.layers import activations


def _linear_relu(sizes: list[int]) -> list[nn.Module]:
    return [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(sizes)]


class PointsGenerator(Generator):
    """Linear layers with ReLU to all points at once; the decoder of codes and the generator of clouds.

    Args:
        latent_dim: the size of z, or of a code.
        shape: of a cloud, (P, 3).
        hidden: the sizes of the hidden layers; [64, 128, 512, 1024] in the raw GAN, [256, 256] in the decoder.
    """

    def __init__(self, latent_dim: int, shape: list[int], hidden: list[int]) -> None:
        super().__init__()
        sizes = [latent_dim, *hidden]
        last = nn.Linear(sizes[-1], math.prod(shape))
        self.layers = nn.Sequential(*_linear_relu(sizes), last, nn.Unflatten(1, tuple(shape)))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to clouds (N, P, 3)."""
        clouds: Tensor = self.layers(z)
        return clouds


class PointsEncoder(nn.Module):
    """Linear layers, batch norm and ReLU on each point, and the greatest value over all points: no order matters.

    Args:
        widths: of the layers; [64, 128, 128, 256, 128] in the paper, the last one the size of a code.
    """

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b in pairwise([3, *widths]):
            layers += [nn.Conv1d(a, b, 1), nn.BatchNorm1d(b), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map clouds (N, P, 3) to codes (N, widths[-1])."""
        codes: Tensor = self.layers(x.transpose(1, 2)).amax(2)
        return codes


class PointsDiscriminator(Discriminator):
    """Linear layers with leaky ReLU on each point, the greatest value over all points, and linear layers.

    Args:
        widths: of the layers on points; [64, 128, 256, 256, 512] in the paper.
        hidden: the sizes of the layers after them; [128, 64] in the paper.
    """

    def __init__(self, widths: list[int], hidden: list[int]) -> None:
        super().__init__()
        self.points = nn.ModuleList(
            nn.Sequential(nn.Linear(a, b), nn.LeakyReLU(0.2)) for a, b in pairwise([3, *widths])
        )
        sizes = [widths[-1], *hidden]
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(a, b), nn.LeakyReLU(0.2)) for a, b in pairwise(sizes))
        self.output = nn.Linear(sizes[-1], 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the greatest values over points and the activations after every further layer, for (N, P, 3)."""
        for layer in self.points:
            x = layer(x)
        together = x.amax(1)
        return (together, *activations(self.blocks, together))


class CloudReconstruction(Term):
    """The chamfer distance of clouds and what the autoencoder makes of them, a mean over the batch."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance."""
        return chamfer(pair.made["reconstructed"].float(), pair.batch.samples).mean()


class LatentGAN(Game):
    """An autoencoder of clouds is trained first; then G makes codes, and D tells them from those of real clouds.

    The schedule's stages say how long: `autoencoder` alone, then `discriminator` and `generator`, which leave the
    autoencoder as it is.

    Args:
        components: what the game is made of.
    """

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        if len(self.data.sample) != 2 or self.data.sample[1] != 3:
            raise ConfigError(f"game=latent_gan makes clouds of points (P, 3), and the data are {self.data.sample}")
        self.player("autoencoder").add_term("reconstruction", CloudReconstruction(), 1.0)

    def make_players(self) -> list[Player]:
        """Return the autoencoder, D and G."""
        return [
            Player("autoencoder", ("encoder", "decoder")),
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("generator",), "generator", "generator"),
        ]

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return the clouds that the decoder makes of G's codes, and the `codes`."""
        codes = super().make(latent, network)[SAMPLES]
        with self.autocast():
            return {SAMPLES: self.network("decoder")(codes), "codes": codes}

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return codes of real clouds and made ones, and what the autoencoder makes of the real clouds."""
        codes = super().make(latent)[SAMPLES]
        with self.autocast():
            real = self.network("encoder")(batch.samples)
            reconstructed = self.network("decoder")(real)
        made = {"reconstructed": reconstructed}
        return Pair(self.judge("discriminator"), batch, latent, codes, real=real.detach(), made=made)
