"""CausalGAN (Kocaoglu et al. 2017, arXiv 1709.02023): labels that cause each other, and images of them.

A controller, whose layers have the form of a causal graph, learns the labels' distribution; bits can be set in it from
outside. Then a generator makes images of its labels, with a labeler that is taught by real images and an anti-labeler
that is taught by generated ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Generator,
    Judge,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.causal_graph import ordered
from gan_zoo.describing import ATTRIBUTES
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.layers import ImageSize, init_normal
from gan_zoo.ranges import require_above_zero, require_not_negative, require_positive
from gan_zoo.terms.gradient_penalty import GradientPenalty

BITS, IMAGES = "bits", "images"
CONTROLLER, CRITIC = "generator_labels", "discriminator_labels"
FINDER = "finder"
"""The network, and the player, that finds z in what D sees of generated images."""

LOGIT = math.log(0.7 / 0.3)
"""What stands for a bit that is 1 among what the generator is given, as in the authors' program; its negative for 0."""


class Controller(Generator):
    """X_i = σ(f_i(causes of X_i, n_i)), an MLP of two hidden layers for each bit, causes first (section 4.2).

    Args:
        graph: the bits, each with the names of its causes behind it: [[a], [b, a]].
        noise: the size of each n_i.
        hidden: units of both layers.
    """

    def __init__(self, graph: list[list[str]], noise: int, hidden: int) -> None:
        super().__init__()
        require_positive(noise=noise, hidden=hidden)
        self.causes = ordered(graph)
        self.noise = noise
        self.latent_dim = noise * len(self.causes)
        self.functions = nn.ModuleList(
            nn.Sequential(
                nn.Linear(len(causes) + noise, hidden),
                nn.Tanh(),
                nn.Linear(hidden, hidden),
                nn.Tanh(),
                nn.Linear(hidden, 1),
                nn.Sigmoid(),
            )
            for causes in self.causes.values()
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, do: Mapping[str, float] = EMPTY) -> Tensor:
        """Map the noise of all bits (N, bits * noise) to bits (N, bits) between 0 and 1.

        Args:
            z: the noise.
            labels: not read.
            do: bits that are set from outside, whatever causes them.
        """
        made: dict[str, Tensor] = {}
        for (name, causes), function, noise in zip(
            self.causes.items(), self.functions, z.split(self.noise, 1), strict=True
        ):
            value = function(torch.cat([*(made[cause] for cause in causes), noise], 1))
            made[name] = torch.full_like(value, do[name]) if name in do else value
        return torch.cat([*made.values()], 1)


class Labeler(nn.Module):
    """DCGAN's layers and a logit for each bit.

    Args:
        bits: how many.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
    """

    def __init__(self, bits: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        require_positive(bits=bits)
        trunk = DCGANDiscriminator(image_size, channels, width, "batch")
        self.layers = nn.Sequential(*trunk.blocks, nn.Flatten(), nn.Linear(cast(int, trunk.output.in_features), bits))
        init_normal(self, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to logits (N, bits)."""
        logits: Tensor = self.layers(x)
        return logits


class LatentFinder(nn.Module):
    """Reads the generator's z off the maps of D's second block: convolutions that halve them to one pixel, and tanh.

    Args:
        of_width: the width of D, whose second block has twice as many channels.
        image_size: of square images, four times a power of two.
        width: channels of the first layer.
        latent_dim: the size of the generator's z.
    """

    def __init__(self, of_width: int, image_size: int, width: int, latent_dim: int) -> None:
        super().__init__()
        require_positive(of_width=of_width, width=width, latent_dim=latent_dim)
        side = image_size // 4
        if side < 2 or image_size % 4 or side & (side - 1):
            raise ValueError(
                f"image_size={image_size}: maps of a quarter of its side are halved to one pixel; choose 32"
            )
        layers: list[nn.Module] = []
        inputs = 2 * of_width
        for number in range(side.bit_length() - 1):
            layers.append(nn.Conv2d(inputs, width << number, 4, 2, 1))
            if number:
                layers.append(nn.BatchNorm2d(width << number))
            layers.append(nn.LeakyReLU(0.2))
            inputs = width << number
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs, latent_dim), nn.Tanh())
        init_normal(self, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map D's maps (N, 2 of_width, H, W) to latents (N, latent_dim) in (-1, 1)."""
        found: Tensor = self.layers(x)
        return found


def label_loss(logits: Tensor, bits: Tensor, swapped: float | None = None) -> Tensor:
    """Return the mean binary cross entropy of logits and bits (N, B).

    Args:
        logits: a labeler's.
        bits: 0 or 1.
        swapped: None, or the size of the logits that stand for the bits: the arguments then change places, so that the
            labeler's probabilities are the target.
    """
    if swapped is None:
        return F.binary_cross_entropy_with_logits(logits, bits)
    return F.binary_cross_entropy_with_logits(swapped * (2 * bits - 1), logits.sigmoid())


class CriticTerm(Term):
    """The Wasserstein loss of bits: E f(made) - E f(real) for the critic, -E f(made) for the controller."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's bits."""
        made = pair.fake_output.logits.mean()
        return made - pair.real_output.logits.mean() if player.team == "discriminator" else -made


class FoundTerm(Term):
    """mean (z - F(D₂(g)))², what the finder F misses of the generator's z in the maps of D's second block."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        maps = pair.fake_output.features[1]
        with self.game.autocast():
            found: Tensor = self.game.network(FINDER)(maps)
        z = pair.latent.z[:, : found.shape[1]]
        return (z - found.to(z.dtype)).square().mean()


class LabelTerm(Term):
    """What a labeler's mistakes cost: itself on the images that teach it, the generator on its own.

    Args:
        network: `labeler`, taught by real images, or `anti_labeler`, taught by generated ones.
        swapped: see `label_loss`; for the generator alone.
        decay: the updates τ in which the generator's weight falls to 1/e; None where it stays. It is -exp(-t/τ) for the
            anti-labeler, which the generator is to mislead at first.
    """

    def __init__(self, network: str, swapped: float | None = None, decay: float | None = None) -> None:
        super().__init__()
        self.network = network
        self.swapped = swapped
        self.decay = decay

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        labeler, made = self.game.network(self.network), pair.made["labels"]
        with self.game.autocast():
            if player.name == "labeler":
                logits, bits = labeler(pair.real), pair.batch.extra[ATTRIBUTES]
            elif player.name == "anti_labeler":
                logits, bits = labeler(pair.fake.detach()), made
            else:
                logits, bits = labeler(pair.fake), made
        weight = 1.0 if self.decay is None else -math.exp(-player.updates / self.decay)
        return weight * label_loss(logits.float() if logits.dtype != torch.float64 else logits, bits, self.swapped)


class CausalGAN(Game):
    """A controller of labels, then images of its labels (sections 4, 5); `schedule=stages` trains one after the other.

    The controller and its critic minimise WGAN-GP's losses. Then D tells real from generated images (the configured
    loss), the labeler minimises E_r BCE(L(x), y), the anti-labeler E_f BCE(L̄(g), y), and the generator

        its part of the loss + E_f BCE(L(g), y) - exp(-t/τ) E_f BCE(L̄(g), y) + E_f mean (z - F(D₂(g)))²

    where the last summand, and the player that trains F, are there if there is a network `finder`. z has a part for the
    generator, and after it one for the controller. Labels are what the controller makes, rounded; the generator is
    given the logits of 0.7 and 0.3 for them (in the authors' program with noise).

    Args:
        components: what the game is made of.
        penalty: the weight of the gradient penalty of the labels' critic.
        anti_decay: τ, in updates of the generator.
        swapped: null for these cross entropies; a number s for exchanged arguments in the generator's, as in the
            authors' program, whose labels are 0.3 and 0.7 with noise, so that s is log(0.7 / 0.3) = 0.85.
    """

    generates_from = ATTRIBUTES
    needs: ClassVar[tuple[str, ...]] = (ATTRIBUTES,)

    def __init__(self, components: Components, penalty: float, anti_decay: float, swapped: float | None) -> None:
        require_not_negative(penalty=penalty)
        require_above_zero(anti_decay=anti_decay)
        if swapped is not None and not swapped > 0:
            raise ValueError(f"swapped={swapped}: a positive number, or null")
        super().__init__(components)
        critic = self.player(CRITIC)
        bits = (BITS,)
        critic.add_term("critic", CriticTerm(), plan=TermPlan(pairs=bits))
        if penalty:
            critic.add_term("penalty", GradientPenalty(False), plan=TermPlan(penalty, pairs=bits))
        self.player(CONTROLLER).add_term("critic", CriticTerm(), plan=TermPlan(pairs=bits))
        on_images = TermPlan(pairs=(IMAGES,))
        for name in ("labeler", "anti_labeler"):
            self.player(name).add_term("labels", LabelTerm(name), plan=on_images)
        generator = self.player("generator")
        generator.add_term("labels", LabelTerm("labeler", swapped), plan=on_images)
        generator.add_term("anti_labels", LabelTerm("anti_labeler", swapped, anti_decay), plan=on_images)
        if FINDER in self.networks:
            for name in (FINDER, "generator"):
                self.player(name).add_term("found", FoundTerm(), plan=on_images)

    def make_players(self) -> list[Player]:
        """Return the critic and the controller, then D, both labelers, the finder, if there is one, and G."""
        finders = [Player(FINDER, (FINDER,))] if FINDER in self.networks else []
        return [
            Player(CRITIC, (CRITIC,), "discriminator"),
            Player(CONTROLLER, (CONTROLLER,), "generator"),
            Player("discriminator", ("discriminator",), "discriminator", {IMAGES: "discriminator"}),
            Player("labeler", ("labeler",)),
            Player("anti_labeler", ("anti_labeler",)),
            *finders,
            Player("generator", ("generator",), "generator", {IMAGES: "generator"}),
        ]

    @property
    def controller(self) -> Controller:
        """The controller."""
        return cast(Controller, self.network(CONTROLLER))

    def latent_for(self, batch: Batch) -> Latent:
        """Return z, and the labels of the batch; training takes the controller's in their place."""
        return super().latent_for(batch)._replace(given={ATTRIBUTES: batch.extra[ATTRIBUTES]})

    def make(self, latent: Latent, network: str = "generator") -> Mapping[str, Tensor]:
        """Return bits, or images, of the network's own part of z."""
        images, noise = latent.z.split([latent.z.shape[1] - self.controller.latent_dim, self.controller.latent_dim], 1)
        if network == CONTROLLER:
            return super().make(Latent(noise), network)
        logits = LOGIT * (2 * latent.given[ATTRIBUTES] - 1)
        return super().make(latent._replace(z=images, given={ATTRIBUTES: logits}), network)

    def labels(self, latent: Latent, do: Mapping[str, float] = EMPTY) -> Tensor:
        """Return the controller's labels (N, bits), 0 or 1, with some of them set from outside."""
        noise = latent.z[:, -self.controller.latent_dim :]
        with torch.no_grad():
            return cast(Tensor, self.controller(noise, None, do)).round()

    def intervened(self, latent: Latent, do: Mapping[str, float]) -> tuple[Tensor, Tensor]:
        """Return labels with some of them set from outside, and their images (N, C, H, W) in [-1, 1]."""
        labels = self.labels(latent, do)
        return labels, self.sample(latent._replace(given={ATTRIBUTES: labels}))

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return bits and images, or, in a stage in which nobody faces either, the other alone."""
        trained = self._trained()
        found: dict[str, Pair] = {}
        if BITS in trained:
            judge: Judge = self.judge(CRITIC)
            judge.transforms = ()  # those of images
            made = self.make(latent, CONTROLLER)
            found[BITS] = Pair(judge, batch, latent, made[SAMPLES], real=batch.extra[ATTRIBUTES], made=made)
        if IMAGES in trained:
            labels = self.labels(latent)
            of_labels = latent._replace(given={ATTRIBUTES: labels})
            made = {**self.make(of_labels), "labels": labels}
            found[IMAGES] = Pair(self.judge("discriminator"), batch, of_labels, made[SAMPLES], made=made)
        return found

    def _trained(self) -> set[str]:
        stages = getattr(self.schedule, "stages", None)
        if not stages or not self.networks.training:
            return {BITS, IMAGES}
        players = {*stages[self.schedule.stage].players}
        bits = {CRITIC, CONTROLLER}
        return ({BITS} if players & bits else set()) | ({IMAGES} if players - bits else set())

    def check(self) -> None:
        """See that there are labels, and a bit of the graph for each.

        Raises:
            ConfigError: there are not, or z is too short.
        """
        shape = self.data.extra.get(ATTRIBUTES)
        if shape is None:
            found = ", ".join(self.data.extra) or "nothing"
            raise ConfigError(
                f"CausalGAN learns the {ATTRIBUTES!r} of samples, and with those of these data comes {found}: choose "
                "data=causal_shapes"
            )
        names = [*self.controller.causes]
        if (len(names),) != tuple(shape):
            raise ConfigError(
                f"networks.{CONTROLLER}.graph has {len(names)} bits ({', '.join(names)}), and the data have {shape[0]}"
            )
        needed, drawn = self.controller.latent_dim, getattr(self.prior, "dim", 0)
        if drawn <= needed:
            raise ConfigError(
                f"prior.dim={drawn}: the controller takes {needed} numbers of z, and the generator the others; set more"
            )
        super().check()
