"""Sliced Wasserstein distances: the generator matches the real samples along random directions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, Game, Pair, Player, Strategy, Term, try_meeting
from gan_zoo.matching import check_layer, check_settings, match
from gan_zoo.ranges import require_positive


def sliced_distance(real: Tensor, fake: Tensor, directions: Tensor) -> Tensor:
    """Return the mean over directions (L, D) of the squared W₂ of two batches (N, D) along each."""
    along_real, along_fake = (batch @ directions.T for batch in (real, fake))
    return (along_real.sort(dim=0).values - along_fake.sort(dim=0).values).square().mean()


class SlicedWassersteinTerm(Term):
    """E_θ W₂²(θᵀx, θᵀG(z)) over random unit directions θ (Deshpande et al. 2018, arXiv 1803.11188).

    Args:
        directions: how many, drawn anew in each update.
        layer: of the discriminator's features, in which the distance is measured; None for the samples themselves.
    """

    def __init__(self, directions: int, layer: int | None) -> None:
        super().__init__()
        self.directions = directions
        self.layer = layer

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of this pair's batches; what the real ones depend on has no gradient."""
        if self.layer is None:
            real, fake = pair.real, pair.fake
        else:
            real, fake = (said.features[self.layer] for said in (pair.real_output, pair.fake_output))
        real, fake = (batch.flatten(1).to(pair.real.dtype) for batch in (real.detach(), fake))
        drawn = torch.randn(self.directions, real.shape[1], device=real.device, dtype=real.dtype)
        return sliced_distance(real, fake, F.normalize(drawn, dim=1))


class SlicedWasserstein(Strategy):
    """G matches the real batch along random directions (Deshpande et al. 2018, arXiv 1803.11188).

    D goes on learning to tell samples apart, which makes its features worth matching in.

    Args:
        mode: `replace` the generator's adversarial loss as in the paper, or `add` to it.
        weight: of the distance.
        directions: random directions in each update.
        layer: of the discriminator's features, 0 the first, negative numbers from the last; null for the samples.
    """

    def __init__(self, mode: str, weight: float, directions: int, layer: int | None) -> None:
        check_settings(mode, weight)
        require_positive(directions=directions)
        self.mode = mode
        self.weight = weight
        self.directions = directions
        self.layer = layer

    def apply(self, game: Game) -> None:
        """Give the players on the generator's side the term, in place of their adversarial loss or beside it."""
        if self.layer is not None:
            check_layer(game, "sliced_wasserstein", self.layer)
        for pair in try_meeting(game).values():
            if len(pair.real) != len(pair.fake):
                raise ConfigError(
                    f"sliced_wasserstein compares sorted batches of one size, and {type(game).__name__} has "
                    f"{len(pair.real)} real and {len(pair.fake)} generated samples: choose feature_matching"
                )
        term = lambda: SlicedWassersteinTerm(self.directions, self.layer)  # noqa: E731
        match(game, "sliced_wasserstein", term, self.mode, self.weight)
