"""The discriminator of the CGAN paper for vectors given a condition vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import Maxout, given
from gan_zoo.ranges import require_below_one


class CGANVectorsDiscriminator(Discriminator):
    """Vector -> 500 ReLU, condition -> 1200 ReLU, joined -> maxout 1000 x 3 -> 1 (Mirza & Osindero 2014, section 4.2).

    There is dropout after every hidden layer.

    Args:
        condition_dim: the size of a condition vector.
        channels: the size of a judged vector.
        vector_units: of the branch of the vector.
        condition_units: of the branch of the condition.
        joint_units: units and pieces of the layer that joins both.
        dropout: the share of hidden units that are dropped in training.
    """

    conditional = True

    def __init__(
        self,
        condition_dim: int,
        channels: int,
        vector_units: int,
        condition_units: int,
        joint_units: list[int],
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        require_below_one(dropout=dropout)
        self.vector_branch = nn.Sequential(nn.Linear(channels, vector_units), nn.ReLU(), nn.Dropout(dropout))
        self.condition_branch = nn.Sequential(nn.Linear(condition_dim, condition_units), nn.ReLU(), nn.Dropout(dropout))
        self.joint = Maxout(vector_units + condition_units, *joint_units)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(joint_units[0], 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the joined branches (N, 1700) and the joint layer (N, 1000)."""
        branches = torch.cat([self.vector_branch(x), self.condition_branch(given(labels))], dim=1)
        return branches, self.dropout(self.joint(branches))
