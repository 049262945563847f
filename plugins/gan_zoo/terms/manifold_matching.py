"""Spheres around the features of real and of generated samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Pair, Player, Term, distributed
from gan_zoo.ranges import require_below_one, require_not_negative
from gan_zoo.terms.sides import name_of, require_generator

SIDES = ("real", "fake")
LEAST = 1e-6
"""Added to variances: a feature that does not vary correlates with none, and its gradient has a bound."""


def sphere(features: Tensor, centre: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the centre (D,) of features (N, D), their mean unless it is given, and their mean distance to it."""
    centre = features.mean(0) if centre is None else centre
    return centre, torch.linalg.vector_norm(features - centre, dim=1).mean()


def correlation_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Return ‖corr(real) - corr(fake)‖_F² of features (N, D) and (M, D).

    It is found from products of samples, (N + M)² numbers, because D² of them would be millions for images.
    """
    a, b = _standardised(real), _standardised(fake)
    return (a @ a.T).square().sum() + (b @ b.T).square().sum() - 2 * (a @ b.T).square().sum()


def _standardised(features: Tensor) -> Tensor:
    """Return features whose product with themselves AᵀA is their matrix of correlations."""
    centred = features - features.mean(0)
    deviation = (centred.square().mean(0) + LEAST).sqrt()
    return centred / (deviation * math.sqrt(len(features)))


class ManifoldMatching(Term):
    """‖c - c'‖² + (r - r')²: D's features of real and of generated samples are to lie on one sphere.

    MMGAN, Park et al. 2017, arXiv 1707.08273, in the smallest form of its idea: the centre c is the features' mean, the
    radius r their mean distance to it. Of both sides they are averages over batches, the present one included, through
    which alone a gradient flows. To this comes correlation · ‖corr - corr'‖_F², of the present batch.

    Args:
        layer: which of the discriminator's features, 0 the first; negative numbers count from the last.
        decay: the share of the averages that is kept in each update; 0 for the present batch alone.
        correlation: weight of the distance of the matrices of correlations.
    """

    real_radius: Tensor
    fake_radius: Tensor
    real_centre: Tensor
    fake_centre: Tensor
    begun: Tensor

    def __init__(self, layer: int, decay: float, correlation: float) -> None:
        super().__init__()
        require_below_one(decay=decay)
        require_not_negative(correlation=correlation)
        self.layer = layer
        self.decay = decay
        self.correlation = correlation
        self.register_buffer("begun", torch.tensor(0.0))
        for side in SIDES:
            self.register_buffer(f"{side}_radius", torch.tensor(0.0))

    def attach(self, game: Game) -> None:
        """Take up the size of the features, which the averages have."""
        super().attach(game)
        judges = game.judges_of(*self._known(game))
        size = 0
        if judges:
            features = game.probe(judges[0]).features
            if -len(features) <= self.layer < len(features):
                size = features[self.layer].flatten(1).shape[1]
        for side in SIDES:
            self.register_buffer(f"{side}_centre", torch.zeros(size, device=game.device))

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a generator, and that one discriminator has such features.

        Raises:
            ConfigError: it does not, or there are several discriminators, or none with features.
        """
        require_generator(self, game, player)
        name = name_of(self, player)
        judges = game.judges_of(player, name)
        if len(judges) != 1:
            raise ConfigError(
                f"terms.{name} follows the features of one discriminator, and the player {player.name!r} faces "
                f"{', '.join(judges) or 'none'}: set +terms.{name}.pair"
            )
        if not len(self.real_centre):
            raise ConfigError(
                f"terms.{name}.layer={self.layer}: {type(game.network(judges[0])).__name__} reports "
                f"{len(game.probe(judges[0]).features)} layers of features"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the squared distances of centres and radii, and that of the correlations."""
        real, fake = self._features(pair)
        (real_centre, real_radius), (fake_centre, fake_radius) = self._averages(real, fake)
        loss = (real_centre - fake_centre).square().sum() + (real_radius - fake_radius).square()
        if self.correlation:
            loss = loss + self.correlation * correlation_distance(real, fake)
        return loss

    def after_update(self, pair: Pair, player: Player) -> None:
        """Let the averages follow."""
        for side, averages in zip(SIDES, self._averages(*self._features(pair)), strict=True):
            for name, average in zip(("centre", "radius"), averages, strict=True):
                self.get_buffer(f"{side}_{name}").copy_(distributed.mean(average))
        self.begun.fill_(1.0)

    def _features(self, pair: Pair) -> tuple[Tensor, Tensor]:
        said = (pair.real_output, pair.fake_output)
        real, fake = (output.features[self.layer].flatten(1).to(pair.real.dtype) for output in said)
        return real.detach(), fake

    def _averages(self, real: Tensor, fake: Tensor) -> list[tuple[Tensor, Tensor]]:
        kept = self.decay * self.begun  # the first batch begins them
        found = []
        for side, features in zip(SIDES, (real, fake), strict=True):
            centre, radius = sphere(features)
            before = (self.get_buffer(f"{side}_{name}") for name in ("centre", "radius"))
            found.append((torch.lerp(centre, next(before), kept), torch.lerp(radius, next(before), kept)))
        return found

    def _known(self, game: Game) -> tuple[Player, str]:
        return next(
            (player, name)
            for player in map(game.player, game.players)
            for name, term in player.terms.items()
            if term is self
        )
