"""Feature matching: the generator matches the mean of the discriminator's inner features."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gan_framework.api import ConfigError, Game, Pair, Player, Strategy, Term, TermPlan, try_meeting

MODES = ("replace", "add")


def squared_mean_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Return the squared distance ‖E real - E fake‖² of the means of two batches of features (N, ...)."""
    return (real.mean(dim=0) - fake.mean(dim=0)).square().sum()


class FeatureMatchingTerm(Term):
    """‖E f(x) - E f(G(z))‖² (Salimans et al. 2016, arXiv 1606.03498, section 3.1), f an inner layer of D.

    Args:
        layer: which of the discriminator's features, 0 the first; negative numbers count from the last.
    """

    def __init__(self, layer: int) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of this pair's mean features; what the real ones depend on has a gradient too."""
        real = pair.real_output.features[self.layer]
        fake = pair.fake_output.features[self.layer]
        wide = pair.real.dtype
        return squared_mean_distance(real.to(wide), fake.to(wide))


class FeatureMatching(Strategy):
    """G matches the mean of D's inner features on real samples (Salimans et al. 2016, arXiv 1606.03498, section 3.1).

    Args:
        mode: `replace` the generator's adversarial loss as in the paper, or `add` to it.
        weight: of the distance.
        layer: which of the discriminator's features, 0 the first; negative numbers count from the last.
    """

    def __init__(self, mode: str, weight: float, layer: int) -> None:
        if mode not in MODES:
            raise ValueError(f"mode={mode!r}: choose {' or '.join(MODES)}")
        if not weight > 0:
            raise ValueError(f"weight={weight}: it must be positive")
        self.mode = mode
        self.weight = weight
        self.layer = layer

    def apply(self, game: Game) -> None:
        """Give the players on the generator's side the term, in place of their adversarial loss or beside it."""
        for network in dict.fromkeys(pair.judged_by_network for pair in try_meeting(game).values()):
            if network is not None:
                self._check(game, network)
        for player in game.teams()[1]:
            faced = tuple(player.objective) if isinstance(player.objective, Mapping) else None
            if self.mode == "replace":
                game.claim(f"adversarial loss of the {player.name}", "feature_matching")
                player.objective = None
            plan = TermPlan(self.weight, pairs=faced)
            player.add_term("feature_matching", FeatureMatchingTerm(self.layer), plan=plan)

    def _check(self, game: Game, network: str) -> None:
        features, kind = len(game.probe(network).features), type(game.network(network)).__name__
        if features == 0:
            raise ConfigError(f"feature_matching has no effect on {kind}, which reports no features")
        if not -features <= self.layer < features:
            raise ConfigError(
                f"feature_matching.layer={self.layer}: {kind} reports {features} layers, {-features} to {features - 1}"
            )
