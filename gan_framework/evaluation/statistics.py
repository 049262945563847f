"""Mean and covariance of features, and the files in which programs that score hand them on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_framework.storage import files

CHUNK = 1024
"""Samples at a time, which bounds the float64 copies."""


def mean_and_covariance(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean (D,) and the unbiased covariance (D, D), float64, of features (N, D), N of 2 or more.

    No float64 copy of all of them is ever held.
    """
    count, dim = features.shape
    mean = torch.stack([chunk.double().sum(0) for chunk in features.split(CHUNK)]).sum(0) / count
    covariance = torch.zeros(dim, dim, dtype=torch.float64)
    for chunk in features.split(CHUNK):
        centred = chunk.double() - mean
        covariance.addmm_(centred.T, centred, alpha=1 / (count - 1))
    return mean, covariance


def write_statistics(path: Path, features: Tensor) -> None:
    """Write `mu` (D,) and `sigma` (D, D) of features, float64, as pytorch-fid, clean-fid and EDM read them (.npz).

    Raises:
        ConfigError: the path is a link.
        OSError: the file cannot be written.
    """
    mean, covariance = mean_and_covariance(features)
    with files.atomic(path) as file:
        np.savez(file, mu=mean.numpy(), sigma=covariance.numpy())
