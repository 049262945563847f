"""Lookahead: slow weights that go part of the way to where the fast ones have gone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Game, NextBatch, Schedule, Strategy
from gan_zoo.ranges import require_positive


class DrawBack(Schedule):
    """Plays another schedule, and every k steps draws all parameters back towards where they were k steps ago.

    Args:
        schedule: is played.
        parameters: of all players.
        k: steps.
        alpha: the share of the way that is kept.
        outer: a multiple of k; every so many steps they are drawn back further, to where they were as many steps ago.
    """

    steps: Tensor

    def __init__(
        self, schedule: Schedule, parameters: list[nn.Parameter], k: int, alpha: float, outer: int | None = None
    ) -> None:
        super().__init__()
        self.schedule = schedule
        self.accumulates = schedule.accumulates
        self.differentiates_twice = schedule.differentiates_twice
        self.g_batches = getattr(schedule, "g_batches", 1)
        # Kept in a tuple: they belong to the game, and must not be registered twice.
        self._fast = (parameters,)
        self.k = k
        self.alpha = alpha
        self.outer = outer
        self.register_buffer("steps", torch.tensor(0))
        for i, parameter in enumerate(parameters):
            self.register_buffer(f"slow_{i}", parameter.detach().clone())
            if outer is not None:
                self.register_buffer(f"slower_{i}", parameter.detach().clone())

    def check(self, game: Game) -> None:
        """See that the schedule that is played fits."""
        self.schedule.check(game)

    @torch.no_grad()
    def step(self, game: Game, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and draw back if it is the k-th."""
        (fast,) = self._fast
        slow = [self.get_buffer(f"slow_{i}") for i in range(len(fast))]
        slower = [self.get_buffer(f"slower_{i}") for i in range(len(fast))] if self.outer is not None else []
        if self.steps == 0:  # what comes before the first step has changed the parameters
            torch._foreach_copy_(slow, list(fast))
            if slower:
                torch._foreach_copy_(slower, slow)
        with torch.enable_grad():
            measured = self.schedule.step(game, next_batch)
        self.steps += 1
        if self.steps % self.k == 0:
            torch._foreach_lerp_(slow, list(fast), self.alpha)
            if self.outer is not None and self.steps % self.outer == 0:
                torch._foreach_lerp_(slower, slow, self.alpha)
                torch._foreach_copy_(slow, slower)
            torch._foreach_copy_(list(fast), slow)
        return measured


class Lookahead(Strategy):
    """Every k steps all players go back part of their way together (Chavdarova et al. 2021, arXiv 2006.14567).

    Optimizers keep their moments. Samples at steps that k divides are those of the slow weights.

    Args:
        k: steps between two returns.
        alpha: the share of the way that is kept.
        outer: steps between two further returns, of the slow weights themselves (nested lookahead); a multiple of k, or
            null for none.
    """

    applies_last = True

    def __init__(self, k: int, alpha: float, outer: int | None = None) -> None:
        require_positive(k=k)
        if outer is not None and (outer <= k or outer % k):
            raise ValueError(f"outer={outer}: it must be a multiple of k={k} and above it, or null for none")
        if not 0 < alpha < 1:
            raise ValueError(f"alpha={alpha}: it must lie between 0 and 1")
        self.k = k
        self.alpha = alpha
        self.outer = outer

    def apply(self, game: Game) -> None:
        """Play the game's schedule with returns."""
        game.claim("schedule as a whole", "lookahead")
        networks = dict.fromkeys(name for player in map(game.player, game.players) for name in player.networks)
        game.schedule = DrawBack(game.schedule, game.trainable(tuple(networks)), self.k, self.alpha, self.outer)
