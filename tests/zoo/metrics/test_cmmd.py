"""CMMD."""

import math

import pytest
import torch

from gan_zoo.metrics import cmmd as module
from gan_zoo.metrics.cmmd import cmmd


def by_definition(x, y):
    """1000 (E k(x, x') + E k(y, y') - 2 E k(x, y)) over all pairs, of equal samples too, of features of norm 1."""
    x, y = ([row / row.norm() for row in side.double()] for side in (x, y))
    kernel = lambda a, b: math.exp(-float((a - b).square().sum()) / 200)  # noqa: E731
    mean = lambda a, b: sum(kernel(p, q) for p in a for q in b) / (len(a) * len(b))  # noqa: E731
    return 1000 * (mean(x, x) + mean(y, y) - 2 * mean(x, y))


def test_it_is_the_definition_whatever_the_chunks(monkeypatch):
    random = torch.Generator().manual_seed(0)
    x, y = torch.randn(13, 6, generator=random), 2 + torch.randn(9, 6, generator=random)
    assert cmmd(x, y) == pytest.approx(by_definition(x, y), rel=1e-6)
    monkeypatch.setattr(module, "CHUNK", 4)
    assert cmmd(x, y) == pytest.approx(by_definition(x, y), rel=1e-6)


def test_two_points_have_the_distance_of_their_kernel():
    assert cmmd(torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 5.0]])) == pytest.approx(
        1000 * 2 * (1 - math.exp(-2 / 200))
    )
    assert cmmd(torch.tensor([[3.0, 0.0]]), torch.tensor([[5.0, 0.0]])) == pytest.approx(0, abs=1e-9)
