"""DTN (Taigman et al. 2016, arXiv 1611.02200): images of another domain in which a function sees the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    DiscriminatorOutput,
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
)
from gan_zoo.chained import Chained
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.games.cycle import A
from gan_zoo.layers import ImageSize, activations, init_normal
from gan_zoo.perceiving import FeatureClassifier, TrainOnClasses
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import total_variation

SEEN = "seen"
SAME = "same"
ORIGINS = 3
"""What D tells apart: G(a), G(b), b."""


class MapGenerator(Generator):
    """Transposed convolutions from the last map of f, doubled three times, to images (section 4.1, g).

    Args:
        channels: of the images.
        inputs: channels of the map.
        width: of the last layer but one; each before has twice as many.
    """

    def __init__(self, channels: int, inputs: int, width: int) -> None:
        super().__init__()
        require_positive(channels=channels, inputs=inputs, width=width)
        layers: list[nn.Module] = []
        for wide, narrow in ((inputs, 4 * width), (4 * width, 2 * width), (2 * width, width)):
            layers += [nn.ConvTranspose2d(wide, narrow, 4, 2, 1), nn.BatchNorm2d(narrow), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1), nn.Tanh())
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `seen` (N, inputs, H/8, W/8) to images (N, channels, H, W) in [-1, 1]."""
        made: Tensor = self.layers(given[SEEN])
        return made


class Composed(Chained):
    """g after f, without parameters of its own.

    Args:
        f: sees what is in images.
        g: makes images of it.
    """

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the images `a` (N, C, H, W) to images of the other domain."""
        f, g = cast(FeatureClassifier, self.links[0]), self.links[1]
        made: Tensor = g(z, labels, {SEEN: activations(f.blocks, given[A])[-1]})
        return made


class OriginDiscriminator(Discriminator):
    """DCGAN's discriminator with three logits (N, 3): made of A, made of B, real (equation 4).

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
        norm: `batch`, `layer`, `instance` or `none`.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, norm: str) -> None:
        super().__init__()
        trunk = DCGANDiscriminator(image_size, channels, width, norm)
        assert isinstance(trunk.output, nn.Linear)
        self.blocks = trunk.blocks
        self.output = nn.Linear(trunk.output.in_features, ORIGINS)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Return the three logits of images."""
        features = self.features(x, labels)
        last = features[-1].flatten(1)
        return DiscriminatorOutput(self.output(last), features, {name: head(last) for name, head in self.heads.items()})


def origin(logits: Tensor, number: int) -> Tensor:
    """Return -log D_number, a mean over samples, of logits (N, 3)."""
    return -F.log_softmax(logits, 1)[:, number].mean()


class Origins(Term):
    """D: -log D₁(G(a)) - log D₂(G(b)) - log D₃(b); G: -log D₃(G(a)) - log D₃(G(b)) (equations 4 and 5)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the player's side."""
        of_same = pair.judge(pair.made[SAME]).logits
        if player.team != "discriminator":
            return origin(pair.fake_output.logits, 2) + origin(of_same, 2)
        return origin(pair.fake_output.logits, 0) + origin(of_same, 1) + origin(pair.real_output.logits, 2)


class Constancy(Term):
    """mean (f(a) - f(G(a)))², f the classifier's hidden layer (equation 6)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for what was made of A."""
        f = cast(FeatureClassifier, self.game.network("f"))
        with torch.no_grad():
            wanted = f.layers(pair.latent.given[A])[-1]
        return (f.layers(pair.fake.float())[-1] - wanted).square().mean()


class Fixed(Term):
    """mean (b - G(b))²: images of B stay as they are (equation 7)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the real images."""
        return (pair.made[SAME].float() - pair.real).square().mean()


class Smoothness(Term):
    """The total variation of what was made of A."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        return total_variation(pair.fake.float())


class DTN(Game):
    """G = g ∘ f, with f a classifier of A's classes that is trained before the first step and then frozen.

    D minimises -log D₁(G(a)) - log D₂(G(b)) - log D₃(b); G minimises -log D₃(G(a)) - log D₃(G(b)) + constancy
    |f(a) - f(G(a))|² + identity |b - G(b)|² + total_variation TV (equations 3 to 8). B are the data, A the further
    source `a`.

    Args:
        components: what the game is made of.
        constancy: α; 15 for digits and 100 for faces in the paper.
        identity: β; 15 and 1.
        total_variation: γ; 0 and 0.05.
        classifier_steps: batches on which f is trained.
        classifier_lr: its learning rate.
    """

    sampling_network = "composed"
    generates_from = A

    def __init__(
        self,
        components: Components,
        constancy: float,
        identity: float,
        total_variation: float,
        classifier_steps: int,
        classifier_lr: float,
    ) -> None:
        weights = {"constancy": constancy, "identity": identity, "total_variation": total_variation}
        require_not_negative(**weights)
        super().__init__(components)
        self.player("discriminator").add_term("origins", Origins())
        generator = self.player("generator")
        generator.add_term("origins", Origins())
        terms: dict[str, Term] = {"constancy": Constancy(), "identity": Fixed(), "total_variation": Smoothness()}
        for name, weight in weights.items():
            if weight:
                generator.add_term(name, terms[name], weight)
        self.openings.append(
            TrainOnClasses(self.network("f"), classifier_steps, classifier_lr, lambda batch: batch.others[A])
        )

    def make_players(self) -> list[Player]:
        """Return D and g; both have terms alone."""
        self.networks["composed"] = Composed(self.network("f"), self.network("generator"))
        return [Player(name, (name,), name) for name in ("discriminator", "generator")]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images of A."""
        images = batch.others[A].samples
        return self.latent(len(images))._replace(given={A: images})

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the images of B, and what is made of A's; beside these what is made of B's own."""
        made = self.generate(latent, "composed")
        same = self.generate(latent._replace(given={A: batch.samples}), "composed")
        pair = Pair(self.judge("discriminator"), batch, latent, made, made={SAME: same})
        pair.real_labels = None
        return pair

    def check(self) -> None:
        """See that there are two domains of images with classes in A.

        Raises:
            ConfigError: there are not.
        """
        found = self.data.others.get(A)
        if found is None or not found.num_classes or found.sample != self.data.sample:
            raise ConfigError(
                f"dtn makes samples of those of another source with classes, `sources.{A}`, of the same shape, and "
                f"{'there is none' if found is None else f'that has {found.sample}'}: choose data=digit_domains"
            )
        super().check()
