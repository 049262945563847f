"""The contract of a sampler: another way of drawing samples from a trained game."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gan_framework.core.records import Latent

if TYPE_CHECKING:
    from gan_framework.core.game import Game


class Sampler(ABC):
    """Makes samples of latents with a trained game: by rejection, by a walk in the latents, by truncation.

    It is asked under `torch.no_grad` and may ask the game's judges (`Game.judge`), which it does through
    `Game.meet` or a pair, so that a judge of (x, z) is given both.
    """

    @abstractmethod
    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return samples (N, ...) for N latents.

        Args:
            game: the trained game, in evaluation mode.
            latent: where to begin; labels and what is given stay as they are.
            random: where all random numbers come from; it may live on the CPU whatever the game's device.
        """

    def check(self, game: Game) -> None:  # noqa: B027 (some fit every game)
        """Raise ConfigError, naming both parts, if the sampler cannot draw from such a game."""
