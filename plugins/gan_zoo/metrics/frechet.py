"""The Fréchet distance between Gaussians that are fitted to features, or read from files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, mean_and_covariance
from gan_zoo.datasets.npz_arrays import read_array, read_form


class Moments(NamedTuple):
    """Mean and unbiased covariance of features, float64.

    Attributes:
        mean: (D,).
        covariance: (D, D); None where there are no more samples than dimensions.
        factor: then the centred samples (N, D) over (N - 1)^½, whose product with themselves is the covariance.
    """

    mean: Tensor
    covariance: Tensor | None
    factor: Tensor | None

    @property
    def trace(self) -> Tensor:
        """The trace of the covariance."""
        if self.factor is not None:
            return self.factor.square().sum()
        assert self.covariance is not None
        return self.covariance.trace()

    def sigma(self) -> Tensor:
        """Return the covariance (D, D)."""
        if self.covariance is not None:
            return self.covariance
        assert self.factor is not None
        return self.factor.T @ self.factor


def moments(features: Tensor) -> Moments:
    """Return mean and covariance of features (N, D), N of 2 or more, without a float64 copy of more than D of them."""
    count, dim = features.shape
    if count > dim:
        return Moments(*mean_and_covariance(features), None)
    mean = features.double().mean(0)
    return Moments(mean, None, (features.double() - mean) / (count - 1) ** 0.5)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Return |m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½) (Heusel et al. 2017, arXiv 1706.08500, equation 6).

    torch-fidelity computes it where both have more samples than dimensions. Where one has not, the trace of the root
    is that of a matrix of samples by samples, which is smaller: with C_a = F'F, C_a C_b has the eigenvalues of F C_b F'
    beside zeros, and with C_b = G'G their roots are the singular values of F G'.
    """
    if a.factor is not None or b.factor is not None:
        return float((a.mean - b.mean).square().sum() + a.trace + b.trace - 2 * _trace_of_root(a, b))
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    sides = ({"mu": side.mean.numpy(), "sigma": side.sigma().numpy()} for side in (a, b))
    return float(fid_statistics_to_metric(*sides, verbose=False)[KEY_METRIC_FID])


def _trace_of_root(a: Moments, b: Moments) -> Tensor:
    """Return tr (C_a C_b)^½ where one side has a factor."""
    if a.factor is not None and b.factor is not None:
        values: Tensor = torch.linalg.svdvals(a.factor @ b.factor.T)
        return values.sum()
    one, other = (a, b) if a.factor is not None else (b, a)
    assert one.factor is not None
    values = torch.linalg.eigvalsh(one.factor @ other.sigma() @ one.factor.T)
    return values.clamp(min=0).sqrt().sum()


class DistanceTo:
    """The Fréchet distance of many sets of features to one: its root is taken once.

    Args:
        target: what the distances are to.
    """

    def __init__(self, target: Moments) -> None:
        self._target = target
        self._root: Tensor | None = None

    def __call__(self, features: Tensor) -> float:
        """Return the distance of features (N, D)."""
        own = moments(features)
        if own.factor is not None or self._target.factor is not None:
            return frechet_distance(own, self._target)
        if self._root is None:
            values, axes = torch.linalg.eigh(self._target.sigma())
            self._root = axes * values.clamp(min=0).sqrt()
        product = torch.linalg.eigvalsh(self._root.T @ own.sigma() @ self._root).clamp(min=0).sqrt().sum()
        return float((own.mean - self._target.mean).square().sum() + own.trace + self._target.trace - 2 * product)


def read_statistics(path: Path, setting: str) -> tuple[Moments, str]:
    """Return the Gaussian that a file holds, and a hash of its values.

    Args:
        path: an .npz with `mu` (D,) and `sigma` (D, D).
        setting: the name of the setting, for errors.

    Raises:
        ConfigError: there is no such file, or it holds something else.
    """
    if not Path(path).is_file():
        raise ConfigError(f"{setting}={path}: there is no such file")
    try:
        # Shapes before values: what is packed can become a thousand times as large.
        (shape, kind), (square, other) = (read_form(Path(path), name, name) for name in ("mu", "sigma"))
        if kind.kind not in "fiu" or other.kind not in "fiu":
            raise ValueError(f"its values are {kind} and {other}")
        right = len(shape) == 1 and shape[0] > 0 and square == (shape[0], shape[0])
        if right:
            mean, covariance = (read_array(Path(path), name, name).astype(np.float64) for name in ("mu", "sigma"))
    except Exception as error:  # the file may be anybody's
        raise ConfigError(
            f"{setting}={path} must be an .npz file with the arrays mu (D,) and sigma (D, D), as pytorch-fid, "
            f"clean-fid and EDM write it: {type(error).__name__}: {error}"
        ) from error
    if not right:
        raise ConfigError(f"{setting}={path}: mu has the shape {shape} and sigma {square}; (D,) and (D, D) are right")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ConfigError(f"{setting}={path} holds values that are not finite")
    if np.diag(covariance).min() < 0 or not np.allclose(covariance, covariance.T, rtol=1e-3, atol=1e-6):
        raise ConfigError(f"{setting}={path}: sigma is no covariance: it has negative variances, or is not symmetric")
    digest = hashlib.sha256(mean.tobytes() + covariance.tobytes()).hexdigest()[:16]
    return Moments(torch.from_numpy(mean), torch.from_numpy(covariance), None), digest


class Target:
    """The Gaussian that generated features are compared with: that of real ones, or one of a file.

    Attributes:
        digest: a hash of the file's values; None for real features.

    Args:
        statistics: an .npz with `mu` (D,) and `sigma` (D, D), or None.
        setting: the name of the setting, for errors.
    """

    def __init__(self, statistics: Path | None, setting: str) -> None:
        self.digest: str | None = None
        self._given: Moments | None = None
        if statistics is not None:
            self._given, self.digest = read_statistics(statistics, setting)
        self._of_setting = f"{setting}={statistics}"
        self._real: tuple[Tensor, Moments] | None = None

    def settings(self) -> dict[str, str]:
        """Return the hash of the statistics, if they are given: where they lie does not matter."""
        return {} if self.digest is None else {"statistics": self.digest}

    def __call__(self, comparison: Comparison) -> Moments:
        """Return the Gaussian.

        Raises:
            ConfigError: the file's is of other features.
        """
        real = comparison.real.features
        if self._given is not None:
            if len(self._given.mean) != real.shape[1]:
                raise ConfigError(
                    f"{self._of_setting} is of {len(self._given.mean)} features, and the extractor gives "
                    f"{real.shape[1]}: they are of another network"
                )
            return self._given
        if self._real is None or self._real[0] is not real:
            self._real = real, moments(real)  # a run is compared with the same features again and again
        return self._real[1]
