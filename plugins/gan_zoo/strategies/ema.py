"""An exponential moving average of the generator's weights."""

from __future__ import annotations

import copy
from itertools import chain

import torch
from torch import nn

from gan_framework.core.contracts.strategy import Strategy
from gan_framework.core.game import Game


class Average(nn.Module):
    """Moves an average network towards a trained one, one step for every call.

    Args:
        trained: the network whose weights are averaged.
        average: the network that holds the average.
        decay: the share of the average that is kept in each step.
        warmup: in the first `warmup` steps the average follows the weights exactly.
    """

    def __init__(self, trained: nn.Module, average: nn.Module, decay: float, warmup: int) -> None:
        super().__init__()
        # Kept in a tuple: both belong to the game, and must not be registered twice.
        self._pair = (trained, average)
        self.decay = decay
        self.warmup = warmup
        self.steps = 0

    @torch.no_grad()
    def forward(self) -> None:
        """Average the parameters; copy the buffers, which are running averages already."""
        trained, average = self._pair
        decay = self.decay if self.steps >= self.warmup else 0.0
        torch._foreach_lerp_(list(average.parameters()), list(trained.parameters()), 1 - decay)
        for kept, current in zip(average.buffers(), trained.buffers(), strict=True):
            kept.copy_(current)
        self.steps += 1

    def get_extra_state(self) -> dict[str, int]:
        """Return the number of steps."""
        return {"steps": self.steps}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take up the number of steps."""
        self.steps = state["steps"]


class EMA(Strategy):
    """Samples and scores come from averaged generator weights (Yazıcı et al. 2018, arXiv 1806.04498).

    Args:
        decay: the share of the average that is kept in each generator move.
        warmup: generator moves in which the average follows the weights exactly.
    """

    applies_last = True

    def __init__(self, decay: float, warmup: int) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay}: it must be at least 0 and below 1")
        self.decay = decay
        self.warmup = warmup

    def apply(self, game: Game) -> None:
        """Add the network `generator_ema` and sample from it."""
        game.claim("network that samples are drawn from", "ema")
        average = copy.deepcopy(game.generator).requires_grad_(False)
        game.networks["generator_ema"] = average
        game.sampling_network = "generator_ema"
        following = Average(game.generator, average, self.decay, self.warmup)
        game.player("generator").after_step.append(following)
        playing = [*chain(*game.sides())]
        for player in map(game.player, game.players):
            # One that trains the generator before the others play (a VAE), and not one that does so beside it (Q).
            if "generator" in player.networks and player not in playing:
                player.after_step.append(following)
