"""Contrast-GAN (Liang et al. 2018, arXiv 1708.00315): an object in an image is made one of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Discriminator,
    DiscriminatorOutput,
    Latent,
    Meeting,
    Pair,
    Player,
    Term,
    distributed,
)
from gan_zoo.datasets.shapes import ASKED
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.editing import EditingGame
from gan_zoo.layers import ImageSize, activations, given, init_normal
from gan_zoo.ranges import require_below_one, require_not_negative, require_positive
from gan_zoo.shapes import SHAPES
from gan_zoo.systems.gawwn import into_box, out_of_box
from gan_zoo.systems.stargan import StarGANGenerator

MASK = "mask"
"""The extra that is 1 where the object is."""


def contrast(made: Tensor, target: Tensor, source: Tensor) -> Tensor:
    """Return -log( e^(-|g - t|) / (e^(-|g - t|) + e^(-|g - x|)) ) for features g, t, x (N, D), (N,); |·| are means."""
    near, far = ((made - other).abs().mean(1) for other in (target, source))
    return F.softplus(near - far)


class Contrasting(Term):
    """Made objects are to be nearer to their new kind than to what they were, in D's last features; D is to oppose it.

    The new kind is the mean of the features of its real images, a running mean over batches that follows D.

    Args:
        momentum: the share of the mean that each batch keeps.
    """

    means: Tensor
    known: Tensor

    def __init__(self, momentum: float) -> None:
        super().__init__()
        require_below_one(momentum=momentum)
        self.momentum = momentum

    def hold(self, kinds: int, size: int) -> None:
        """Make room for the means of so many kinds."""
        self.register_buffer("means", torch.zeros(kinds, size))
        self.register_buffer("known", torch.zeros(kinds, dtype=torch.bool))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over made images whose new kind is another one than before, and has been seen."""
        real = pair.real_output.features[-1].flatten(1).detach()
        means, known = self._with(real, given(pair.batch.labels))
        return self.between(pair, real, means, known)

    def between(self, pair: Pair, real: Tensor, means: Tensor, known: Tensor) -> Tensor:
        """Return the mean contrast for features of real images (N, D), means of kinds (K, D), and which are known."""
        made = pair.fake_output.features[-1].flatten(1)
        wanted = given(pair.latent.labels)
        losses = contrast(made, means[wanted].to(made.dtype), real)
        # An object that is to stay what it is must not be driven away from itself.
        counted = known[wanted] & (wanted != given(pair.batch.labels))
        return (losses * counted).sum() / counted.sum().clamp(min=1)

    def after_update(self, pair: Pair, player: Player) -> None:
        """Take in the batch."""
        means, known = self._with(pair.real_output.features[-1].flatten(1), given(pair.batch.labels), shared=True)
        self.means.copy_(means)
        self.known.copy_(known)

    @torch.no_grad()
    def _with(self, features: Tensor, labels: Tensor, shared: bool = False) -> tuple[Tensor, Tensor]:
        """Return the means, those of kinds in the batch moved towards theirs, and which kinds are known.

        The batch is that of all processes where it is `shared`.
        """
        of = F.one_hot(labels, len(self.means)).to(features.dtype)
        total, count = of.T @ features, of.sum(0)[:, None]
        if shared:
            total, count = distributed.mean(total), distributed.mean(count)
        fresh = total / torch.where(count > 0, count, 1.0)
        kept = torch.where(self.known[:, None], self.momentum * self.means + (1 - self.momentum) * fresh, fresh)
        return torch.where(count > 0, kept.to(self.means.dtype), self.means), self.known | (count[:, 0] > 0)


class Opposing(Term):
    """The negative of the contrast for D, whose features of the batch's images it moves, and not the means.

    Args:
        of: G's term, which keeps the means.
    """

    def __init__(self, of: Contrasting) -> None:
        super().__init__()
        self._of = [of]  # no part of this term, so that its state is kept once

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        (of,) = self._of
        return -of.between(pair, pair.real_output.features[-1].flatten(1), of.means, of.known)


class ContrastCycle(Term):
    """|x - G(G(x, c'), c)|, a mean over entries: as what it was an object is what it was."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images."""
        game = self.game
        assert isinstance(game, ContrastGAN)
        back = game.edit(pair.fake, pair.batch.labels, **{MASK: pair.latent.given[MASK]})
        return (pair.batch.samples - back).abs().mean()


class Stays(Term):
    """|x - G(x, c)|, a mean over entries of the images that are asked for the kind that they have."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's images; 0 where all are asked for another kind."""
        same = given(pair.latent.labels) == given(pair.batch.labels)
        apart = (pair.fake - pair.batch.samples).abs().flatten(1).mean(1)
        return (apart * same).sum() / same.sum().clamp(min=1)


class ContrastGAN(EditingGame):
    """G makes an object one of another kind, within the box around its mask; the rest of the image stays as it is.

        D  L_D, with a score for each kind of object, minus opposition times the contrast that G minimises
        G  L_G + contrast · -log( e^(-|f(g) - f_t|) / (e^(-|f(g) - f_t|) + e^(-|f(g) - f(x)|)) ) + cycle · |x - G(g, c)|
           + identity · |x - G(x, c)|

    f are D's last features and f_t the mean of them over real images of the kind asked for. The kind is the image's
    class. Both players see what is in the box alone, enlarged to the image's size. The paper is followed from memory:
    its weights and the size of its sets of real images, here a running mean, are not known to us. The last summand is
    CycleGAN's: without it nothing tells colours from their complements, where the data have these too.

    Args:
        components: what the game is made of.
        contrast: the weight of the contrast.
        cycle: the weight of the way back.
        momentum: of the means of features.
        identity: the weight of leaving images as they are that have the kind asked for; 0 for none.
        opposition: the weight of the contrast that D maximises.
    """

    def __init__(
        self,
        components: Components,
        contrast: float,
        cycle: float,
        momentum: float,
        identity: float = 10.0,
        opposition: float = 1.0,
    ) -> None:
        require_not_negative(contrast=contrast, cycle=cycle, identity=identity, opposition=opposition)
        super().__init__(components)
        self.contrasting = Contrasting(momentum) if contrast else None
        generator = self.player("generator")
        if self.contrasting is not None:
            generator.add_term("contrast", self.contrasting, contrast)
            if opposition:
                self.player("discriminator").add_term("contrast", Opposing(self.contrasting), opposition)
        if cycle:
            generator.add_term("cycle", ContrastCycle(), cycle)
        if identity:
            generator.add_term("identity", Stays(), identity)

    def meet(self, batch: Batch, graph: bool = True) -> Meeting:
        """Ask for kinds that are drawn anew, and generate."""
        return super().meet(replace(batch, extra={k: v for k, v in batch.extra.items() if k != ASKED}), graph)

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images with their masks and the kinds asked for, those of an extra `asked` where there is one."""
        latent = super().latent_for(batch)
        if ASKED in batch.extra:
            latent = latent._replace(labels=batch.extra[ASKED][:, : len(SHAPES)].argmax(1))
        return latent._replace(given={**latent.given, MASK: batch.extra[MASK]})

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the images, and what is made of them, each with its mask for the judge."""
        pair = super().pair(batch, latent)
        pair.real_given = pair.fake_given = (latent.given[MASK],)
        return pair

    def check(self) -> None:
        """See that there are masks, and make room for the means of D's features.

        Raises:
            ConfigError: there are none, or no classes.
        """
        height_width = self.data.sample[1:]
        if self.data.extra.get(MASK) != (1, *height_width) or not self.data.num_classes:
            raise ConfigError(
                f"ContrastGAN changes the kind of objects, the class of an image, where its extra {MASK!r} is: choose "
                "data=shapes"
            )
        super().check()
        if self.contrasting is not None:
            features = self.probe().features
            if not features:
                raise ConfigError(f"game.contrast reads D's features, and {type(self.discriminator).__name__} has none")
            self.contrasting.hold(self.data.num_classes, features[-1][0].numel())


def box_of(mask: Tensor, margin: int = 0) -> Tensor:
    """Return the boxes (N, 4) around masks (N, 1, H, W), larger by a margin of pixels; of empty ones the whole image.

    A box is the least x and y and the greatest, as shares of the sides.
    """
    inside = mask[:, 0] > 0
    ends = []
    for line in (inside.any(1), inside.any(2)):  # the columns, and the rows, in which the mask is
        size, empty = line.shape[1], ~line.any(1)
        least, greatest = line.int().argmax(1) - margin, size - line.flip(1).int().argmax(1) + margin
        ends.append((torch.where(empty, 0, least) / size, torch.where(empty, size, greatest) / size))
    return torch.stack([ends[0][0], ends[1][0], ends[0][1], ends[1][1]], 1).to(mask.dtype)


class ContrastGenerator(StarGANGenerator):
    """StarGAN's generator of what lies in the box around the mask, enlarged; outside of it the image stays as it is.

    Args:
        labels: the number of classes.
        channels: of the images.
        width: channels of the first layer; the blocks have four times as many.
        blocks: residual blocks.
        margin: pixels by which the box is larger than the mask: what an object covers in part belongs to it.
    """

    def __init__(self, labels: int, channels: int, width: int, blocks: int, margin: int = 0) -> None:
        super().__init__(labels, channels, width, blocks)
        require_not_negative(margin=margin)
        self.margin = margin

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `samples` (N, C, H, W), their `mask` (N, 1, H, W) and labels to images of the same shape."""
        x, mask = given[SAMPLES], given[MASK]
        box = box_of(mask, self.margin).to(x.dtype)
        made = into_box(super().forward(z, labels, {SAMPLES: out_of_box(x, box)}), box)
        inside = into_box(torch.ones_like(mask, dtype=x.dtype), box) > 0.5
        return torch.where(inside, made, x)


class KindsDiscriminator(Discriminator):
    """DCGAN's discriminator with a last layer that scores each kind, of which that of the label is read.

    Given a mask it sees what is in the box around it, enlarged to the image's size.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        width: channels of the first layer.
        num_classes: the kinds.
        norm: see `DCGANDiscriminator`.
        margin: see `ContrastGenerator`.
    """

    conditional = True

    def __init__(
        self, image_size: ImageSize, channels: int, width: int, num_classes: int, norm: str, margin: int = 0
    ) -> None:
        super().__init__()
        require_positive(num_classes=num_classes)
        require_not_negative(margin=margin)
        self.margin = margin
        trunk = DCGANDiscriminator(image_size, channels, width, norm)
        assert isinstance(trunk.output, nn.Linear)
        self.blocks = trunk.blocks
        self.output = nn.Linear(trunk.output.in_features, num_classes)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None, *given_: Tensor) -> tuple[Tensor, ...]:
        """Return the activations after every layer for images (N, C, H, W) in [-1, 1] and masks (N, 1, H, W)."""
        for mask in given_:
            x = out_of_box(x, box_of(mask, self.margin).to(x.dtype))
        return activations(self.blocks, x)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1], with masks (N, 1, H, W), as of the kinds of their labels (N,)."""
        features = self.features(x, labels, *given_)
        last = features[-1].flatten(1)
        scores = self.output(last).gather(1, given(labels)[:, None])[:, 0]
        return DiscriminatorOutput(scores, features, {name: head(last) for name, head in self.heads.items()})
