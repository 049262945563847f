"""The losses of McGAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import DiscriminatorOutput
from gan_zoo.losses.vectors import VectorDistance, vectors
from gan_zoo.ranges import require_positive

MOMENTS = ("mean", "covariance")


class MomentIPM(VectorDistance):
    """D's features differ between the sides in mean or covariance, G makes them agree (Mroueh et al. 2017).

    McGan, arXiv 1702.08398: the dual forms, without the paper's U and V. Covariances are uncentred, E Φ Φᵀ. D's weights
    are to be bounded, `'strategy=[weight_clipping]'`.

    Args:
        moment: `mean`, ‖E Φ(x) - E Φ(G(z))‖_q, or `covariance`, the sum of the k greatest singular values of the
            difference.
        q: of the norm of means: 1, 2, or .inf.
        k: of singular values.
    """

    def __init__(self, moment: str, q: float, k: int) -> None:
        super().__init__()
        if moment not in MOMENTS:
            raise ValueError(f"moment={moment!r}: choose {' or '.join(MOMENTS)}")
        require_positive(q=q)
        require_positive(k=k)
        self.moment = moment
        self.q = q
        self.k = k

    def distance(self, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Tensor:
        """Return the distance of the moments."""
        x, g = vectors("moment_ipm", real), vectors("moment_ipm", fake)
        if self.moment == "mean":
            apart: Tensor = torch.linalg.vector_norm(x.mean(0) - g.mean(0), ord=self.q)
            return apart
        difference = x.T @ x / len(x) - g.T @ g / len(g)
        # Constants: with them the product has the gradient of the singular values, and none of its own.
        u, _, v = torch.linalg.svd(difference.detach(), full_matrices=False)
        return torch.einsum("ik,ij,kj->", u[:, : self.k], difference, v[: self.k])
