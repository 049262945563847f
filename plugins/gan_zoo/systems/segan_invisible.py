"""SeGAN (Ehsani et al. 2017, arXiv 1703.10239): what of an object is hidden, as a mask and then painted."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import (
    EMPTY,
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
    nobody,
)
from gan_zoo.chained import Chained
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import SOURCE, PixelDistance

VISIBLE, FULL = "visible", "full"
MASK, PAINT = "mask", "paint"


def region_weights(visible: Tensor, full: Tensor, weights: list[float]) -> Tensor:
    """Return each pixel's weight: of the invisible part, of the visible one, of what is no part of the object."""
    invisible = full * (1 - visible)
    return weights[0] * invisible + weights[1] * visible + weights[2] * (1 - full) * (1 - visible)


class WeightedMask(Term):
    """The cross entropy of the mask, a mean over pixels, each with the weight of its region (section 3.1).

    Args:
        weights: of the invisible part, the visible one and the background.
    """

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.weights = weights

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the masks that were made."""
        visible, full = pair.batch.extra[VISIBLE], pair.batch.extra[FULL]
        p = ((pair.fake.float() + 1) / 2).clamp(0, 1)
        weights = region_weights(visible, full, self.weights)
        return F.binary_cross_entropy(p, full, weight=weights)


def painted(colours: Tensor, mask: Tensor) -> Tensor:
    """Return colours (N, C, H, W) in [-1, 1] inside masks in [0, 1], black outside."""
    return mask * (colours + 1) - 1


class Revealer(Chained):
    """The painter after the segmenter, without parameters of its own.

    Args:
        segmenter: makes masks, in [-1, 1], of images and visible masks.
        painter: makes colours of images and full masks.
    """

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return the `samples`, whole objects on black, and the full `mask`, in [0, 1]."""
        segmenter, painter = self.links
        image = given[SOURCE]
        mask = (segmenter(z, labels, {SOURCE: torch.cat([image, given[VISIBLE]], 1)}) + 1) / 2
        colours = painter(z, labels, {SOURCE: torch.cat([image, mask], 1)})
        return {SAMPLES: painted(colours, mask), MASK: mask}

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` and `visible` mask to whole objects on black."""
        return self.everything(z, labels, given)[SAMPLES]


class SeGAN(Game):
    """One network finds the whole mask of an object that is partly hidden, another paints it; each is trained apart.

    The segmenter minimises the weighted cross entropy of the mask; the painter, given the true mask, L_G + distance
    |x - g|₁, its discriminator judging objects beside the image and the mask. Samples are painted inside found masks.

    Args:
        components: what the game is made of.
        distance: the weight of the distance of pixels.
        weights: of the mask's invisible part, its visible one, and the background.
    """

    sampling_network = "revealer"
    generates_from = SOURCE

    def __init__(self, components: Components, distance: float, weights: list[float]) -> None:
        require_not_negative(distance=distance)
        if len(weights) != 3 or min(weights) < 0 or not weights[0] > 0:
            raise ValueError(f"weights={weights}: three numbers of at least 0, the first above it")
        super().__init__(components)
        self.player("segmenter").add_term(MASK, WeightedMask(weights), plan=TermPlan(pairs=(MASK,)))
        if distance:
            self.player("generator").add_term("distance", PixelDistance("l1"), distance)

    def make_players(self) -> list[Player]:
        """Return the segmenter, the discriminator and the painter."""
        self.networks["revealer"] = Revealer(self.network("generator_mask"), self.network("generator_paint"))
        return [
            Player("segmenter", ("generator_mask",), "generator"),
            Player("discriminator", ("discriminator",), "discriminator", {PAINT: "discriminator"}),
            Player("generator", ("generator_paint",), "generator", {PAINT: "generator"}),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images and the visible masks."""
        given = {name: batch.extra[name] for name in (SOURCE, VISIBLE)}
        return super().latent_for(batch)._replace(given=given, labels=None)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return full masks and found ones, and objects and what is painted inside the full masks."""
        image, full = latent.given[SOURCE], batch.extra[FULL]
        seen, given = torch.cat([image, latent.given[VISIBLE]], 1), torch.cat([image, full], 1)
        mask = self.generate(latent._replace(given={SOURCE: seen}), "generator_mask")
        colours = self.generate(latent._replace(given={SOURCE: given}), "generator_paint")
        made, judge = painted(colours, full), self.judge("discriminator")
        return {
            MASK: Pair(nobody, batch, latent, mask, real=2 * full - 1),
            PAINT: Pair(judge, batch, latent, made, real_given=(given,), fake_given=(given,)),
        }

    def check(self) -> None:
        """See that there are images of partly hidden objects.

        Raises:
            ConfigError: there are none.
        """
        missing = [name for name in (SOURCE, VISIBLE, FULL) if name not in self.data.extra]
        if missing:
            raise ConfigError(f"segan_invisible needs the extra {' and '.join(missing)}: choose data=occluded_shapes")
        super().check()
