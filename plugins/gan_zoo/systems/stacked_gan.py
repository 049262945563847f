"""Stacked GAN (Huang et al. 2016, arXiv 1612.04357): generators that turn a classifier round, level by level.

A classifier E, trained before the first step and then frozen, maps an image x to features h and these to a class y.
generator_1 makes h of y and z_1, generator_0 makes x of h and z_0. Each level has a judge with a further head that
tells z back (the entropy loss), and each generator is to make what E finds its input in again (the conditional loss).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
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
    Game,
    Generator,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
)
from gan_zoo.chained import Chained
from gan_zoo.layers import ImageSize, SigmoidImage, as_weights, init_normal, one_hot, sides
from gan_zoo.layers import given as labels_given
from gan_zoo.perceiving import TrainOnClasses
from gan_zoo.ranges import require_not_negative, require_positive

FEATURES = "features"
"""The name of the classifier's features among what the image's generator is given, and of their pair."""

IMAGES = "images"
SIZE = 28


class Encoder(nn.Module):
    """Two 5x5 convolutions without padding, each with ReLU and 2x2 maxima, h of ReLU, and class logits.

    Args:
        num_classes: the number of classes.
        image_size: of the images; at least 16 pixels on each side.
        channels: of the images.
        feature_dim: the size of h.
    """

    def __init__(self, num_classes: int, image_size: ImageSize, channels: int, feature_dim: int) -> None:
        super().__init__()
        left = [((side - 4) // 2 - 4) // 2 for side in sides(image_size)]
        if min(left) < 1:
            raise ValueError(f"image_size={image_size}: the sizes that fit have at least 16 pixels on each side")
        self.feature_dim = feature_dim
        self.trunk = nn.Sequential(
            nn.Conv2d(channels, 32, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * left[0] * left[1], feature_dim),
            nn.ReLU(),
        )
        self.output = nn.Linear(feature_dim, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) to h (N, feature_dim)."""
        h: Tensor = self.trunk(x)
        return h


class FeatureGenerator(Generator):
    """z_1 and the class through two layers of 512 with batch norm and ReLU, to h of ReLU.

    Args:
        latent_dim: the size of z_1.
        num_classes: the number of classes.
        feature_dim: the size of h.
        hidden: units of both layers.
    """

    conditional = True

    def __init__(self, latent_dim: int, num_classes: int, feature_dim: int, hidden: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.layers = nn.Sequential(
            nn.Linear(latent_dim + num_classes, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, feature_dim),
            nn.ReLU(),
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z_1 (N, latent_dim) and classes (N,) to h (N, feature_dim)."""
        classes = one_hot(labels_given(labels), self.num_classes).to(z.dtype)
        h: Tensor = self.layers(torch.cat([z, classes], 1))
        return h


class ImageGenerator(Generator):
    """h and z_0 to 4x4 maps, then transposed 5x5 convolutions: 4, 8, 12, 24, 28 pixels; sigmoid.

    Args:
        latent_dim: the size of z_0.
        feature_dim: the size of h.
        image_size: 28.
        channels: of the images.
        width: of the maps of 12 pixels; those before have twice as many.
    """

    def __init__(self, latent_dim: int, feature_dim: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        if sides(image_size) != (SIZE, SIZE):
            raise ValueError(f"image_size={image_size}: the maps grow to images of {SIZE} pixels alone")
        self.latent_dim = latent_dim
        wide = 2 * width
        self.noise = nn.Sequential(nn.Linear(latent_dim, 128), nn.BatchNorm1d(128), nn.ReLU())
        self.start = nn.Sequential(
            nn.Linear(feature_dim + 128, wide * 16), nn.BatchNorm1d(wide * 16), nn.ReLU(), nn.Unflatten(1, (wide, 4, 4))
        )
        self.layers = nn.Sequential(
            *self._grown(nn.ConvTranspose2d(wide, wide, 5, 2, 2, output_padding=1), wide),
            *self._grown(nn.ConvTranspose2d(wide, width, 5), width),
            *self._grown(nn.ConvTranspose2d(width, width, 5, 2, 2, output_padding=1), width),
            nn.ConvTranspose2d(width, channels, 5),
            SigmoidImage(),
        )
        init_normal(self, 0.02)

    @staticmethod
    def _grown(convolution: nn.Module, width: int) -> list[nn.Module]:
        return [convolution, nn.BatchNorm2d(width), nn.ReLU()]

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z_0 (N, latent_dim) and `features` (N, feature_dim) to images (N, C, 28, 28) in [-1, 1]."""
        x: Tensor = self.layers(self.start(torch.cat([given[FEATURES], self.noise(z)], 1)))
        return x


class FeatureJudge(Discriminator):
    """Two layers of leaky ReLU on h, a logit, and z_1.

    Args:
        feature_dim: the size of h.
        hidden: units of both layers.
        latent_dim: the size of z_1.
    """

    def __init__(self, feature_dim: int, hidden: int, latent_dim: int) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, hidden), nn.LeakyReLU(0.2)) for inputs in (feature_dim, hidden)
        )
        self.output = nn.Linear(hidden, 1)
        self.heads["z"] = nn.Linear(hidden, latent_dim)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return both hidden layers for h (N, feature_dim)."""
        first = self.hidden[0](x)
        return first, self.hidden[1](first)


class ImageJudge(Discriminator):
    """Three 5x5 convolutions with stride 2 and leaky ReLU, a layer of ReLU, a logit, and z_0.

    Args:
        image_size: of the images.
        channels: of the images.
        width: of the first convolution; it doubles.
        hidden: units of the last layer.
        latent_dim: the size of z_0.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, hidden: int, latent_dim: int) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width]
        blocks = [nn.Sequential(nn.Conv2d(a, b, 5, 2, 2), nn.LeakyReLU(0.2)) for a, b in pairwise(widths)]
        height, across = (-(-side // 8) for side in sides(image_size))
        last = nn.Sequential(nn.Flatten(), nn.Linear(4 * width * height * across, hidden), nn.ReLU())
        self.blocks = nn.ModuleList([*blocks, last])
        self.output = nn.Linear(hidden, 1)
        self.heads["z"] = nn.Linear(hidden, latent_dim)
        init_normal(self, 0.02)
        for block in blocks:
            nn.init.normal_(cast(Tensor, block[0].weight), 0.0, 0.01)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations for images (N, C, H, W) in [-1, 1]."""
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return tuple(found)


class Entropy(Term):
    """mean (ẑ - z)², ẑ the sigmoid of what the judge's head tells of a generated sample (equation 5)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over samples and dimensions."""
        return (torch.sigmoid(pair.fake_output.heads["z"]) - pair.latent.z).square().mean()


class SameClass(Term):
    """The cross entropy of what the classifier's last layer makes of generated features (equation 4)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over samples."""
        encoder = cast(Encoder, self.game.network("encoder"))
        logits = encoder.output(as_weights(pair.fake, encoder))
        return F.cross_entropy(logits, labels_given(pair.fake_labels))


class SameFeatures(Term):
    """mean (E(x̂) - h)², h what the image x̂ was made of (equation 4)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over samples and dimensions."""
        encoder = self.game.network("encoder")
        found: Tensor = encoder(as_weights(pair.fake, encoder))
        return (found - pair.latent.given[FEATURES]).square().mean()


class Stack(Chained):
    """Both generators, generator_0, which makes images, and generator_1, which makes their features."""

    conditional = True

    def parts(self, z: Tensor) -> tuple[Tensor, ...]:
        """Return z_0 and z_1 in [0, 1] of z (N, D) in [-1, 1]."""
        sizes = [cast(int, level.latent_dim) for level in self.links]
        return ((z + 1) / 2).split(sizes, 1)  # type: ignore[no-any-return]

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, D) and classes (N,) to images."""
        images, features = self.links
        of_images, of_features = self.parts(z)
        made: Tensor = images(of_images, labels, {FEATURES: features(of_features, labels)})
        return made


class Together(nn.Module):
    """Whether the generators are trained together yet; a follow-up of their player, so that captured steps know.

    Args:
        player: whose updates count.
        apart: updates before.
    """

    def __init__(self, player: Player, apart: int) -> None:
        super().__init__()
        self._player = (player,)  # in a tuple: it belongs to the game
        self.apart = apart

    def forward(self) -> None:
        """Do nothing: it follows from the count."""

    replayed = forward

    def graph_key(self) -> bool:
        """Return whether they are."""
        return self._player[0].updates >= self.apart


class StackedGAN(Game):
    """Features of a class, and images of features, each with a judge (Huang et al. 2016, arXiv 1612.04357).

    At first the image's generator gets the features of real images, then those that generator_1 makes, whose gradient
    reaches generator_1 with the weight `upward`. One player has both judges, one both generators; as no other gradient
    crosses, that is the same as players of their own.

    Args:
        components: what the configuration's plugins built.
        classifier_steps: batches on which the classifier is trained before the first step.
        classifier_lr: its learning rate.
        apart: updates before the generators are trained together.
        conditional: the weight of the conditional losses.
        entropy: the weight of the entropy losses; the judges' is doubled, as their cross entropies are not halved
            here, in the paper they are.
        upward: the weight of the image's losses for generator_1; 0 in the authors' program for digits, 0.01 in that
            for photographs, and 1 where training is "end to end", as the paper says.
    """

    sampling_network = "stack"

    def __init__(
        self,
        components: Components,
        classifier_steps: int,
        classifier_lr: float,
        apart: int,
        conditional: float,
        entropy: float,
        upward: float,
    ) -> None:
        super().__init__(components)
        require_not_negative(upward=upward)
        self.upward = upward
        require_positive(classifier_steps=classifier_steps)
        require_not_negative(apart=apart)
        if not self.data.num_classes:
            raise ConfigError("stacked_gan inverts a classifier, and the data have no classes; choose labelled data")
        encoder = cast(Encoder, self.network("encoder"))
        self.openings.append(TrainOnClasses(nn.Sequential(encoder, encoder.output), classifier_steps, classifier_lr))
        judges, generators = self.player("discriminator"), self.player("generator")
        self.together = Together(generators, apart)
        generators.after_step.append(self.together)
        judges.add_term("entropy", Entropy(), 2 * entropy)
        generators.add_term("entropy", Entropy(), entropy)
        generators.add_term("same_class", SameClass(), plan=TermPlan(conditional, pairs=(FEATURES,)))
        generators.add_term("same_features", SameFeatures(), plan=TermPlan(conditional, pairs=(IMAGES,)))

    def make_players(self) -> list[Player]:
        """Return the judges' player and the generators'."""
        stack = Stack(self.network("generator_0"), self.network("generator_1"))
        self.networks["stack"] = stack
        needed = sum(cast(int, self.network(f"generator_{level}").latent_dim) for level in range(2))
        drawn = getattr(self.prior, "dim", None)
        if drawn != needed:
            raise ConfigError(f"prior.dim={drawn}: z_0 and z_1 have {needed} numbers; set prior.dim={needed}")
        return [
            Player(team, (f"{team}_0", f"{team}_1"), team, {FEATURES: team, IMAGES: team})
            for team in ("discriminator", "generator")
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return the pair of features and the pair of images."""
        of_images, of_features = cast(Stack, self.network("stack")).parts(latent.z)
        with torch.no_grad(), self.autocast():
            real = self.network("encoder")(batch.samples).float()
        latent_1 = latent._replace(z=of_features)
        h = self.generate(latent_1, "generator_1")
        latent_0 = latent._replace(
            z=of_images, given={FEATURES: self._crossing(h) if self.together.graph_key() else real}
        )
        return {
            FEATURES: Pair(self.judge("discriminator_1"), batch, latent_1, h, real=real),
            IMAGES: Pair(self.judge("discriminator_0"), batch, latent_0, self.generate(latent_0, "generator_0")),
        }

    def _crossing(self, h: Tensor) -> Tensor:
        """Return generated features h (N, K) whose gradient is `upward` times what reaches them."""
        held = h.detach()
        return held + self.upward * (h - held) if self.upward else held
