"""ALAE: Pidhorskyi, Adjeroh & Doretto 2020, arXiv 2004.04467, its fully connected networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import (
    EMPTY,
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
from gan_zoo.equalised import SLOPE, EqualisedLinear, PixelNorm
from gan_zoo.layers import ImageSize, sample_shape
from gan_zoo.ranges import require_positive


class ALAE(Game):
    """G ∘ F against D ∘ E, and the code w = F(z) is found again by E (algorithm 1).

        E, D  -log(1 - σ(D E G F z)) - log σ(D E x)  + γ/2 E ‖∇_x D E x‖²        the term `r1` of the discriminator
        F, G  -log σ(D E G F z)
        E, G  E ‖F z - E G F z‖² / dim w,  F z held

    D ∘ E is the network `discriminator`, whose last features are w; E and G are players' networks of their own too.
    """

    def __init__(self, components: Components) -> None:
        networks = components.networks
        encodes, makes = networks.get("discriminator"), networks.get("generator")
        if not isinstance(encodes, ALAEDiscriminator) or not isinstance(makes, ALAEGenerator):
            raise ConfigError(
                "game=alae needs generator and discriminator of the name alae, which have parts of their own"
            )
        networks["encoder"], networks["synthesis"] = encodes.encoder, makes.synthesis
        super().__init__(components)
        self.player("autoencoder").add_term("latent_reconstruction", CodeReconstruction())

    def make_players(self) -> list[Player]:
        """Return D with E, G with F, and E with G."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("generator",), "generator", "generator"),
            Player("autoencoder", ("encoder", "synthesis")),
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and generated samples before D ∘ E, with the code w of the generated ones."""
        made = self.make(latent)
        return Pair(self.judge("discriminator"), batch, latent, made[SAMPLES], made=made)

    def code_of(self, x: Tensor) -> Tensor:
        """Return the codes w (N, K) of samples."""
        with self.autocast():
            w: Tensor = self.network("encoder")(x)
        return w.float()

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return what G makes of the codes of samples x (N, ...)."""
        network = self.networks[self.sampling_network]
        assert isinstance(network, Generator)
        with self.autocast():
            return network.synthesise(self.code_of(x))


class CodeReconstruction(Term):
    """‖w - E(G(w))‖², a mean over entries and samples; w does not move."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean square of what E lacks of the codes of generated samples."""
        w = pair.made["w"].detach()
        with self.game.autocast():
            made = self.game.network("synthesis")(w)
            found: Tensor = self.game.network("encoder")(made)
        return (found.to(pair.real.dtype) - w.to(pair.real.dtype)).square().mean()


def _layers(sizes: list[int], rate: float, last: bool) -> nn.Sequential:
    """Return layers of these sizes with leaky ReLU 0.2 between, and after the last one if wanted.

    The layers are equalised, with the gain √2 before an activation and 1 at a network's end.
    """
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(pairwise(sizes), 2):
        gain = math.sqrt(2) if last or number < len(sizes) else 1.0
        layers += [EqualisedLinear(inputs, outputs, gain, rate), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*(layers if last else layers[:-1]))


class _Image(nn.Module):
    """G: w to a sample."""

    def __init__(self, sizes: list[int], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.layers = _layers([*sizes, math.prod(shape)], 1.0, last=False)

    def forward(self, w: Tensor) -> Tensor:
        made: Tensor = self.layers(w).tanh().unflatten(1, self.shape)
        return made


class ALAEGenerator(Generator):
    """F, layers of the size of z with a tenth of the learning rate, then G; z is divided by its root mean square.

    The authors' program has no bound at G's end; here it is a tanh.

    Args:
        latent_dim: the size of z and of w.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        mapping: how many layers F has; 6 in the paper.
        hidden: the sizes of G's hidden layers; [1024, 1024] in the paper.
    """

    def __init__(
        self, latent_dim: int, image_size: ImageSize | None, channels: int, mapping: int, hidden: list[int]
    ) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, mapping=mapping)
        self.norm = PixelNorm()
        self.mapping = _layers([latent_dim] * (mapping + 1), 0.1, last=True)
        self.synthesis = _Image([latent_dim, *hidden], sample_shape(channels, image_size))

    def map(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to w (N, latent_dim)."""
        w: Tensor = self.mapping(self.norm(z))
        return w

    def synthesise(self, w: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map w (N, latent_dim) to samples (N, ...) in [-1, 1]."""
        made: Tensor = self.synthesis(w)
        return made

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to samples (N, ...) in [-1, 1]."""
        return self.synthesise(self.map(z))

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the samples and their codes w, as constants."""
        with torch.no_grad():
            w = self.map(z)
        return {SAMPLES: self(z), "w": w}


class ALAEDiscriminator(Discriminator):
    """E, from a sample to w with leaky ReLU at its end too, then D, with a tenth of the learning rate.

    The published D has nothing between its layers, and is linear in w; `activation` puts leaky ReLU there, as the paper
    has it.

    Args:
        latent_dim: the size of w.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of E's hidden layers; [1024, 1024] in the paper.
        layers: how many layers D has; 3 in the paper.
        activation: whether there are activations between D's layers.
    """

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        layers: int,
        activation: bool,
    ) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, layers=layers)
        sizes = [math.prod(sample_shape(channels, image_size)), *hidden, latent_dim]
        self.encoder = nn.Sequential(nn.Flatten(), _layers(sizes, 1.0, last=True))
        last = _layers([latent_dim] * layers + [1], 0.1, last=False)
        self.output = last if activation else nn.Sequential(*(one for one in last if isinstance(one, EqualisedLinear)))

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return w (N, latent_dim) of samples x (N, ...)."""
        return (self.encoder(x),)
