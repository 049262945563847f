"""Nearest neighbours in feature space."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Comparison

CHUNK = 500
"""Samples at a time, which bounds the matrix of distances and the float64 copies."""


def nearest(queries: Tensor, points: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Return the distances (N, k), float64, of queries (N, D) to their k nearest points (M, D), and their indices."""
    chunks = [_nearest(chunk.double(), points, k) for chunk in queries.split(CHUNK)]
    distances, indices = zip(*chunks, strict=True)
    return torch.cat(distances), torch.cat(indices)


def _nearest(queries: Tensor, points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    # cdist goes through a matrix product, whose float32 error exceeds the distances between close neighbours.
    # In float64 it finds the neighbours, but leaves equal samples a little apart: hence the differences below.
    to_all = torch.cat([torch.cdist(queries, part.double()) for part in points.split(CHUNK)], dim=1)
    indices = to_all.topk(k, largest=False).indices
    return (queries[:, None] - points[indices].double()).norm(dim=2), indices


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
