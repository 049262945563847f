"""Samples as arrays in a file that other programs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from gan_framework.storage import files


def write_npz(path: Path, samples: Tensor) -> Path:
    """Write samples (N, ...) as the array `x` of an `.npz` file, and return its path."""
    with files.atomic(path) as file:
        np.savez_compressed(file, x=samples.detach().cpu().numpy())
    return path
