"""How a generator is asked to match statistics of the real samples, beside its adversarial loss or in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gan_framework.api import ConfigError, Game, Term, TermPlan, try_meeting
from gan_zoo.ranges import require_above_zero

MODES = ("replace", "add")


def check_settings(mode: str, weight: float) -> None:
    """See that `match` can be asked for these.

    Raises:
        ValueError: the mode is unknown, or the weight is not positive.
    """
    if mode not in MODES:
        raise ValueError(f"mode={mode!r}: choose {' or '.join(MODES)}")
    require_above_zero(weight=weight)


def check_layer(game: Game, strategy: str, layer: int) -> None:
    """See that every discriminator reports a layer of features.

    Raises:
        ConfigError: one does not.
    """
    for pair in try_meeting(game).values():
        network = pair.judged_by_network
        if network is not None:
            features, kind = len(game.probe(network).features), type(game.network(network)).__name__
        elif pair.has_judge:  # in a way of its game's own
            features, kind = len(pair.real_output.features), type(game).__name__
        else:
            continue
        if features == 0:
            raise ConfigError(f"{strategy} has no effect on {kind}, which reports no features")
        if not -features <= layer < features:
            raise ConfigError(
                f"{strategy}.layer={layer}: {kind} reports {features} layers, {-features} to {features - 1}"
            )


def match(game: Game, name: str, term: Callable[[], Term], mode: str, weight: float) -> None:
    """Give the players on the generator's side a term, in place of their adversarial loss or beside it."""
    for player in game.teams()[1]:
        faced = tuple(player.objective) if isinstance(player.objective, Mapping) else None
        if mode == "replace":
            game.claim(f"adversarial loss of the {player.name}", name)
            player.objective = None
        player.add_term(name, term(), plan=TermPlan(weight, pairs=faced))
