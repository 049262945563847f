"""The mirror map of relaxed Wasserstein GANs."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import ConfigError, Game, Pair, Strategy
from gan_zoo.pairing_up import change_pairs

POTENTIALS = ("entropy", "euclidean")


def mirrored(x: Tensor, floor: float) -> Tensor:
    """Return ∇φ = 1 + log u of samples x in [-1, 1], φ(u) = Σ u log u and u = max(floor, (x + 1) / 2)."""
    return 1 + ((x + 1) / 2).clamp(min=floor).log()


class MirrorMap(Strategy):
    """D sees ∇φ(G(z)) in the place of G(z), for a Wasserstein loss of a Bregman cost (Guo et al. 2017).

    Relaxed Wasserstein, arXiv 1705.07164. This is our reading of the paper's heuristic, with a loss and the clipping of
    WGAN (`strategy.weight_clipping.lower` for its unequal bounds). It does not estimate the relaxed distance itself.
    Where it leads, ∇φ(G(z)) and not G(z) is distributed as the real samples are, unless both are mapped.

    Args:
        potential: φ: `entropy`, Σ u log u, whose cost is Kullback and Leibler's; or `euclidean`, ½ ‖x‖², whose map
            changes nothing.
        floor: samples, taken from [-1, 1] to [0, 1], are raised to this at least, because log 0 is infinite.
        both: map real samples too.
    """

    def __init__(self, potential: str, floor: float, both: bool) -> None:
        if potential not in POTENTIALS:
            raise ValueError(f"potential={potential!r}: choose {' or '.join(POTENTIALS)}")
        if not 0 < floor < 1:
            raise ValueError(f"floor={floor}: it must lie between 0 and 1")
        self.potential = potential
        self.floor = floor
        self.both = both

    def apply(self, game: Game) -> None:
        """Have the samples of every pair mapped."""
        if not game.teams()[0]:
            raise ConfigError(f"mirror_map has no effect on {type(game).__name__}, which updates no discriminator")
        if self.potential == "euclidean":
            return
        if not game.data.is_8_bit and game.data.value_range != (-1.0, 1.0):
            raise ConfigError(
                f"mirror_map takes the logarithm of samples in [-1, 1], and these data are {game.data.sample} without "
                "such bounds: choose images, or strategy.mirror_map.potential=euclidean"
            )
        change_pairs(game, self._map)

    def _map(self, pair: Pair) -> Pair:
        pair.fake = mirrored(pair.fake, self.floor)
        if self.both:
            pair.real = mirrored(pair.real, self.floor)
        return pair
