"""What is known of the game where both densities are (Goodfellow et al. 2014, arXiv 1406.2661, section 4.1)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


def normal_log_density(x: Tensor, mean: Tensor | float, std: Tensor | float) -> Tensor:
    """Return log N(x; mean, std²) of each entry of x, of any shape."""
    std = torch.as_tensor(std, dtype=x.dtype)
    return -0.5 * ((x - mean) / std).square() - std.log() - 0.5 * math.log(2 * math.pi)


def optimal_logit(log_p: Tensor, log_g: Tensor) -> Tensor:
    """Return the logit of D* = p_data / (p_data + p_g) of log-densities of one shape (proposition 1)."""
    return log_p - log_g


class Points(NamedTuple):
    """Evenly spaced points that cover one of the two densities, and the logarithms of both densities there.

    Attributes:
        x: the points (M,), in rising order.
        log_p: the log density of the data at x.
        log_g: the log density of the generated samples at x.
    """

    x: Tensor
    log_p: Tensor
    log_g: Tensor

    def mean_over_data(self, values: Tensor) -> Tensor:
        """Return E_p of values (P,) at the points x (P,), by the trapezoid rule, a scalar."""
        return torch.trapezoid(self.log_p.exp() * values, self.x)

    def mean_over_generated(self, values: Tensor) -> Tensor:
        """Return E_g of values (P,) at the points x (P,), by the trapezoid rule, a scalar."""
        return torch.trapezoid(self.log_g.exp() * values, self.x)


Logit = Callable[[Tensor], Tensor]
"""A discriminator: maps points (M,) to logits (M,)."""


def value(logit: Logit, data: Points, generated: Points) -> Tensor:
    """Return V(D, G) = E_p log D + E_g log(1 - D) (equation 1).

    Each expectation is integrated over points around its own density: in the union of two grids the trapezoid rule
    loses the accuracy that it has for smooth functions on an even grid.

    Args:
        logit: the discriminator.
        data: points around the data's density.
        generated: points around the generated samples' density.
    """
    return data.mean_over_data(F.logsigmoid(logit(data.x))) + generated.mean_over_generated(
        F.logsigmoid(-logit(generated.x))
    )


def jensen_shannon(data: Points, generated: Points) -> Tensor:
    """Return JSD(p || g) in nats."""

    def log_mixture(points: Points) -> Tensor:
        return torch.logaddexp(points.log_p, points.log_g) - math.log(2)

    of_data = data.mean_over_data(data.log_p - log_mixture(data))
    return 0.5 * (of_data + generated.mean_over_generated(generated.log_g - log_mixture(generated)))


def discriminator_error(logit: Logit, data: Points, generated: Points) -> Tensor:
    """Return the mean of |D - D*| over the samples that D sees, half of them real and half generated."""

    def error(points: Points) -> Tensor:
        return (logit(points.x).sigmoid() - optimal_logit(points.log_p, points.log_g).sigmoid()).abs()

    return 0.5 * (data.mean_over_data(error(data)) + generated.mean_over_generated(error(generated)))
