"""MARTA-GAN (Lin et al. 2017, arXiv 1612.08879): a discriminator whose layers, joined, tell what is in an image.

SketchGAN (Creswell & Bharath 2016, arXiv 1607.02748) learns sketches in the same way, for retrieval.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Components, ConfigError, Discriminator, Game, Pair, Player, Term
from gan_zoo.layers import ImageSize, activations, init_normal, sides
from gan_zoo.ranges import require_not_negative, require_positive

LAYERS = 3
"""The last so many layers of D are joined."""


def joined(features: tuple[Tensor, ...]) -> Tensor:
    """Return the last maps of a discriminator (N, C, H, W), their maxima at the size of the last, flat, joined."""
    maps = [feature for feature in features if feature.ndim == 4][-LAYERS:]
    size = maps[-1].shape[2:]
    return torch.cat([F.adaptive_max_pool2d(of, size).flatten(1) for of in maps], dim=1)


class JoinedFeatures(Term):
    """½ Σ (E f(x) - E f(g))² / (H W), f the joined layers, E over the batch: the program's form as we read it."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        real, fake = joined(pair.real_output.features).detach(), joined(pair.fake_output.features)
        return joined_distance(real, fake, pair.real.shape[2] * pair.real.shape[3])


def joined_distance(real: Tensor, fake: Tensor, pixels: int) -> Tensor:
    """Return ½ Σ (E real - E fake)² / pixels of features (N, K)."""
    return 0.5 * (real.mean(0) - fake.mean(0)).square().sum() / pixels


class FeatureLearning(Game):
    """The two-player game, in which D's joined layers are codes (`metrics=[latent_probe,instance_retrieval]`).

    G minimises its part of the loss and, by a weight, the distance of the mean joined layers (equation 5).

    Args:
        components: what the game is made of.
        features: the weight of that distance; 0 for none.
    """

    def __init__(self, components: Components, features: float) -> None:
        require_not_negative(features=features)
        super().__init__(components)
        if features:
            self.player("generator").add_term("features", JoinedFeatures(), features)

    def code_of(self, x: Tensor) -> Tensor:
        """Return the joined layers (N, K) of images (N, C, H, W) in [-1, 1]."""
        return joined(self.judge("discriminator")(x).features).float()

    def check(self) -> None:
        """See that D has maps to join.

        Raises:
            ConfigError: it has not.
        """
        super().check()
        if not any(feature.ndim == 4 for feature in self.probe().features):
            kind = type(self.discriminator).__name__
            raise ConfigError(f"FeatureLearning joins D's maps, and {kind} has none: choose discriminator=dcgan")


class SketchDiscriminator(Discriminator):
    """Large kernels first, strides in the place of pooling, and dropout: lines on an empty ground are seen whole.

    All but the first are normed over the batch, as DCGAN's, without which weights that begin as its own say next to
    nothing of an image. The paper is known to us in outline: sizes are ours.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first map; they double.
        kernel: of the first layer; odd.
        dropout: the share of each layer's activations that are dropped in training.
    """

    def __init__(self, image_size: ImageSize, channels: int, width: int, kernel: int, dropout: float) -> None:
        super().__init__()
        require_positive(channels=channels, width=width, kernel=kernel)
        if kernel % 2 == 0 or not 0 <= dropout < 1:
            raise ValueError(f"kernel={kernel}, dropout={dropout}: odd, and at least 0 and below 1")
        sizes = [(channels, width, kernel), (width, 2 * width, 5), (2 * width, 4 * width, 3)]
        self.blocks = nn.ModuleList()
        for number, (a, b, k) in enumerate(sizes):
            norm = [nn.BatchNorm2d(b)] if number else []
            convolution = nn.Conv2d(a, b, k, 2, k // 2, bias=not number)
            self.blocks.append(nn.Sequential(convolution, *norm, nn.LeakyReLU(0.2), nn.Dropout2d(dropout)))
        height, across = (-(-side // 8) for side in sides(image_size))
        self.output = nn.Linear(4 * width * height * across, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)
