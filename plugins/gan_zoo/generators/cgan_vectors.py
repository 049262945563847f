"""The generator of the CGAN paper for vectors given a condition vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import given
from gan_zoo.ranges import require_below_one


class CGANVectorsGenerator(Generator):
    """z -> 500 ReLU, condition -> 2000 ReLU, joined -> linear; dropout of both (Mirza & Osindero 2014, section 4.2).

    In the paper the condition is a 4096-dimensional image feature, and the output the 200-dimensional
    vector of a word that describes the image.

    Args:
        latent_dim: the size of z.
        condition_dim: the size of a condition vector.
        channels: the size of a generated vector.
        latent_units: of the branch of z.
        condition_units: of the branch of the condition.
        dropout: the share of hidden units that are dropped in training.
    """

    conditional = True

    def __init__(
        self,
        latent_dim: int,
        condition_dim: int,
        channels: int,
        latent_units: int,
        condition_units: int,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        require_below_one(dropout=dropout)
        self.latent_branch = nn.Sequential(nn.Linear(latent_dim, latent_units), nn.ReLU(), nn.Dropout(dropout))
        self.condition_branch = nn.Sequential(nn.Linear(condition_dim, condition_units), nn.ReLU(), nn.Dropout(dropout))
        self.output = nn.Linear(latent_units + condition_units, channels)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and conditions (N, condition_dim) to vectors (N, channels)."""
        branches = [self.latent_branch(z), self.condition_branch(given(labels))]
        return self.output(torch.cat(branches, dim=1))  # type: ignore[no-any-return]
