"""Historical averaging: players pay for the distance of their parameters from their average over the past."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan_framework.api import Game, Pair, Player, Strategy, Term
from gan_zoo.ranges import require_above_zero


class HistoricalAveragingTerm(Term):
    """‖θ - (1/t) Σ_i θ[i]‖², θ[i] the parameters before the player's update i, the present one included.

    The average is a running mean (Salimans et al. 2016, arXiv 1606.03498, section 3.3) and a constant
    to the gradient. It takes in the parameters once for every update, however often the term is evaluated.

    Args:
        parameters: the parameters that the player will update.
    """

    of_weights = True

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        super().__init__()
        for i, parameter in enumerate(parameters):
            self.register_buffer(f"mean_{i}", torch.zeros_like(parameter, requires_grad=False))
        self.taken = 0

    def check(self, game: Game, player: Player) -> None:
        """Take up the player's parameters, those too that are frozen for some steps: they are their own average."""
        # Kept in a tuple: they belong to the game, and must not be registered twice.
        self._averaged = (game.trainable(player.networks),)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the squared distance of the player's parameters from their average."""
        means, (parameters,) = list(self.buffers()), self._averaged
        if player.updates >= self.taken:
            self._take_in(means, parameters)
        return torch.stack([(p - mean).square().sum() for p, mean in zip(parameters, means, strict=True)]).sum()

    @torch.no_grad()
    def _take_in(self, means: list[Tensor], parameters: list[nn.Parameter]) -> None:
        self.taken += 1
        torch._foreach_lerp_(means, list(parameters), 1 / self.taken)

    def get_extra_state(self) -> dict[str, int]:
        """Return how often parameters were taken into the average."""
        return {"taken": self.taken}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take up how often parameters were taken into the average."""
        self.taken = state["taken"]


class HistoricalAveraging(Strategy):
    """Players pay for straying from their past (Salimans et al. 2016, arXiv 1606.03498, section 3.3).

    Args:
        players: whose costs gain the term; all players' if null.
        weight: of the squared distance.
    """

    applies_last = True

    def __init__(self, players: list[str] | None, weight: float) -> None:
        if players == []:
            raise ValueError("players=[]: name at least one player, or write null for all")
        require_above_zero(weight=weight)
        self.players = players
        self.weight = weight

    def apply(self, game: Game) -> None:
        """Give each chosen player the term."""
        for name in self.players if self.players is not None else list(game.players):
            player = game.player(name)
            term = HistoricalAveragingTerm(game.trainable(player.networks))
            player.add_term("historical_averaging", term, self.weight)
