"""ArtGAN: Tan, Chan, Aguirre & Tanaka 2017, arXiv 1702.03410: D scores classes, G's upper layers decode its maps."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Components, ConfigError, Pair, Player, Term
from gan_zoo.classifying import ClassError, ClassifyingGame, require_classes
from gan_zoo.generators.dcgan_conditional import DCGANConditionalGenerator
from gan_zoo.layers import cropped
from gan_zoo.ranges import require_not_negative

LOWER = 3
"""The layers of G that make its first map: a linear one, a norm, an activation."""


class ArtGANGenerator(DCGANConditionalGenerator):
    """The conditional DCGAN generator, whose layers after the first map decode such maps of D's too.

    D's last maps have that map's shape where both networks have the same `width` and sizes are halved without rest.

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the layer before the image.
    """

    @property
    def first_map(self) -> tuple[int, int, int]:
        """The shape (A, h, w) of the first map."""
        weight = self.layers[0].weight
        assert isinstance(weight, Tensor)
        _, channels, height, width = weight.shape
        return channels, height, width

    def decode(self, maps: Tensor) -> Tensor:
        """Map maps of the first one's shape (N, A, h, w) to images (N, C, H, W) in [-1, 1]."""
        upper = self.layers[LOWER:]
        images: Tensor = upper(maps)
        return cropped(images, self.image_size)


class Decoded(Term):
    """½ |x - Dec(f(x))|², a mean over entries: f(x) are D's last maps, Dec the upper layers of G.

    Args:
        side: `real` for x of the data, `fake` for what G makes.
    """

    def __init__(self, side: str) -> None:
        super().__init__()
        self.side = side

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over that side's samples."""
        game = self.game
        assert isinstance(game, ArtGAN)
        said, x = getattr(pair, f"{self.side}_output"), getattr(pair, self.side)
        error: Tensor = 0.5 * (x - game.decode(said.features[-1])).square().mean()
        return error


class ArtGAN(ClassifyingGame):
    """D scores K classes, l, a sample is real as far as it is of any, and D is an auto-encoder with G's upper layers.

        D  CE(l(x), y) + E softplus(-Z(x)) + E softplus(Z(g)) + ½ |x - Dec(f(x))|²
        G  CE(l(g), y) + E softplus(-Z(g)) + ½ |g - Dec(f(g))|²,      Z = log Σ_k exp(l_k), g = G(z, y)

    With `loss=nonsaturating` the summands of Z are the game's loss. All summands and their weights are those of the
    authors' later program, whose D has a decoder of its own. That G's upper layers decode is the text's of 2017, from
    memory, which has K + 1 outputs. Each player's update leaves the other's layers alone.

    Args:
        components: what the game is made of; the generator must be able to `decode` D's last maps.
        reconstruction: the weight of the auto-encoder's errors.
    """

    def __init__(self, components: Components, reconstruction: float) -> None:
        require_not_negative(reconstruction=reconstruction)
        super().__init__(components)
        self.score_classes("discriminator", require_classes(self))
        self.reconstruction = reconstruction
        for name, side in (("discriminator", "real"), ("generator", "fake")):
            self.player(name).add_term("class", ClassError(side))
            if reconstruction:
                self.player(name).add_term("decoded", Decoded(side), reconstruction)

    def decode(self, maps: Tensor) -> Tensor:
        """Return what G's upper layers make of D's last maps, images (N, C, H, W)."""
        generator = self.generator
        assert isinstance(generator, ArtGANGenerator)
        with self.autocast():
            images: Tensor = generator.decode(maps)
        return images

    def check(self) -> None:
        """See that G can decode D's maps.

        Raises:
            ConfigError: it cannot.
        """
        if self.reconstruction and not isinstance(self.generator, ArtGANGenerator):
            raise ConfigError(
                f"game=artgan decodes D's maps by the upper layers of generator=artgan, and "
                f"{type(self.generator).__name__} has none: choose it, or set game.reconstruction=0"
            )
        super().check()
        if not isinstance(self.generator, ArtGANGenerator):
            return
        maps = self.probe().features[-1].shape[1:]
        first = self.generator.first_map
        if self.reconstruction and tuple(maps) != first:
            raise ConfigError(
                f"game=artgan decodes D's last maps {tuple(maps)} by layers for maps {first}: give both networks the "
                "same width, and data.image_size that is 4 times a power of two"
            )
