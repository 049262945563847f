"""The loss of Cramér GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import AdversarialLoss, ConfigError, DiscriminatorOutput
from gan_zoo.losses.vectors import vectors

FORMS = ("paper", "exact")
LEAST = 1e-12
"""Of a squared norm, below which it is 0: there a root has no gradient."""


class Cramer(AdversarialLoss):
    """The energy distance of the batches in D's vectors h (Bellemare et al. 2017, arXiv 1705.10743, Algorithm 1).

    With x' and g' second, independent samples it is 2 E‖h(x) - h(g)‖ - E‖h(x) - h(x')‖ - E‖h(g) - h(g')‖. The second
    sample of each place is the next one of its batch. D is to be smooth: `'term=[cramer_penalty]'`.

    Args:
        form: `paper`, whose critic ‖h(x) - h(g')‖ - ‖h(x)‖ has h(x') replaced by 0, which can be fooled (Bińkowski et
            al. 2018, arXiv 1801.01401), or `exact`.
    """

    generator_needs_real = True
    compares_vectors = True

    def __init__(self, form: str) -> None:
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose {' or '.join(FORMS)}")
        self.exact = form == "exact"

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return -(E c(x) - E c(g)), c the critic."""
        x, g = paired(real, fake)
        return self.critic(g, x, g).mean() - self.critic(x, x, g).mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E[‖h(x) - h(g)‖ + ‖h(x) - h(g')‖ - ‖h(g) - h(g')‖], or the energy distance."""
        assert real is not None
        x, g = paired(real, fake)
        return -self.discriminator(real, fake) if self.exact else to_generated(x, g, following(g))

    def critic(self, h: Tensor, x: Tensor, g: Tensor) -> Tensor:
        """Return the critic (N,) at vectors h (N, K), before vectors of real samples x and generated ones g."""
        return witness(h, following(g), following(x) if self.exact else None)


def witness(h: Tensor, g: Tensor, x: Tensor | None = None) -> Tensor:
    """Return ‖h - g‖ - ‖h - x‖ (N,) of vectors (N, K); x is 0 where it is None."""
    return norm(h - g) - norm(h if x is None else h - x)


def to_generated(x: Tensor, g: Tensor, other: Tensor) -> Tensor:
    """Return the mean of ‖x - g‖ + ‖x - other‖ - ‖g - other‖ over vectors (N, K)."""
    return (norm(x - g) + norm(x - other) - norm(g - other)).mean()


def following(h: Tensor) -> Tensor:
    """Return the next vector of the batch for each place; they are independent of the first ones."""
    return h.roll(-1, 0)


def norm(h: Tensor) -> Tensor:
    """Return ‖h‖ (N,) of vectors (N, K), with finite gradients also at 0."""
    squares = h.square().sum(1)
    apart = squares > LEAST
    return torch.where(apart, squares, 1.0).sqrt() * apart


def paired(real: DiscriminatorOutput, fake: DiscriminatorOutput) -> tuple[Tensor, Tensor]:
    """Return the vectors of both sides, as many of the one as of the other.

    Raises:
        ConfigError: there are not, or fewer than two.
    """
    x, g = vectors("cramer", real), vectors("cramer", fake)
    if len(x) != len(g) or len(x) < 2:
        raise ConfigError(
            f"loss=cramer compares as many real samples as generated ones, at least two: not {len(x)} and {len(g)}"
        )
    return x, g
