"""StarGAN (Choi et al. 2018, arXiv 1711.09020): one generator translates between all domains."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import EMPTY, SAMPLES, Components, Discriminator, Generator, Pair, Player, Term
from gan_zoo.editing import CLASS, ClassOfFake, ClassOfReal, EditingGame, beside_maps, conditions
from gan_zoo.layers import ImageSize, activations, halved
from gan_zoo.ranges import require_not_negative, require_positive


class CycleBack(Term):
    """|x - G(G(x, c'), c)|, a mean over entries: with its own label again an image is what it was (equation 4)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        game = self.game
        assert isinstance(game, StarGAN)
        back = game.edit(pair.fake, pair.batch.labels)
        return (pair.batch.samples - back).abs().mean()


class StarGAN(EditingGame):
    """G makes of an image x and a label c' an image with that label; D tells real from made, and labels of real ones.

        D  L_D + classification · CE(class(x), c)
        G  L_G + classification · CE(class(G(x, c')), c') + cycle · |x - G(G(x, c'), c)|          (equations 5 and 6)

    L_D and L_G are those of a Wasserstein critic with a gradient penalty, here of the mean of an image's patches and in
    the authors' program of their sum. Labels are classes, or vectors of attributes of which each is 0 or 1, whose cross
    entropies are summed.

    Args:
        components: what the game is made of.
        classification: the weight of the cross entropies.
        cycle: the weight of the way back.
    """

    def __init__(self, components: Components, classification: float, cycle: float) -> None:
        require_not_negative(classification=classification, cycle=cycle)
        super().__init__(components)
        discriminator, generator = self.player("discriminator"), self.player("generator")
        if classification:
            discriminator.add_term("classification", ClassOfReal(), classification)
            generator.add_term("classification", ClassOfFake(), classification)
        if cycle:
            generator.add_term("cycle", CycleBack(), cycle)


def _normed(layer: nn.Module, width: int) -> list[nn.Module]:
    return [layer, nn.InstanceNorm2d(width, affine=True), nn.ReLU()]


class Residual(nn.Module):
    """x + IN(C3(ReLU(IN(C3(x)))))."""

    def __init__(self, width: int) -> None:
        super().__init__()

        def convolution() -> nn.Conv2d:
            return nn.Conv2d(width, width, 3, 1, 1, bias=False)

        norm = nn.InstanceNorm2d(width, affine=True)
        self.layers = nn.Sequential(*_normed(convolution(), width), convolution(), norm)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, width, H, W) to the same shape."""
        made: Tensor = x + self.layers(x)
        return made


class StarGANGenerator(Generator):
    """Convolutions of the image and its label as maps, residual blocks at a quarter of the size, and back (table 4).

    Instance norm with gains and biases, of the image alone: the authors' program keeps running statistics.

    Args:
        labels: the number of classes, or of attributes.
        channels: of the images.
        width: channels of the first layer; the blocks have four times as many.
        blocks: 6 in the paper.
    """

    conditional = True

    def __init__(self, labels: int, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        require_positive(labels=labels, channels=channels, width=width, blocks=blocks)
        self.labels = labels

        def down(c: int) -> list[nn.Module]:
            return _normed(nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), 2 * c)

        def up(c: int) -> list[nn.Module]:
            return _normed(nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False), c // 2)

        self.layers = nn.Sequential(
            *_normed(nn.Conv2d(channels + labels, width, 7, 1, 3, bias=False), width),
            *down(width),
            *down(2 * width),
            *(Residual(4 * width) for _ in range(blocks)),
            *up(4 * width),
            *up(2 * width),
            nn.Conv2d(width, channels, 7, 1, 3, bias=False),
            nn.Tanh(),
        )

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `samples` (N, C, H, W) and labels to images of the same shape, whose sides are multiples of 4.

        Raises:
            ValueError: a side is no multiple of 4.
        """
        x = given[SAMPLES]
        if x.shape[2] % 4 or x.shape[3] % 4:
            raise ValueError(f"images of {x.shape[2]}x{x.shape[3]} pixels: both sides must be multiples of 4")
        made: Tensor = self.layers(beside_maps(x, conditions(labels, self.labels, x.dtype)))
        return made


class StarGANDiscriminator(Discriminator):
    """Convolutions of 4 pixels and stride 2 with leaky ReLU 0.01, a logit for each patch, and the label (table 5).

    Args:
        labels: the number of classes, or of attributes.
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first layer, doubled with each.
        layers: how many; 6 in the paper, for images of 128 pixels.
    """

    patches = True

    def __init__(self, labels: int, image_size: ImageSize, channels: int, width: int, layers: int) -> None:
        super().__init__()
        require_positive(labels=labels, channels=channels, width=width, layers=layers)
        widths = [channels, *(width * 2**i for i in range(layers))]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.01)) for a, b in pairwise(widths)
        )
        self.output = nn.Conv2d(widths[-1], 1, 3, 1, 1, bias=False)
        self.heads[CLASS] = nn.Linear(widths[-1] * halved(image_size, layers), labels, bias=False)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every layer for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)
