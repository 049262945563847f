"""An exponential moving average of the generator's weights."""

from __future__ import annotations

import copy
import logging
from itertools import chain

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Strategy

log = logging.getLogger(__name__)

UNTRAINED = 0.1
"""The share of untrained weights in the last average from which on it is worth a warning."""

TRIAL = 50
"""Runs of fewer steps are trials, whose scores nobody believes."""

SOON = 16
"""More updates of a generator than one step has: what is further away than that does not change a step."""


class Average(nn.Module):
    """Draws an average network towards a trained one, one step for every call.

    Args:
        trained: the network whose weights are averaged.
        average: the network that holds the average.
        decay: the share of the average that is kept in each step.
        warmup: in the first `warmup` steps the average follows the weights exactly.
        planned: how many steps there will be; None if it is not known.
    """

    def __init__(
        self, trained: nn.Module, average: nn.Module, decay: float, warmup: int, planned: int | None = None
    ) -> None:
        super().__init__()
        # Kept in a tuple: both belong to the game, and must not be registered twice.
        self._pair = (trained, average)
        self.decay = decay
        self.warmup = warmup
        self.planned = planned
        self.steps = 0

    @torch.no_grad()
    def forward(self) -> None:
        """Average the parameters; copy the buffers, which are running averages already."""
        trained, average = self._pair
        if self.steps == 0:
            self._warn_of_untrained_weights()
        decay = self.decay if self.steps >= self.warmup else 0.0
        torch._foreach_lerp_(list(average.parameters()), list(trained.parameters()), 1 - decay)
        self._copy_buffers()
        self.steps += 1

    def _warn_of_untrained_weights(self) -> None:
        """Say so if samples and scores will come from weights that are in good part those of the start."""
        if self.planned is None or self.planned < TRIAL or self.warmup:
            return
        left = self.decay**self.planned
        if left > UNTRAINED:
            log.warning(
                "ema: after %s steps, %.0f%% of the averaged weights, from which samples and scores come, will be the "
                "untrained ones; try strategy.ema.decay=%.3g, or strategy.ema.warmup=%d",
                f"{self.planned:,}",
                100 * left,
                max(1 - 10 / self.planned, 0.0),
                max(self.planned // 5, 1),
            )

    def _copy_buffers(self) -> None:
        trained, average = self._pair
        for kept, current in zip(average.buffers(), trained.buffers(), strict=True):
            kept.copy_(current)

    def replayed(self) -> None:
        """Count a step that a CUDA graph has taken."""
        self.steps += 1

    def graph_key(self) -> int:
        """Return how many steps of the warm-up are left, as far as what a step does follows from it."""
        return min(max(self.warmup - self.steps, 0), SOON)

    def get_extra_state(self) -> dict[str, int]:
        """Return the number of steps."""
        return {"steps": self.steps}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take up the number of steps."""
        self.steps = state["steps"]


class HalfLife(Average):
    """An average in which a sample's share has halved after so many images (Karras et al. 2018, arXiv 1710.10196).

    The share that is kept in each step is 0.5^(batch / half-life); StyleGAN2-ADA's program lets the half-life be at
    most a share of the images so far.

    Args:
        trained: the network whose weights are averaged.
        average: the network that holds the average.
        half_life: in images.
        ramp: the share of the images so far that the half-life is at most; None for no bound.
        batch: images of a step.
        warmup: in the first `warmup` steps the average follows the weights exactly.
    """

    half_life: Tensor
    images: Tensor

    def __init__(
        self, trained: nn.Module, average: nn.Module, half_life: float, ramp: float | None, batch: int, warmup: int
    ) -> None:
        super().__init__(trained, average, 0.0, warmup)
        self.ramp = ramp
        self.batch = batch
        self.register_buffer("half_life", torch.tensor(float(half_life)))
        self.register_buffer("images", torch.tensor(0.0, dtype=torch.float64))

    def kept(self) -> Tensor:
        """Return the share of the average that the next step keeps."""
        at_most = self.half_life if self.ramp is None else torch.minimum(self.half_life, self.ramp * self.images)
        share = 0.5 ** (self.batch / at_most.clamp(min=1e-8))
        return (share if self.steps >= self.warmup else torch.zeros_like(share)).float()

    @torch.no_grad()
    def forward(self) -> None:
        """Average the parameters; copy the buffers, which are running averages already."""
        trained, average = self._pair
        kept: list[Tensor] = list(average.parameters())
        current: list[Tensor] = list(trained.parameters())
        difference = list(torch._foreach_sub(current, kept))
        torch._foreach_mul_(difference, 1 - self.kept())
        torch._foreach_add_(kept, difference)
        self._copy_buffers()
        self.images.add_(self.batch)
        self.steps += 1


class EMA(Strategy):
    """Samples and scores come from averaged generator weights (Yazıcı et al. 2018, arXiv 1806.04498).

    Args:
        networks: the generators that are averaged; all if null.
        decay: the share of the average that is kept in each generator update.
        warmup: generator updates in which the average follows the weights exactly.
        half_life: the images after which a share has halved, in place of `decay`; null for `decay`.
        ramp: the share of the images so far that the half-life is at most; null for no bound.
        batch_size: images of a generator update, which a half-life needs; null without.
        steps: the run's, by which it is known whether the average gets away from the untrained weights; null: unknown.
    """

    applies_last = True

    def __init__(
        self,
        networks: list[str] | None,
        decay: float,
        warmup: int,
        half_life: float | None = None,
        ramp: float | None = None,
        batch_size: int | None = None,
        steps: int | None = None,
    ) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay}: it must be at least 0 and below 1")
        if half_life is not None and not half_life > 0:
            raise ValueError(f"half_life={half_life}: it must be positive, or null")
        if half_life is not None and batch_size is None:
            raise ValueError(
                f"half_life={half_life} is in images, and batch_size is null: set it to ${{train.batch_size}}"
            )
        if ramp is not None and not ramp > 0:
            raise ValueError(f"ramp={ramp}: it must be positive, or null")
        if ramp is not None and half_life is None:
            raise ValueError(f"ramp={ramp} bounds the half-life, and half_life is null: set it, or ramp=null")
        self.networks = networks
        self.decay = decay
        self.warmup = warmup
        self.half_life = half_life
        self.ramp = ramp
        self.batch_size = batch_size
        self.steps = steps

    def apply(self, game: Game) -> None:
        """Add a network `<name>_ema` for each generator, and sample from it."""
        game.claim("network that samples are drawn from", "ema")
        sampled = game.sampling_network
        own = [name for name in (sampled,) if any(name in game.player(player).networks for player in game.players)]
        generators = dict.fromkeys(game.generators + own) if self.networks is None else self.networks
        if not generators:
            raise ConfigError(f"ema has no effect on {type(game).__name__}: none of its players updates a generator")
        averages = {id(game.network(name)): self._average(game, name) for name in generators}
        if sampled not in generators and sampled not in own:
            # Made of others (a pyramid): a copy is made of their averages.
            game.networks[f"{sampled}_ema"] = copy.deepcopy(game.network(sampled), averages).requires_grad_(False)
        if f"{sampled}_ema" in game.networks:
            game.sampling_network = f"{sampled}_ema"

    def _average(self, game: Game, name: str) -> nn.Module:
        trained = game.network(name)
        average = copy.deepcopy(trained).requires_grad_(False)
        game.networks[f"{name}_ema"] = average
        following = self._following(trained, average)
        teams = game.teams()
        players = [player for player in map(game.player, game.players) if name in player.networks]
        playing = [player for player in chain(*teams) if player in players]
        # Those on the generator's side, not one that updates it beside them (Q); where there are none, all that play.
        counted = [player for player in playing if player in teams[1]] or playing
        # And one that trains the generator before the others play (a VAE).
        for player in counted + [player for player in players if player not in playing]:
            player.after_step.append(following)
        return average

    def _following(self, trained: nn.Module, average: nn.Module) -> Average:
        if self.half_life is None or self.batch_size is None:
            return Average(trained, average, self.decay, self.warmup, self.steps)
        return HalfLife(trained, average, self.half_life, self.ramp, self.batch_size, self.warmup)
