"""What is known of the game where both densities are (Goodfellow et al. 2014, arXiv 1406.2661, section 4.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def normal_log_density(x: Tensor, mean: Tensor | float, std: Tensor | float) -> Tensor:
    """Return log N(x; mean, std²)."""
    std = torch.as_tensor(std, dtype=x.dtype)
    return -0.5 * ((x - mean) / std).square() - std.log() - 0.5 * math.log(2 * math.pi)


def optimal_logit(log_p: Tensor, log_g: Tensor) -> Tensor:
    """Return the logit of D* = p_data / (p_data + p_g) (proposition 1)."""
    return log_p - log_g


def value(logit: Tensor, log_p: Tensor, log_g: Tensor, x: Tensor) -> Tensor:
    """Return V(D, G) = E_p log D + E_g log(1 - D), integrated over the points x (M,) (equation 1).

    Args:
        logit: the discriminator's logits at x.
        log_p: the log density of the data at x.
        log_g: the log density of the generated samples at x.
        x: where they are given, in rising order; they should cover both densities.
    """
    return torch.trapezoid(log_p.exp() * F.logsigmoid(logit) + log_g.exp() * F.logsigmoid(-logit), x)


def jensen_shannon(log_p: Tensor, log_g: Tensor, x: Tensor) -> Tensor:
    """Return JSD(p || g) in nats, integrated over the points x (M,)."""
    log_mixture = torch.logaddexp(log_p, log_g) - math.log(2)
    return 0.5 * torch.trapezoid(log_p.exp() * (log_p - log_mixture) + log_g.exp() * (log_g - log_mixture), x)


def discriminator_error(logit: Tensor, log_p: Tensor, log_g: Tensor, x: Tensor) -> Tensor:
    """Return the mean of |D - D*| over the samples that D sees, half of them real and half generated."""
    error = (logit.sigmoid() - optimal_logit(log_p, log_g).sigmoid()).abs()
    return torch.trapezoid(0.5 * (log_p.exp() + log_g.exp()) * error, x)
