"""One-sided label smoothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gan_framework.api import ConfigError, Game, Strategy


class OneSidedLabelSmoothing(Strategy):
    """D is asked for less than certainty on real samples (Salimans et al. 2016, arXiv 1606.03498, section 3.4).

    The target for generated samples stays 0, and the generator's target stays 1: smoothing those
    would reward the generator for its present errors.

    Args:
        real_target: what D is asked to say of real samples.
    """

    def __init__(self, real_target: float) -> None:
        if not 0 < real_target < 1:
            raise ValueError(f"real_target={real_target}: it must lie between 0 and 1")
        self.real_target = real_target

    def apply(self, game: Game) -> None:
        """Set the loss's real target."""
        game.claim("target for real samples", "one_sided_label_smoothing")
        loss: Any = game.loss
        if not hasattr(loss, "real_target"):
            raise ConfigError(
                f"one_sided_label_smoothing has no effect on {type(loss).__name__}, which has no target for "
                "real samples; it goes with losses that have one (nonsaturating, least_squares)"
            )
        for player in map(game.player, game.players):
            parts = player.objective.values() if isinstance(player.objective, Mapping) else [player.objective]
            if "swapped" in parts:
                raise ConfigError(
                    f"one_sided_label_smoothing leaves the generator's target at 1, and the player {player.name!r} of "
                    f"{type(game).__name__} minimises the discriminator's loss with its sides exchanged"
                )
        loss.real_target = self.real_target
