"""A discriminator that is two intervals."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.intervals import mass


class IntervalsDiscriminator(Discriminator):
    """The indicator of two intervals, of which it says how much mass a mixture has there (Li et al. 2017).

    On the Limitations of First-Order Approximation in GAN Dynamics, arXiv 1706.09884, section 2. What it is shown are
    mixtures of two unit Gaussians, by their means, and its score is the mean of the indicator in closed form. An
    interval that ends before it begins is empty, and has no gradient.

    Args:
        left: where the two intervals begin.
        right: where they end.
    """

    batch_independent = True

    def __init__(self, left: list[float], right: list[float]) -> None:
        super().__init__()
        for name, values in (("left", left), ("right", right)):
            if len(values) != 2:
                raise ValueError(f"{name}={values}: there are two intervals")
        self.left = nn.Parameter(torch.tensor(left, dtype=torch.get_default_dtype()))
        self.right = nn.Parameter(torch.tensor(right, dtype=torch.get_default_dtype()))
        self.output = nn.Identity()

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the masses (N, 1) of mixtures by their means x (N, 2)."""
        return (mass(x, self.left, self.right)[:, None],)

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score mixtures by their means x (N, 2): the mass of the intervals (N,), between 0 and 1."""
        features = self.features(x, labels)
        return DiscriminatorOutput(self.output(features[-1]).squeeze(1), features)
