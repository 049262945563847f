"""TAN (Frans 2017, arXiv 1704.08834): outlines to blurred colours, and both to an image, by two networks in tandem."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import EMPTY, Batch, Components, ConfigError, Game, Latent, Pair, Player
from gan_zoo.chained import Chained
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import SOURCE, PixelDistance

HINTS, PAINT = "hints", "paint"
STEPS = (HINTS, PAINT)


def hints_of(images: Tensor, blur: int) -> Tensor:
    """Return where which colours are: means over squares of images (N, C, H, W), smoothly enlarged again."""
    return F.interpolate(F.avg_pool2d(images, blur), size=images.shape[2:], mode="bilinear", align_corners=False)


class Tandem(Chained):
    """The painter after the one that guesses colours, without parameters of its own.

    Args:
        hints: makes colours of outlines.
        paint: makes images of outlines and colours.
    """

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given `source` to images; `hints` (N, C, H, W) take the place of guessed ones if they are given."""
        hints, paint = self.links
        outline = given[SOURCE]
        colours = given[HINTS] if HINTS in given else hints(z, labels, {SOURCE: outline})
        made: Tensor = paint(z, labels, {SOURCE: torch.cat([outline, colours], 1)})
        return made


class TAN(Game):
    """Two pix2pix: P makes colour hints of an outline, Q an image of the outline and of true hints; run in a row.

    Both are trained apart, each with a discriminator that sees what it makes beside what it is made of, by L_G +
    distance |x - g|₁. Samples are Q(s, P(s)). In the author's program hints are made of images with white squares at
    random places, so that Q can do with fewer.

    Args:
        components: what the game is made of.
        distance: the weight of the distance of pixels for Q; 100.
        hints_distance: that for P; 10 in the author's program.
        blur: pixels to a side of the squares over which true hints are means; it divides the images' sides.
    """

    sampling_network = "tandem"
    generates_from = SOURCE

    def __init__(self, components: Components, distance: float, hints_distance: float, blur: int) -> None:
        require_not_negative(distance=distance, hints_distance=hints_distance)
        if blur < 2:
            raise ValueError(f"blur={blur}: it must be at least 2")
        super().__init__(components)
        self.blur = blur
        for step, weight in zip(STEPS, (hints_distance, distance), strict=True):
            if weight:
                self.player(f"generator_{step}").add_term("distance", PixelDistance("l1"), weight)

    def make_players(self) -> list[Player]:
        """Return a discriminator and a generator for each of the two."""
        self.networks["tandem"] = Tandem(*(self.network(f"generator_{step}") for step in STEPS))
        return [
            Player(f"{team}_{step}", (f"{team}_{step}",), team, {step: team})
            for team in ("discriminator", "generator")
            for step in STEPS
        ]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return true hints and guessed ones, and images and what is painted of true hints."""
        outline = latent.given[SOURCE]
        hints = hints_of(batch.samples, self.blur)
        both = torch.cat([outline, hints], 1)
        found = {}
        for step, source, real in ((HINTS, outline, hints), (PAINT, both, batch.samples)):
            fake = self.generate(latent._replace(given={SOURCE: source}), f"generator_{step}")
            judge, given = self.judge(f"discriminator_{step}"), (source,)
            found[step] = Pair(judge, batch, latent, fake, real=real, real_given=given, fake_given=given)
        return found

    def check(self) -> None:
        """See that samples have outlines of their size.

        Raises:
            ConfigError: they have not.
        """
        found = self.data.extra.get(SOURCE)
        if found is None or found[1:] != self.data.sample[1:] or any(side % self.blur for side in found[1:]):
            raise ConfigError(
                f"tan paints the extra {SOURCE!r}, of the samples' size, a multiple of game.blur={self.blur}, and "
                f"these data have {self.data.sample} of {found}: choose data=paired, or data=shape_pairs with "
                "data.task=outline"
            )
        super().check()
