"""Which of many samples are looked at."""

from __future__ import annotations

import torch
from torch import Tensor


def evenly_spaced(available: int, count: int) -> Tensor:
    """Return `count` of so many indices, in their order."""
    return torch.linspace(0, available - 1, count, dtype=torch.float64).round().long()
