"""Holding out a test split where the files name none."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, seeding


def known_share(share: float) -> float:
    """Return the setting `test_share`.

    Raises:
        ConfigError: it is no share.
    """
    if not (isinstance(share, (int, float)) and 0 <= share < 1):
        raise ConfigError(f"data.test_share={share} must be at least 0 and less than 1")
    return share


def held_out(n: int, share: float, split: str) -> Tensor:
    """Return which of n samples belong to a split, in their order, when a share is held out as `test`.

    The choice follows from n alone, so `train` and `test` never overlap, in whatever run.

    Raises:
        ConfigError: the share leaves nothing of the split.
    """
    held = round(n * share)
    if split == "test" and held == 0:
        raise ConfigError(
            f"there is no split 'test': data.test_share={share} of {n} samples is none; raise it or set data.test_path"
        )
    mixed = torch.randperm(n, generator=seeding.generator(0, "held out"))
    return (mixed[:held] if split == "test" else mixed[held:]).sort().values
