"""An exponential moving average of the generator's weights."""

from __future__ import annotations

import copy
from abc import abstractmethod
from itertools import chain

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.ranges import require_below_one

SOON = 16
"""More updates of a generator than one step has: what is further away than that does not change a step."""


class Average(nn.Module):
    """Draws an average network towards a trained one, one step for every call.

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
        self._copy_buffers()
        self.steps += 1

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


class OnDevice(Average):
    """An average whose share is told on the device, so that a captured step goes on with another one each time.

    Args:
        trained: the network whose weights are averaged.
        average: the network that holds the average.
        warmup: in the first `warmup` steps the average follows the weights exactly.
    """

    def __init__(self, trained: nn.Module, average: nn.Module, warmup: int) -> None:
        super().__init__(trained, average, 0.0, warmup)

    @abstractmethod
    def share(self) -> Tensor:
        """Return the share of the average that the next step keeps after the warm-up."""

    @abstractmethod
    def count(self) -> None:
        """Count a step."""

    @torch.no_grad()
    def forward(self) -> None:
        """Average the parameters; copy the buffers, which are running averages already."""
        trained, average = self._pair
        kept: list[Tensor] = list(average.parameters())
        current: list[Tensor] = list(trained.parameters())
        share = self.share()
        if self.steps < self.warmup:
            share = torch.zeros_like(share)
        difference = list(torch._foreach_sub(current, kept))
        torch._foreach_mul_(difference, 1 - share.float())
        torch._foreach_add_(kept, difference)
        self._copy_buffers()
        self.count()
        self.steps += 1


class Bounded(OnDevice):
    """An average that soon forgets the untrained weights: after n steps one keeps at most (1 + n) / (10 + n).

    The bound is that of TensorFlow's `ExponentialMovingAverage` with `num_updates`. An average that began without it,
    in a run of an earlier version, goes on without it.

    Args:
        trained: the network whose weights are averaged.
        average: the network that holds the average.
        decay: the share of the average that is kept in each step.
        warmup: in the first `warmup` steps the average follows the weights exactly.
    """

    updates: Tensor

    def __init__(self, trained: nn.Module, average: nn.Module, decay: float, warmup: int) -> None:
        super().__init__(trained, average, warmup)
        self.decay = decay
        self.bounded = True
        self.register_buffer("updates", torch.tensor(0.0, dtype=torch.float64), persistent=False)

    def forward(self) -> None:
        """Average the parameters; copy the buffers, which are running averages already."""
        if self.bounded:
            super().forward()
        else:
            Average.forward(self)

    def share(self) -> Tensor:
        """Return the share of the average that the next step keeps after the warm-up."""
        return ((1 + self.updates) / (10 + self.updates)).clamp(max=self.decay)

    def count(self) -> None:
        """Count a step."""
        self.updates.add_(1)

    def get_extra_state(self) -> dict[str, int]:
        """Return the number of steps, and whether they were bounded."""
        return {**super().get_extra_state(), "bounded": self.bounded}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Take up the number of steps."""
        super().set_extra_state(state)
        self.bounded = bool(state.get("bounded", False))
        self.updates.fill_(self.steps)


class HalfLife(OnDevice):
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
        super().__init__(trained, average, warmup)
        self.ramp = ramp
        self.batch = batch
        self.register_buffer("half_life", torch.tensor(float(half_life)))
        self.register_buffer("images", torch.tensor(0.0, dtype=torch.float64))

    def share(self) -> Tensor:
        """Return the share of the average that the next step keeps after the warm-up."""
        at_most = self.half_life if self.ramp is None else torch.minimum(self.half_life, self.ramp * self.images)
        return 0.5 ** (self.batch / at_most.clamp(min=1e-8))

    def count(self) -> None:
        """Count a step."""
        self.images.add_(self.batch)


class EMA(Strategy):
    """Samples and scores come from averaged generator weights (Yazıcı et al. 2018, arXiv 1806.04498).

    Args:
        networks: the generators that are averaged; all if null.
        decay: the share of the average that is kept in each generator update.
        warmup: generator updates in which the average follows the weights exactly.
        half_life: the images after which a share has halved, in place of `decay`; null for `decay`.
        ramp: the share of the images so far that the half-life is at most; null for no bound.
        batch_size: images of a generator update, which a half-life needs; null without.
        bounded: whether an update after n others keeps at most (1 + n) / (10 + n), so that the untrained weights are
            soon forgotten.
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
        bounded: bool = True,
    ) -> None:
        require_below_one(decay=decay)
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
        self.bounded = bounded

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
        if self.half_life is not None and self.batch_size is not None:
            return HalfLife(trained, average, self.half_life, self.ramp, self.batch_size, self.warmup)
        return (Bounded if self.bounded else Average)(trained, average, self.decay, self.warmup)
