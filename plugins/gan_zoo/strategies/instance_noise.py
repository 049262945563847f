"""Noise on what discriminators see."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.ranges import require_above_zero, require_positive


class Noise(nn.Module):
    """Adds normal noise to samples (N, ...), whose deviation falls along a line to 0.

    Args:
        std: the deviation at first.
        steps: discriminator updates until there is none.
    """

    updates: Tensor

    def __init__(self, std: float, steps: int) -> None:
        super().__init__()
        self.std = std
        self.steps = steps
        self.register_buffer("updates", torch.tensor(0))

    @property
    def deviation(self) -> Tensor:
        """The deviation at present."""
        return self.std * (1 - self.updates / self.steps).clamp(min=0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the samples with noise."""
        return x + self.deviation.to(x.dtype) * torch.randn_like(x)

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the deviation."""
        return {"std": self.deviation}


class CountUpdates(nn.Module):
    """Counts a discriminator's updates for its noise, one for every call."""

    once = True

    def __init__(self, noise: Noise) -> None:
        super().__init__()
        # Kept in a tuple: it belongs to the game, and must not be registered twice.
        self._noise = (noise,)

    def forward(self) -> None:
        """Count one."""
        self._noise[0].updates.add_(1)


class InstanceNoise(Strategy):
    """D sees real and generated samples with noise that fades (Sønderby et al. 2017, arXiv 1610.04490, section 4.1).

    With it the two distributions overlap, so that D's best answer has a gradient everywhere (Arjovsky & Bottou 2017,
    arXiv 1701.04862, section 3).

    Args:
        std: the noise's standard deviation at first; samples lie in [-1, 1].
        steps: discriminator updates until it has fallen to 0, along a line.
    """

    def __init__(self, std: float, steps: int) -> None:
        require_above_zero(std=std)
        require_positive(steps=steps)
        self.std = std
        self.steps = steps

    def apply(self, game: Game) -> None:
        """Put the noise before the discriminators."""
        if not game.teams()[0]:
            raise ConfigError(f"instance_noise has no effect on {type(game).__name__}, which updates no discriminator")
        if game.data.vocabulary:
            raise ConfigError("instance_noise has no effect on tokens, to which no noise can be added")
        noise = Noise(self.std, self.steps)
        game.transforms.append(noise)
        game.teams()[0][0].after_step.append(CountUpdates(noise))
