"""R3GAN's burn-in: numbers of the training that go from values for its beginning to values for its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain

import torch
from torch import nn

from gan_framework.api import ConfigError, Game, Player, Strategy
from gan_zoo.ranges import require_positive
from gan_zoo.strategies.annealing import updates_per_step
from gan_zoo.strategies.augmentation import Augment, Overfitting
from gan_zoo.strategies.ema import HalfLife

Setter = Callable[[float], None]
"""Sets a number to its value at a share of its way, 0 being where it begins and 1 where it ends."""


class Levels(nn.Module):
    """Takes some numbers along half a cosine, once after every update of a player.

    Args:
        counted: the player whose updates are counted.
        setters: of the numbers.
        steps: updates until their ends are reached.
        levels: how many values each takes; None for another with every update.
    """

    def __init__(self, counted: Player, setters: list[Setter], steps: int, levels: int | None) -> None:
        super().__init__()
        # Kept in a tuple: the player belongs to the game, and must not be registered twice.
        self._counted = (counted,)
        self.setters = setters
        self.steps = steps
        self.levels = levels

    def forward(self) -> None:
        """Set the numbers for the next update."""
        self.set(self._counted[0].updates + 1)

    replayed = forward

    def graph_key(self) -> float:
        """Return how far the numbers are: some of them are the host's."""
        return self.share(self._counted[0].updates)

    def share(self, updates: int) -> float:
        """Return how far the numbers are after so many updates, from 0 to 1."""
        progress = min(updates / self.steps, 1.0)
        if self.levels is not None:
            progress = min(int(progress * self.levels), self.levels - 1) / (self.levels - 1)
        return (1 - math.cos(math.pi * progress)) / 2

    def set(self, updates: int) -> None:
        """Set the numbers for the update after so many others."""
        share = self.share(updates)
        for setter in self.setters:
            setter(share)


class BurnIn(Strategy):
    """β₂, weights of terms, EMA's half-life and augmentation follow a cosine (R3GAN, Huang et al. 2024).

    arXiv 2501.05441, appendix. With s = (1 - cos(π t)) / 2, t the share of the steps that are over, each number is
    start + s (end - start). It starts as set elsewhere, and the half-life at 0. `lr_decay` with shape=cosine does the
    same to the learning rate.

    Args:
        steps: steps until the ends are reached.
        levels: how many values each number takes on its way, so that a step is captured for each alone
            (`train.cuda_graph`); null for another value in every step, as published.
        beta2: where the second beta of both players' optimizers ends; null to leave it.
        weights: where the weights of terms end, by the terms' names.
        half_life: where the half-life of `ema` ends, as a share of all images of these steps; null to leave it.
        augmentation: where the probability p of `diff_augment` ends; null to leave it.
    """

    applies_last = True

    def __init__(
        self,
        steps: int,
        levels: int | None,
        beta2: float | None,
        weights: Mapping[str, float],
        half_life: float | None,
        augmentation: float | None = None,
    ) -> None:
        require_positive(steps=steps)
        if levels is not None and levels < 2:
            raise ValueError(f"levels={levels}: it must be at least 2, or null")
        if beta2 is not None and not 0 <= beta2 < 1:
            raise ValueError(f"beta2={beta2}: it must be at least 0 and below 1")
        if half_life is not None and not half_life > 0:
            raise ValueError(f"half_life={half_life}: it must be positive")
        if augmentation is not None and not 0 <= augmentation <= 1:
            raise ValueError(f"augmentation={augmentation}: it must lie between 0 and 1")
        if beta2 is None and half_life is None and augmentation is None and not weights:
            raise ValueError(
                "beta2, weights, half_life and augmentation are all empty: name at least one number that changes"
            )
        self.steps = steps
        self.levels = levels
        self.beta2 = beta2
        self.weights = weights
        self.half_life = half_life
        self.augmentation = augmentation

    def apply(self, game: Game) -> None:
        """Let the numbers follow the updates of the generator, or of the first player in a game without one."""
        _, generators, others = game.teams()
        playing = [*chain(*game.teams())]
        counted = (generators or others or playing)[0]
        per_step = updates_per_step(game, counted, "burn_in")
        setters = [*self._betas(game, playing), *self._weights(playing), *self._half_lives(playing)]
        setters += self._augmentations(game)
        levels = Levels(counted, setters, self.steps * per_step, self.levels)
        counted.after_step.append(levels)
        go_on = partial(_go_on, counted, levels)
        game.register_load_state_dict_post_hook(go_on)  # type: ignore[no-untyped-call]

    def _betas(self, game: Game, players: list[Player]) -> list[Setter]:
        if self.beta2 is None:
            return []
        for player in players:
            game.claim(f"betas of the player {player.name}", "burn_in")
            if player.name in game.optimizers:
                optimizer = game.optimizers[player.name]([nn.Parameter(torch.zeros(1))])
                if "betas" not in optimizer.defaults:
                    raise ConfigError(
                        f"burn_in has no beta2 to change in optimizer.{player.name}, which is "
                        f"{type(optimizer).__name__}: choose optimizer=adam, or set strategy.burn_in.beta2=null"
                    )
            player.annealed.add("betas")
        return [partial(_set_beta2, player, self.beta2) for player in players]

    def _weights(self, players: list[Player]) -> list[Setter]:
        found: list[Setter] = []
        for name, end in self.weights.items():
            owners = [player for player in players if name in player.plans]
            if not owners:
                raise ConfigError(f"strategy.burn_in.weights.{name} has no effect: no player has a term {name!r}")
            for player in owners:
                start = player.plans[name].weight
                if not isinstance(start, (int, float)):
                    raise ConfigError(
                        f"burn_in and terms.{name}.weight both change the weight of {name!r}: choose one of them"
                    )
                found.append(partial(_set_weight, player, name, start, end))
        return found

    def _half_lives(self, players: list[Player]) -> list[Setter]:
        if self.half_life is None:
            return []
        averages = dict.fromkeys(
            module for player in players for module in player.after_step if isinstance(module, HalfLife)
        )
        if not averages:
            raise ConfigError(
                "strategy.burn_in.half_life has no effect without ema before it in the list, and its half_life"
            )
        for average in averages:
            average.half_life.zero_()
        images = [self.half_life * self.steps * average.batch for average in averages]
        return [partial(_set_half_life, average, end) for average, end in zip(averages, images, strict=True)]

    def _augmentations(self, game: Game) -> list[Setter]:
        if self.augmentation is None:
            return []
        found = [transform for transform in game.transforms if isinstance(transform, Augment)]
        players = map(game.player, game.players)
        adapts = any(isinstance(term, Overfitting) for player in players for term in player.terms.values())
        if not found or adapts:
            raise ConfigError(
                "strategy.burn_in.augmentation changes the probability of diff_augment, "
                + ("and ada has one of its own" if adapts else "which is not in the list of strategies")
            )
        for transform in found:
            transform.always = False
        return [partial(_set_probability, one, float(one.p), self.augmentation) for one in found]


def _go_on(counted: Player, levels: Levels, *_: object) -> None:
    if counted.updates:
        levels.set(counted.updates)


def _set_beta2(player: Player, end: float, share: float) -> None:
    first, start = player.optimizer.defaults["betas"]
    for group in player.optimizer.param_groups:
        group["betas"] = (first, start + share * (end - start))


def _set_weight(player: Player, name: str, start: float, end: float, share: float) -> None:
    player.plans[name] = replace(player.plans[name], weight=start + share * (end - start))


def _set_probability(transform: Augment, start: float, end: float, share: float) -> None:
    transform.p.fill_(start + share * (end - start))


def _set_half_life(average: HalfLife, end: float, share: float) -> None:
    average.half_life.fill_(share * end)
