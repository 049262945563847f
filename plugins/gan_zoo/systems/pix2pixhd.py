"""pix2pixHD (Wang et al. 2017, arXiv 1711.11585): images of images, first at half the size and then at the whole."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import EMPTY, SAMPLES, Batch, Components, ConfigError, Game, Generator, Latent, Pair, Player
from gan_zoo.chained import Chained
from gan_zoo.generators.resnet_translator import ResidualBlock, ResNetTranslator
from gan_zoo.layers import init_normal
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import SOURCE, LayerDistance, image_in

COARSE, FINE = "coarse", "fine"
FEATURES = "features"
LAST = 3
"""Layers of the coarse generator that make the image: the reflected border, the convolution of 7 pixels, tanh."""


class GlobalGenerator(ResNetTranslator):
    """The residual generator of images of images, which also tells what it makes the image of (section 3.1, G_1)."""

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the `samples` (N, channels, H, W) and the `features` (N, width, H, W) before the last layer."""
        features = self.layers[:-LAST](image_in(given))
        return {SAMPLES: self.layers[-LAST:](features), FEATURES: features}


class LocalEnhancer(Generator):
    """Halves an image, adds the coarse generator's features, and makes the image of the whole size (section 3.1, G_2).

    Args:
        channels: of the images made.
        source_channels: of the images that they are made of.
        width: of the features added.
        blocks: residual blocks; 3 in the paper.
    """

    def __init__(self, channels: int, source_channels: int, width: int, blocks: int) -> None:
        super().__init__()
        require_positive(channels=channels, source_channels=source_channels, width=width // 2, blocks=blocks)
        half = width // 2
        self.down = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(source_channels, half, 7),
            nn.InstanceNorm2d(half),
            nn.ReLU(),
            nn.Conv2d(half, width, 3, 2, 1),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
        )
        self.up = nn.Sequential(
            *(ResidualBlock(width) for _ in range(blocks)),
            nn.ConvTranspose2d(width, half, 3, 2, 1, 1),
            nn.InstanceNorm2d(half),
            nn.ReLU(),
            nn.ReflectionPad2d(3),
            nn.Conv2d(half, channels, 7),
            nn.Tanh(),
        )
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` (N, source_channels, H, W) and `features` (N, width, H/2, W/2) to images."""
        made: Tensor = self.up(self.down(given[SOURCE]) + given[FEATURES])
        return made


class Together(Chained):
    """Both generators, one after the other, without parameters of its own.

    Args:
        coarse: tells its features.
        fine: makes images of them and of the source.
    """

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the `samples`, and the `coarse` images at half the size."""
        coarse, fine = self.links
        first = coarse.everything(z, labels, {SOURCE: F.avg_pool2d(given[SOURCE], 2)})  # type: ignore[operator]
        made: Tensor = fine(z, labels, {SOURCE: given[SOURCE], FEATURES: first[FEATURES]})
        return {SAMPLES: made, COARSE: first[SAMPLES]}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` to images of its size."""
        return self.everything(z, labels, given)[SAMPLES]


class Pix2PixHD(Game):
    """Two levels, each with a generator and a discriminator: half the size first, then the whole (section 3.1).

    Each G minimises L_G + features_weight · Σ λⱼ |dⱼ(x) - dⱼ(G(s))|; at the whole size both generators' parameters do.
    With `schedule=stages` the coarse level is trained alone at first. Pairs are `coarse` and `fine`.

    Args:
        components: what the game is made of.
        features_weight: of the distance in D's layers.
        layers: λ of each layer of D, that of several sizes all of them; null for the mean over all.
    """

    sampling_network = "together"
    generates_from = SOURCE

    def __init__(self, components: Components, features_weight: float, layers: list[float] | None) -> None:
        require_not_negative(features_weight=features_weight)
        super().__init__(components)
        if features_weight:
            for level in (COARSE, FINE):
                self.player(f"generator_{level}").add_term("features", LayerDistance(layers), features_weight)

    def make_players(self) -> list[Player]:
        """Return each level's D and G."""
        self.networks["together"] = Together(*(self.network(f"generator_{level}") for level in (COARSE, FINE)))
        levels = (f"generator_{COARSE}", f"generator_{FINE}")
        players = []
        for level, updated in ((COARSE, levels[:1]), (FINE, levels)):
            judge = f"discriminator_{level}"
            players.append(Player(judge, (judge,), "discriminator", {level: "discriminator"}))
            players.append(Player(f"generator_{level}", updated, "generator", {level: "generator"}))
        return players

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images and what is made of their sources at half the size and at the whole, beside the sources."""
        made, found = self.make(latent, "together"), {}
        source, real = latent.given[SOURCE], batch.samples
        for level, fake in ((COARSE, made[COARSE]), (FINE, made[SAMPLES])):
            s, x = (F.avg_pool2d(one, 2) if level == COARSE else one for one in (source, real))
            judge = self.judge(f"discriminator_{level}")
            found[level] = Pair(judge, batch, latent, fake, real=x, real_given=(s,), fake_given=(s,), made=made)
        return found

    def check(self) -> None:
        """See that samples have sources of their size.

        Raises:
            ConfigError: they have not.
        """
        found = self.data.extra.get(SOURCE)
        if found is None or found[1:] != self.data.sample[1:] or any(side % 2 for side in found[1:]):
            raise ConfigError(
                f"pix2pixhd makes samples of their {SOURCE!r} of the same even size, and these data have "
                f"{self.data.sample} of {found}: choose data=paired, data=degraded or data=digit_pairs"
            )
        super().check()
