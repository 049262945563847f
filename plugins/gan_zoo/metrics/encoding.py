"""What scores of encoders share: samples of a split through a game."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, FeatureSet, Game, evaluation_mode

BATCH = 250


def require_codes(game: Game, metric: str) -> None:
    """Raise ConfigError, naming the metric, if a game has no encoder."""
    if not hasattr(game, "code_of"):
        raise ConfigError(
            f"metrics.{metric} scores codes of samples, and {type(game).__name__} has no encoder; it goes with games "
            "that have one (experiment=bigan, aae, vae_gan, alpha_gan, ...)"
        )


def samples_at(of: FeatureSet, indices: Tensor, device: torch.device) -> Tensor:
    """Return the samples (N, ...) of a split at indices, 8-bit images in [-1, 1]."""
    samples = of.read(indices).to(device)
    return samples.float() / 127.5 - 1 if samples.dtype == torch.uint8 else samples


@torch.no_grad()
def through(game: Game, of: FeatureSet, indices: Tensor, make: Callable[[Tensor], Any]) -> Tensor:
    """Return what is made of samples of a split at indices (M,), (M, ...) on the CPU, the game in evaluation mode."""
    found = []
    with evaluation_mode(game):
        for part in indices.split(BATCH):
            found.append(make(samples_at(of, part, game.device)).cpu())
    return torch.cat(found)
