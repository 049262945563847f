"""A mixture of Gaussians on a line, fitted by variational Bayes."""

from __future__ import annotations

import torch
from torch import Tensor

CONCENTRATION = 1e-3
"""Of the prior of the shares: so small that modes which are not needed get none (Corduneanu & Bishop 2001)."""

LEAST_SHARE = 5e-3
"""A mode with a smaller share is left out, as in CTGAN's program."""

FITTED = 10_000
"""So many values at most are fitted."""

STEPS = 60


def fit_modes(values: Tensor, most: int) -> tuple[list[float], list[float], list[float]]:
    """Return the means, deviations and shares of at most so many modes of values (N,) float64, by their means.

    The updates of a mixture of Gaussians under a Dirichlet and a normal-gamma prior (Bishop 2006, section 10.2), from
    means at evenly spaced quantiles; everything follows from the values.
    """
    values = values[torch.linspace(0, len(values) - 1, min(len(values), FITTED)).long()]
    centre, scale = values.mean(), values.std(correction=0).clamp(min=1e-12)
    x = (values - centre) / scale
    count = min(most, len(x.unique()))
    m = torch.quantile(x, (torch.arange(count, dtype=torch.float64) + 0.5) / count)
    a = torch.full((count,), 1.0, dtype=torch.float64)
    b = torch.full((count,), 1.0 / count**2, dtype=torch.float64)
    beta = torch.full((count,), len(x) / count, dtype=torch.float64)
    alpha = beta + CONCENTRATION
    floor = 1e-6
    for _ in range(STEPS):
        precision = a.digamma() - b.log()
        error = 1 / beta + (a / b) * (x[:, None] - m).square()
        share = alpha.digamma() - alpha.sum().digamma()
        r = (share + 0.5 * precision - 0.5 * error).softmax(1)
        n = r.sum(0) + 1e-10
        mean = (r * x[:, None]).sum(0) / n
        spread = (r * (x[:, None] - mean).square()).sum(0)
        alpha, beta = CONCENTRATION + n, 1.0 + n
        m = n * mean / beta
        a = 1.0 + n / 2
        b = floor + 0.5 * (spread + n / beta * mean.square())
    found = n / n.sum() > LEAST_SHARE
    order = m[found].argsort()
    std = (b / a).sqrt()[found][order] * scale
    share = (n / n.sum())[found][order]
    return (m[found][order] * scale + centre).tolist(), std.tolist(), (share / share.sum()).tolist()
