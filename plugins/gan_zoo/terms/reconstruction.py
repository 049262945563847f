"""How far reconstructions are from what they reconstruct."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Pair, Player, Term


def squared_error(reconstructed: Tensor, x: Tensor) -> Tensor:
    """Return ½ Σ (x̂ - x)² for each sample (N,): -log of a Gaussian likelihood, without its constant."""
    return 0.5 * (reconstructed - x).square().flatten(1).sum(1)


def cross_entropy(reconstructed: Tensor, x: Tensor) -> Tensor:
    """Return -Σ p log p̂ + (1 - p) log(1 - p̂) for each sample (N,), the pixels p being (x + 1) / 2.

    It is -log of a Bernoulli likelihood (Kingma & Welling 2014, arXiv 1312.6114, appendix C.1).
    """
    pixels, reconstructed_pixels = ((images + 1) / 2 for images in (x, reconstructed))
    # Rounding may leave [0, 1] by less than anybody sees, and the logarithm of nothing is cut at -100.
    within = reconstructed_pixels.nan_to_num().clamp(0, 1)
    loss = F.binary_cross_entropy(within, pixels.clamp(0, 1), reduction="none")
    # Torch would refuse NaN with an error of its own; the loss itself has to say so.
    return torch.where(reconstructed_pixels.isnan(), reconstructed_pixels, loss).flatten(1).sum(1)


DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": cross_entropy,
    "squared_error": squared_error,
}


class Reconstruction(Term):
    """The distance between reconstructions and originals, summed over their entries.

    Args:
        distance: `cross_entropy` for images in [-1, 1], or `squared_error`.
    """

    def __init__(self, distance: str) -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise ValueError(f"distance={distance!r}: choose one of {', '.join(DISTANCES)}")
        self.distance = distance

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's samples."""
        return DISTANCES[self.distance](pair.fake.float(), pair.real).mean()
