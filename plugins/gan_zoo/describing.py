"""What games share whose images are made of a description: texts, attributes, layouts, places.

Data hold descriptions as extras. A judge sees an image with its own description (right), a generated one with the one
that it was made of, and, where that has a weight, an image with another's description (wrong).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import ClassVar, cast

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
)
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.generators.dcgan import DCGANGenerator
from gan_zoo.layers import ImageSize, activations, init_normal
from gan_zoo.ndims import norm_of
from gan_zoo.ranges import require_above_zero, require_not_negative, require_positive

TEXT, ATTRIBUTES = "text", "attributes"

RIGHT, WRONG, MADE = "right", "wrong", "made"
"""The pairs of a game of descriptions."""


class Summary(nn.Sequential):
    """A description in fewer numbers: a linear layer and leaky ReLU.

    Args:
        inputs: the size of a description.
        outputs: the size of its summary.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        require_positive(given_dim=inputs, hidden=outputs)
        super().__init__(nn.Linear(inputs, outputs), nn.LeakyReLU(0.2))


def init_described(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02), as DCGAN's, but for summaries, which stay as layers begin: U(±1/√inputs).

    It is so in the program of Reed et al.; summaries of N(0, 0.02) are hardly heard beside z and maps of deviation 1.
    """
    kept = {layer for summary in network.modules() if isinstance(summary, Summary) for layer in summary}
    for layer in network.modules():
        if layer not in kept and not [*layer.children()]:
            init_normal(layer, 0.02)


class DescribedGenerator(Generator):
    """z and the summary of a description, through DCGAN's generator (Reed et al. 2016, arXiv 1605.05396, section 4.1).

    Args:
        latent_dim: the size of z.
        given: the name of the description.
        given_dim: its size.
        hidden: the size of its summary; null for the description as it is.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the layer before the image.
    """

    def __init__(
        self,
        latent_dim: int,
        given: str,
        given_dim: int,
        hidden: int | None,
        image_size: ImageSize,
        channels: int,
        width: int,
    ) -> None:
        super().__init__()
        self.given = given
        self.summary = nn.Identity() if hidden is None else Summary(given_dim, hidden)
        self.images = DCGANGenerator(latent_dim + (hidden or given_dim), image_size, channels, width)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim) and descriptions (N, given_dim) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.images(torch.cat([z, self.summary(given[self.given])], 1))
        return images


def spread(vectors: Tensor, maps: Tensor) -> Tensor:
    """Return maps (N, C, H, W) with vectors (N, K) at each place: (N, C + K, H, W)."""
    return torch.cat([maps, vectors[:, :, None, None].expand(-1, -1, *maps.shape[2:])], 1)


def halvings(image_size: int, last: int = 4) -> int:
    """Return how often a side is halved to become `last` pixels.

    Raises:
        ValueError: it is no power of two times as long, or no longer.
    """
    times = (image_size // last).bit_length() - 1
    if times < 1 or last * 2**times != image_size:
        choices = ", ".join(str(last * 2**i) for i in range(1, 5))
        raise ValueError(
            f"image_size={image_size}: maps of {last} pixels are doubled some times; {choices}, ... can be"
        )
    return times


def shrinking(widths: list[int]) -> nn.Sequential:
    """Return 4x4 convolutions that halve the sides, from widths[0] channels to widths[-1], with batch norm."""
    blocks = [
        nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2))
        for a, b in pairwise(widths)
    ]
    return nn.Sequential(*blocks)


def growing(widths: list[int]) -> nn.Sequential:
    """Return transposed 4x4 convolutions that double the sides, from widths[0] channels to widths[-1]."""
    blocks = [
        nn.Sequential(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
        for a, b in pairwise(widths)
    ]
    return nn.Sequential(*blocks)


def joining(inputs: int, outputs: int) -> nn.Sequential:
    """Return a 3x3 convolution with batch norm and ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class DescribedDiscriminator(Discriminator):
    """DCGAN's layers, the summary of a description at each place, a 1x1 convolution of both and a norm (section 4.1).

    Args:
        given_dim: the size of a description.
        hidden: the size of its summary.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images, and of maps that are judged beside them.
        width: channels of the first layer.
        norm: `batch`; `layer`, `instance` or `none` where each sample must be judged alone.
        num_classes: for a further head `class` with a logit for each class; 0 for none.
    """

    def __init__(
        self,
        given_dim: int,
        hidden: int,
        image_size: ImageSize,
        channels: int,
        width: int,
        norm: str,
        num_classes: int,
    ) -> None:
        super().__init__()
        trunk = DCGANDiscriminator(image_size, channels, width, norm)
        self.blocks = trunk.blocks
        last = width * 2 ** (len(self.blocks) - 1)
        self.summary = Summary(given_dim, hidden)
        self.joint = nn.Sequential(
            nn.Conv2d(last + hidden, last, 1, bias=norm == "none"), norm_of(norm, last, 2), nn.LeakyReLU(0.2)
        )
        size = cast(int, trunk.output.in_features)
        self.output = nn.Linear(size, 1)
        if num_classes:
            self.heads["class"] = nn.Linear(size, num_classes)
        init_described(self)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) and a description (N, given_dim).

        Whatever else is given are maps (N, C', H, W), which are judged beside the images.
        """
        *maps, description = given
        found = activations(self.blocks, torch.cat([x, *maps], 1) if maps else x)
        return *found, self.joint(spread(self.summary(description), found[-1]))


class Described(Game):
    """G makes images of descriptions; D tells real ones with theirs from generated ones, and from those with another's.

    D minimises BCE₁(x, t) + wrong · BCE₀(x, t̃) + made · BCE₀(G(z, t), t), with t̃ the description of the sample before
    in the batch; G minimises BCE₁(G(z, t), t) (Reed et al. 2016, arXiv 1605.05396, algorithm 1).

    Attributes:
        needs: the names of the extras that images are made of.
        beside: the names of those that the judge sees, vectors last.
        mismatched: the names of those that are another's in the pair `wrong`.

    Args:
        components: what the game is made of.
        wrong: the weight of images with another's description; 0 leaves them out.
        made: the weight of generated images in D's loss.
    """

    generates_from = TEXT
    needs: ClassVar[tuple[str, ...]] = (TEXT,)
    beside: ClassVar[tuple[str, ...]] = (TEXT,)
    mismatched: ClassVar[tuple[str, ...]] = (TEXT,)

    def __init__(self, components: Components, wrong: float, made: float) -> None:
        require_not_negative(wrong=wrong)
        require_above_zero(made=made)
        self.weights = {RIGHT: 1.0} | ({WRONG: wrong} if wrong else {}) | {MADE: made}
        super().__init__(components)

    def make_players(self) -> list[Player]:
        """Return D, which faces all pairs, and G."""
        halves = {name: "discriminator_real" if name == RIGHT else "discriminator_fake" for name in self.weights}
        weighed = partial(_weighed, tuple(self.weights.values()))
        return [
            Player("discriminator", ("discriminator",), "discriminator", halves, weighed),
            Player("generator", ("generator",), "generator", {MADE: "generator"}),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return z, and the descriptions of the batch."""
        return super().latent_for(batch)._replace(given={name: batch.extra[name] for name in self.needs})

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images with their description, with another's, and generated ones."""
        judge, made = self.judge("discriminator"), self.make(latent)
        right = self.seen(latent.given)
        others = {name: t.roll(1, 0) if name in self.mismatched else t for name, t in latent.given.items()}
        found = {
            RIGHT: Pair(judge, batch, latent, made[SAMPLES], real_given=right, fake_given=right, made=made),
            WRONG: Pair(judge, batch, latent, batch.samples, real_given=right, fake_given=self.seen(others)),
            MADE: Pair(judge, batch, latent, made[SAMPLES], real_given=right, fake_given=right, made=made),
        }
        return {name: found[name] for name in self.weights}

    def seen(self, given: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Return what the judge sees of descriptions."""
        return tuple(given[name] for name in self.beside)

    def check(self) -> None:
        """See that samples come with what they are made of.

        Raises:
            ConfigError: they do not.
        """
        for name in self.needs:
            if name not in self.data.extra:
                found = ", ".join(self.data.extra) or "nothing"
                raise ConfigError(
                    f"{type(self).__name__} makes samples of their {name!r}, and with those of these data comes "
                    f"{found}: choose data=shapes"
                )
        super().check()


def _weighed(weights: tuple[float, ...], losses: Tensor) -> Tensor:
    return (losses * losses.new_tensor(weights)).sum()
