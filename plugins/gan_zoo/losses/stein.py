"""The loss of SteinGAN."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DiscriminatorOutput, SeparableLoss
from gan_zoo.kernels import squared_distances
from gan_zoo.losses.vectors import vectors
from gan_zoo.ranges import require_above_zero

KERNELS = ("samples", "features")
LEAST = 1e-12
"""The least bandwidth: samples that are all alike have none."""


def bandwidth(points: Tensor) -> Tensor:
    """Return h² = median ‖a - b‖² / (2 log(n + 1)) over the pairs of different points (N, D)."""
    n = len(points)
    if n < 2:
        return points.new_ones(())
    squares = squared_distances(points, points)
    rows, columns = torch.triu_indices(n, n, offset=1, device=points.device).unbind()
    return (squares[rows, columns].median() / (2 * math.log(n + 1))).clamp(min=LEAST)


def direction(scores: Tensor, samples: Tensor, points: Tensor, squared_width: Tensor | None = None) -> Tensor:
    """Return where Stein's variational gradient moves each sample, φ (N, D).

    φ(g_i) = 1/n Σ_j [k(c_j, c_i) ∇f(g_j) - ∇_{g_i} k(c_j, c_i)] with k = exp(-‖a - b‖² / 2h²), the others' places held.
    Where the places c are the samples themselves, the second part is the paper's Σ_j ∇_{g_j} k(g_j, g_i).

    Args:
        scores: f of the samples (N,).
        samples: g (N, ...), from which scores and points follow.
        points: c (N, K), the samples' places in which the kernel compares them.
        squared_width: h²; None for that of `bandwidth`.
    """
    held = points.detach()
    h2 = bandwidth(held) if squared_width is None else squared_width
    similar = (-squared_distances(held, points) / (2 * h2)).exp()
    # The graph is kept: what else the player minimises may need the same pass.
    (slope,) = torch.autograd.grad(scores.sum(), samples, retain_graph=True)
    (crowding,) = torch.autograd.grad(similar.sum(), samples, retain_graph=True)
    attraction = similar.detach().T @ slope.flatten(1).to(held.dtype)
    return (attraction - crowding.flatten(1).to(held.dtype)) / len(samples)


class Stein(SeparableLoss):
    """D is minus an energy, and G follows Stein's variational gradient towards it (Liu & Wang 2017, arXiv 1707.00797).

    D minimises -(E f(x) - weight E f(G(z))), the likelihood of p ∝ exp f if the weight is 1. G's samples are moved
    along φ (Wang & Liu 2016, arXiv 1611.01722): to high scores, weighed by how near their samples are, and away from
    each other. The value that G is shown to minimise is -E f(G(z)), and its gradient that of -E <φ, G(z)>, φ held.
    The paper's kernel on codes repels the nearest neighbour alone, halved; here `features` repels all.

    Args:
        weight: of generated samples in D's loss; 0.3 in the authors' program for images.
        kernel: whether it compares `samples`, or the discriminator's `features` (its head `vector`, or its last ones).
    """

    differentiates_twice = True  # once for φ, once for the player's other objectives

    def __init__(self, weight: float, kernel: str) -> None:
        super().__init__()
        require_above_zero(weight=weight)
        if kernel not in KERNELS:
            raise ValueError(f"kernel={kernel!r}: choose {' or '.join(KERNELS)}")
        self.weight = weight
        self.of_features = kernel == "features"

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return -E f(x)."""
        return -real.logits.mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return weight · E f(G(z))."""
        return self.weight * fake.logits.mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return -E f(G(z)), with the gradient that moves samples along φ."""
        value = -fake.logits.mean()
        samples = fake.samples
        if samples is None:
            return value
        points = self._points(fake, samples)
        if not (torch.is_grad_enabled() and samples.requires_grad):  # it is only measured
            return value
        moved = direction(fake.scores, samples, points).detach()
        along = -(moved * samples.flatten(1).to(moved.dtype)).sum() / len(samples)
        return value.detach() + along - along.detach()

    def _points(self, fake: DiscriminatorOutput, samples: Tensor) -> Tensor:
        if not self.of_features:
            return samples.flatten(1).to(fake.logits.dtype)
        points = vectors("stein", fake)
        if len(points) != len(samples):
            raise ConfigError("loss.kernel=features compares each sample's own features, and D has some for several")
        return points
