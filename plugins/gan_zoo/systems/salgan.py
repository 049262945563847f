"""SalGAN (Pan et al. 2017, arXiv 1701.01081): where people look in an image, as a map."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Components, Pair, Player, Term
from gan_zoo.games.translation import Translation
from gan_zoo.ranges import require_above_zero, require_positive


class Content(Term):
    """The binary cross entropy of maps that are averaged over squares of pixels (equation 2).

    Args:
        pool: pixels to a side of a square.
    """

    def __init__(self, pool: int) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the maps that were made."""
        return content(pair.fake.float(), pair.real, self.pool)


def content(made: Tensor, truth: Tensor, pool: int) -> Tensor:
    """Return the mean of -t log p - (1 - t) log(1 - p) of maps (N, 1, H, W) in [-1, 1], in [0, 1] and pooled."""
    p, t = (F.avg_pool2d(((x + 1) / 2).clamp(0, 1), pool) for x in (made, truth))
    return F.binary_cross_entropy(p, t)


class SalGAN(Translation):
    """A map of an image, by cross entropy and by a discriminator that sees both (section 3).

    G minimises content_weight · `Content` + its adversarial loss. D judges the map beside the image.

    Args:
        components: what the game is made of.
        content_weight: 1/20 in the authors' program.
        pool: pixels to a side of the squares over which maps are averaged.
    """

    def __init__(self, components: Components, content_weight: float, pool: int) -> None:
        require_above_zero(content_weight=content_weight)
        require_positive(pool=pool)
        super().__init__(components, True, 0.5, 1.0, "l1", 0.0)
        self.player("generator").add_term("content", Content(pool), content_weight)
