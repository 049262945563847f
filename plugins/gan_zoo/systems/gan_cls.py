"""GAN-CLS and GAN-INT (Reed et al. 2016, arXiv 1605.05396): images of a text, which is to match."""

from __future__ import annotations

from collections.abc import Mapping

from gan_framework.api import SAMPLES, Batch, Components, Latent, Pair, Player
from gan_zoo.describing import MADE, TEXT, Described
from gan_zoo.ranges import require_not_negative

BETWEEN = "between"


class GANCLS(Described):
    """Images of texts; D is also shown images with another's text, so that it has to read it (algorithm 1).

    D minimises BCE₁(x, t) + wrong · BCE₀(x, t̃) + made · BCE₀(G(z, t), t), G minimises BCE₁(G(z, t), t), and with
    `interpolated` (GAN-INT, equation 5) BCE₁ for half a batch more of t = ½ (t₁ + t₂), texts that no image has, each of
    whose images has that weight, as in the authors' program: ½ interpolated times their mean is added.

    With a perfect G, and texts t̃ that are never right, the best D gives right pairs the probability 2/3, and its loss
    is 0.9547713; of two equally frequent texts half of the wrong ones are right, and it is 4/7 and 1.1950892.

    Args:
        components: what the game is made of.
        wrong: the weight of images with another's text: ½; 0 for a plain conditional GAN.
        made: the weight of generated images in D's loss: ½.
        interpolated: the weight of each image of a text between two in G's loss; 0 for GAN-CLS.
    """

    def __init__(self, components: Components, wrong: float, made: float, interpolated: float) -> None:
        require_not_negative(interpolated=interpolated)
        self.interpolated = interpolated
        super().__init__(components, wrong, made)

    def make_players(self) -> list[Player]:
        """Return D, and G, which with interpolation faces texts that no image has too."""
        discriminator, generator = super().make_players()
        if self.interpolated:
            facing = {MADE: "generator", BETWEEN: "generator"}
            weight = 0.5 * self.interpolated
            generator = Player(
                "generator", ("generator",), "generator", facing, lambda both: both[0] + weight * both[1]
            )
        return [discriminator, generator]

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return images with their text, with another's, generated ones, and those of texts between two."""
        found = dict(super().pairs(batch, latent))
        if self.interpolated:
            half = (len(latent.z) + 1) // 2
            text = latent.given[TEXT]
            text = 0.5 * (text[:half] + text[-half:])
            between = latent.part(slice(half))._replace(z=latent.z[-half:], given={TEXT: text})
            made, real = self.make(between), batch.part(slice(half))
            given = (text,)
            found[BETWEEN] = Pair(
                self.judge("discriminator"), real, between, made[SAMPLES], real_given=given, fake_given=given, made=made
            )
        return found
