"""An encoder of fully connected layers."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from gan_zoo.layers import ACTIVATIONS, ImageSize, choose, init_scaled, sample_shape


class MLPEncoder(nn.Module):
    """Fully connected layers from all pixels at once to one vector (Kingma & Welling 2014, appendix C.2).

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the hidden layers.
        activation: after each hidden layer.
        outputs: the sizes of the parts of the output vector: for a VAE twice the size of z, for the means
            and the logarithms of the variances.
        init: the scale of the first weights, `he` or `xavier`.
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        activation: str,
        outputs: list[int],
        init: str,
    ) -> None:
        super().__init__()
        sizes = [math.prod(sample_shape(channels, image_size)), *hidden]
        self.layers = nn.Sequential(nn.Flatten())
        for before, after in pairwise(sizes):
            self.layers.append(nn.Linear(before, after))
            self.layers.append(choose(ACTIVATIONS, "activation", activation))
        self.layers.append(nn.Linear(sizes[-1], sum(outputs)))
        init_scaled(self, init)

    def forward(self, x: Tensor) -> Tensor:
        """Map samples, images (N, C, H, W) in [-1, 1], to vectors (N, sum of outputs)."""
        return self.layers(x)  # type: ignore[no-any-return]
