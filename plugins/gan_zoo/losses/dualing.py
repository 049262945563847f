"""The loss of Dualing GAN."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import AdversarialLoss, ConfigError, DiscriminatorOutput
from gan_zoo.losses.vectors import vectors
from gan_zoo.ranges import require_above_zero, require_positive

HALVINGS = 30
"""How often a step of Newton's method is halved that would not lead down."""

CONVERGED = 1e-9
"""Of the last step beside the weights; the error that is left is about its square."""


class Dualing(AdversarialLoss):
    """G raises the dual of a linear discriminator's loss, which is solved for each batch (Li et al. 2017).

    Dualing GANs, arXiv 1706.06216. With features F the discriminator's loss is ½ C ‖w‖² + ½ E sp(-w·F(x)) +
    ½ E sp(w·F(G(z))), sp the softplus, and its least value is the greatest of its dual,
    -‖Σ λ_x F(x) - Σ λ_g F(g)‖² / 2C and entropies of λ: both sides climb one function, and there is no saddle. By the
    envelope theorem G's gradient is that at fixed λ, -λ_g w for each sample. A discriminator with a trained inner part
    is another problem (the paper linearises it in a trust region), so the features are fixed: `game=moment_matching`.

    Args:
        weight: C, of the squared norm.
        iterations: the greatest number of Newton's steps to the best w, in float64.
    """

    generator_needs_real = True
    compares_vectors = True

    def __init__(self, weight: float, iterations: int) -> None:
        super().__init__()
        require_above_zero(weight=weight)
        require_positive(iterations=iterations)
        self.weight = weight
        self.iterations = iterations

    def discriminator(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Refuse: no discriminator is trained.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            "loss=dualing finds its own linear discriminator for each batch, and none can be trained beside it: choose "
            "game=moment_matching discriminator=null"
        )

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return the dual at its maximum, negative."""
        assert real is not None
        x, g = vectors("dualing", real).detach(), vectors("dualing", fake)
        w = self.best(x, g.detach()).to(g.dtype)
        return -self.primal(w, x, g)

    def primal(self, w: Tensor, x: Tensor, g: Tensor) -> Tensor:
        """Return the discriminator's loss at weights w (K,), of vectors x (N, K) and g (M, K)."""
        return self.weight / 2 * w.square().sum() + (F.softplus(-x @ w).mean() + F.softplus(g @ w).mean()) / 2

    @torch.no_grad()
    def best(self, x: Tensor, g: Tensor) -> Tensor:
        """Return the weights (K,), float64, at which the discriminator's loss is least."""
        x, g = x.double(), g.double()
        w = x.new_zeros(x.shape[1])
        least = self.primal(w, x, g)
        for _ in range(self.iterations):
            up, down = (-x @ w).sigmoid() / (2 * len(x)), (g @ w).sigmoid() / (2 * len(g))
            gradient = self.weight * w - up @ x + down @ g
            # σ (1 - σ), shared out over the batch.
            curved = [share * (1 - 2 * len(of) * share) for share, of in ((up, x), (down, g))]
            hessian = x.T @ (curved[0][:, None] * x) + g.T @ (curved[1][:, None] * g)
            hessian.diagonal().add_(self.weight)
            step = torch.linalg.solve(hessian, gradient)
            for _ in range(HALVINGS):
                value = self.primal(w - step, x, g)
                if value <= least:
                    break
                step = step / 2
            else:
                return w
            w, least = w - step, value
            if step.norm() <= CONVERGED * (1 + w.norm()):
                break
        return w
