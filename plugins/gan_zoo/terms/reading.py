"""What terms share that read heads of the discriminator."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import (
    ConfigError,
    DiscriminatorOutput,
    Game,
    Player,
    Term,
    blank,
    evaluation_mode,
    try_meeting,
)
from gan_zoo.terms.sides import name_of

SEVERAL = 8
"""Blank samples on which heads are tried."""


def require_head(term: Term, game: Game, player: Player, *heads: str) -> None:
    """See that a player is on a side, and that what judges for it has heads, on which a discriminator is trained.

    Raises:
        ConfigError: it is on neither side, a head is missing or of several samples, or no discriminator has the term.
    """
    name = name_of(term, player)
    discriminators = game.teams()[0]
    if player.team is None:
        raise ConfigError(
            f"terms.{name}.player={player.name}: {name} has no effect on a player of neither side; choose "
            f"{' or '.join(other.name for side in game.teams()[:2] for other in side)}"
        )
    for network in game.judges_of(player, name):
        said, kind = _said_of_several(game, network), type(game.network(network)).__name__
        missing = [head for head in heads if head not in said.heads]
        if missing:
            raise ConfigError(
                f"{name} needs a discriminator with the head `{missing[0]}`, which {kind} has not: add "
                "'strategy=[heads]'"
            )
        if len(said.heads[heads[0]]) != SEVERAL:
            raise ConfigError(
                f"{name} needs something of each sample, and {kind} says one thing of several: leave out pack or {name}"
            )
    if not any(isinstance(own, type(term)) for other in discriminators for own in other.terms.values()):
        raise ConfigError(
            f"terms.{name}.player={player.name}: nothing trains the discriminator's head that {name} reads; give it "
            f"to {' and '.join(other.name for other in discriminators)} too"
        )


def _said_of_several(game: Game, network: str) -> DiscriminatorOutput:
    """Return what a discriminator says of so many blank samples that packs of them are fewer."""
    pairs = try_meeting(game, blank(game.data, SEVERAL, game.device)).values()
    with torch.no_grad(), evaluation_mode(game.networks):
        return next(pair.real_output for pair in pairs if pair.judged_by_network == network)


def widened(scores: Tensor) -> Tensor:
    """Return scores in at least float32."""
    return scores.float() if scores.element_size() < 4 else scores
