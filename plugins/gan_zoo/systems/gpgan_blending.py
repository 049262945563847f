"""GP-GAN (Wu et al. 2017, arXiv 1703.07195): a GAN's colours and a composite's details, blended."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Components, ConfigError, Latent
from gan_zoo.games.translation import Translation
from gan_zoo.poisson import blended
from gan_zoo.ranges import require_below_one, require_not_negative, require_positive
from gan_zoo.translating import SOURCE

MASK = "mask"


class GPGANBlending(Translation):
    """G makes a blended image of a composite by (1 - adversarial) |x - g|² + adversarial L_G (equation 3).

    Samples are not G's images but the solution of a screened Poisson equation: gradients of the composite, colours of
    g, from coarse to fine (equations 5 to 7), cut off at -1 and 1. D judges images alone.

    Args:
        components: what the game is made of.
        adversarial: the weight of G's adversarial loss; 0.001 in the paper.
        colours: β, the weight of g's colours against the composite's gradients; 1 in the paper. 0 for g as it is.
        levels: sizes of the pyramid.
    """

    def __init__(self, components: Components, adversarial: float, colours: float, levels: int) -> None:
        require_below_one(adversarial=adversarial)
        require_not_negative(colours=colours)
        require_positive(levels=levels)
        super().__init__(components, False, 1.0, adversarial, "l2", 1 - adversarial)
        self.colours, self.levels = colours, levels

    @torch.no_grad()
    def sample(self, latent: Latent) -> Tensor:
        """Return the blended images (N, C, H, W) of the given composites and masks."""
        made = super().sample(latent)
        if not self.colours:
            return made
        composite, mask = (latent.given[name].to(made.dtype) for name in (SOURCE, MASK))
        return blended(made, composite, mask, self.colours, self.levels).clamp(-1, 1)

    def check(self) -> None:
        """See that there are composites and masks whose sides can be halved so often.

        Raises:
            ConfigError: there are not.
        """
        if MASK not in self.data.extra or self.data.extra.get(SOURCE) != self.data.sample:
            raise ConfigError(
                f"gpgan_blending needs composites of the samples' shape as {SOURCE!r} and a {MASK!r}: choose "
                "data=composites"
            )
        if any(side % 2 ** (self.levels - 1) for side in self.data.sample[1:]):
            raise ConfigError(
                f"game.levels={self.levels}: images of {self.data.sample[1:]} pixels cannot be halved so often"
            )
        super().check()
