"""The Fréchet distance of features (Heusel et al. 2017, arXiv 1706.08500, equation 6)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from gan_framework.evaluation.metric import Comparison, Metric

CHUNK = 4096
"""Samples at a time, which bounds the float64 copies."""


def statistics(features: Tensor) -> dict[str, Any]:
    """Return the mean and the unbiased covariance of features (N, D), in float64 numpy arrays."""
    chunks = features.split(CHUNK)
    mean = torch.stack([chunk.double().sum(0) for chunk in chunks]).sum(0) / len(features)
    covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for chunk in chunks:
        centred = chunk.double() - mean
        covariance.addmm_(centred.T, centred)
    return {"mu": mean.numpy(), "sigma": (covariance / (len(features) - 1)).numpy()}


class FID(Metric):
    """Fréchet distance between Gaussians fitted to the features of real and of generated samples."""

    higher_is_better: ClassVar[dict[str, bool]] = {"fid": False}

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `fid`, computed by torch-fidelity from float64 statistics; warn of too few samples."""
        from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

        for name, side in (("generated", comparison.generated), ("real", comparison.real)):
            count, dim = side.features.shape
            if count <= dim:
                comparison.warnings.append(
                    f"fid: {count} {name} samples are not more than the {dim} feature dimensions, so the covariance "
                    "is singular and the score is biased upwards; compare it only at equal sample counts"
                )
        generated, real = (statistics(s.features) for s in (comparison.generated, comparison.real))
        return {"fid": fid_statistics_to_metric(generated, real, verbose=False)[KEY_METRIC_FID]}
