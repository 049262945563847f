"""MPM-GAN (Ghosh, Kulharia & Namboodiri 2016, arXiv 1612.01294): two generators that send each other messages."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import (
    EMPTY,
    MAIN,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.layers import ACTIVATIONS, OUTPUTS, ImageSize, choose, init_scaled, sample_shape
from gan_zoo.priors.components import component_of, require_components, split

RIVALS = "rivals"
"""The pair of what both generators make of the same noise: the second one's samples in the place of real ones."""

TWO = 2


class Rivalry(Term):
    """E max(0, D(G_2) - D(G_1)) + E max(0, D(G_1) - D(G_2)), the better one held, of logits.

    What the generators pay is the competing objective: each wants to be as good as the other. What the messages' layers
    pay is the conceding one: of each the message wants the other, whom it is sent to, to be as good. As numbers they
    are the same, the difference of both.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return by how much the worse of each two samples falls short."""
        first, second = pair.fake_output.scores, pair.real_output.scores
        return ((second.detach() - first).relu() + (first.detach() - second).relu()).mean()


class TalkingGenerator(Generator):
    """Two fully connected networks of noise and a message.

    The last two entries of z, one-hot, say which makes a sample.

    Args:
        latent_dim: the size of z, the code of the component included.
        message: the size of a message.
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the hidden layers; the first one's activations are what messages are made of.
        activation: after each hidden layer.
        output: `sigmoid` (rescaled to [-1, 1]), `tanh`, or `linear` for vectors.
    """

    def __init__(
        self,
        latent_dim: int,
        message: int,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        activation: str,
        output: str,
    ) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("hidden=[]: messages are made of the first hidden layer, and there is none")
        self.shape = sample_shape(channels, image_size)
        self.message = message
        size = torch.Size(self.shape).numel()

        def layer(inputs: int, outputs: int) -> nn.Module:
            return nn.Sequential(nn.Linear(inputs, outputs), choose(ACTIVATIONS, "activation", activation))

        self.first = nn.ModuleList(layer(latent_dim - TWO + message, hidden[0]) for _ in range(TWO))
        self.rest = nn.ModuleList(
            nn.Sequential(
                *(layer(inputs, outputs) for inputs, outputs in pairwise(hidden)),
                nn.Linear(hidden[-1], size),
                choose(OUTPUTS, "output", output),
            )
            for _ in range(TWO)
        )
        init_scaled(self, "he")

    def features(self, z: Tensor, message: Tensor) -> Tensor:
        """Return the first hidden layer (N, hidden) of the network that makes each sample."""
        noise, component = split(z, TWO)
        heard = torch.cat([noise, message], dim=1)
        return _chosen(component, [first(heard) for first in self.first])

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim), and the given `message` (N, message) or none, to samples (N, ...)."""
        message = given["message"] if "message" in given else z.new_zeros(z.shape[0], self.message)
        features = self.features(z, message)
        _, component = split(z, TWO)
        made: Tensor = _chosen(component, [rest(features) for rest in self.rest]).unflatten(1, self.shape)
        return made


def _chosen(component: Tensor, of_both: list[Tensor]) -> Tensor:
    return torch.where((component == 0)[:, None], of_both[0], of_both[1])


class Messages(nn.Module):
    """A linear map of each generator's features to what it tells the other.

    Args:
        features: the size of the features.
        message: the size of a message.
    """

    def __init__(self, features: int, message: int) -> None:
        super().__init__()
        self.of = nn.ModuleList(nn.Linear(features, message) for _ in range(TWO))

    def forward(self, features: Tensor, component: Tensor) -> Tensor:
        """Return the messages (N, message) of the generators (N,) with these features (N, features)."""
        return _chosen(component, [layer(features) for layer in self.of])


class MPMGAN(Game):
    """Two generators before one discriminator; each hears of the other what that made of the same noise.

    First both make features of noise without a message, then each gets the other's message beside it. G pays its loss
    and the competing objective, the layers of the messages, the network `messages`, pay the conceding one (`Rivalry`).
    The paper gives neither sizes nor a program; where messages enter, and that D's logits are compared, is our reading.

    Args:
        components: what the game is made of.
        competing: the weight of the competing objective.
        conceding: the weight of the conceding one.
    """

    def __init__(self, components: Components, competing: float, conceding: float) -> None:
        super().__init__(components)
        self.several = require_components("mpm_gan", self.prior)
        if self.several.components != TWO:
            raise ConfigError(f"game=mpm_gan has two generators: set prior.components=2, not {self.several.components}")
        if not isinstance(self.generator, TalkingGenerator):
            raise ConfigError(
                f"game=mpm_gan sends messages, and {type(self.generator).__name__} hears none: set generator=talking"
            )
        for name, weight in (("generator", competing), ("messages", conceding)):
            self.player(name).add_term("rivalry", Rivalry(), plan=TermPlan(weight, pairs=(RIVALS,)))

    def make_players(self) -> list[Player]:
        """Return D, G, and the layers of the messages."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", {MAIN: "discriminator"}),
            Player("generator", ("generator",), "generator", {MAIN: "generator"}),
            Player("messages", ("messages",)),
        ]

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return the samples of latents, each made of the noise and of the other generator's message."""
        net, component = self.network(network), component_of(latent)
        if not isinstance(net, TalkingGenerator):
            return super().make(latent, network)
        with self.autocast():
            other = self.several.choose(latent, 1 - component)
            silence = latent.z.new_zeros(len(latent.z), net.message)
            message = self.network("messages")(net.features(other.z, silence), 1 - component)
            return {SAMPLES: net(latent.z, latent.labels, {"message": message})}

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return real and generated samples, and what both generators make of the same noise."""
        judge = self.judge("discriminator")
        first, second = (self.generate(one) for one in self.several.vary(latent, "component"))
        made = torch.where(component_of(latent).view(-1, *[1] * (first.ndim - 1)) == 0, first, second)
        return {
            MAIN: Pair(judge, batch, latent, made),
            RIVALS: Pair(judge, batch, latent, first, real=second),
        }
