"""Nearest neighbours in feature space."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.evaluation.metric import Comparison

CHUNK = 1000
"""Queries at a time, which bounds the matrix of distances."""


def nearest(queries: Tensor, points: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Return the distances (N, k) of queries (N, D) to their k nearest points (M, D), and these points' indices."""
    found = [torch.cdist(chunk, points).topk(k, largest=False).indices for chunk in queries.split(CHUNK)]
    indices = torch.cat(found)
    # cdist goes through a matrix product, which leaves equal samples a little apart.
    distances = [
        (chunk[:, None] - points[index]).norm(dim=2)
        for chunk, index in zip(queries.split(CHUNK), indices.split(CHUNK), strict=True)
    ]
    return torch.cat(distances), indices


def classes_of_generated(comparison: Comparison) -> Tensor:
    """Return the class (N,) that each generated sample seems to have.

    It is the classifier's choice where the extractor classifies the dataset's own labels, else the
    class of the nearest real sample in feature space.
    """
    generated, real = comparison.generated, comparison.real
    if comparison.classifies_labels:
        assert generated.logits is not None
        return generated.logits.argmax(1)
    assert real.labels is not None
    return real.labels[nearest(generated.features, real.features)[1][:, 0]]
