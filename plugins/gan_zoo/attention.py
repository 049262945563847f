"""Self-attention between the places of a map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """x + γ W o, o at each place the mean of values weighted by β = softmax over the keys of θᵀφ (arXiv 1805.08318).

    Zhang et al. 2019, section 3, in the form of the authors' program: keys and values are pooled 2x2, which the paper
    does not say; no layer has a bias. γ starts at 0, so that the layer starts as the identity.

    Args:
        features: channels C of the maps; queries and keys have C/8 and values C/2, at least one.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        keys, values = max(features // 8, 1), max(features // 2, 1)
        self.theta = nn.Conv2d(features, keys, 1, bias=False)
        self.phi = nn.Conv2d(features, keys, 1, bias=False)
        self.g = nn.Conv2d(features, values, 1, bias=False)
        self.o = nn.Conv2d(values, features, 1, bias=False)
        for layer in (self.theta, self.phi, self.g, self.o):
            nn.init.xavier_uniform_(layer.weight)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, features, H, W) to the same shape; H and W are at least 2."""
        queries = self.theta(x).flatten(2)
        keys = F.max_pool2d(self.phi(x), 2).flatten(2)
        values = F.max_pool2d(self.g(x), 2).flatten(2)
        weights = torch.softmax(queries.transpose(1, 2) @ keys, dim=2)
        seen = (values @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        return x + self.gamma * self.o(seen)  # type: ignore[no-any-return]
