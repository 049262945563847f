"""A Q of fully connected layers, apart from the discriminator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from gan_zoo.codes import CodeList, QOutput
from gan_zoo.layers import PIXELS, ImageSize, choose, init_weights, sample_shape


class QMLP(nn.Module):
    """Tells the codes from all pixels at once, with one hidden layer of ReLUs (the InfoGAN tutorials).

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the size of the hidden layer.
        codes: the codes to be told, as in the prior.
        deviation: of continuous codes, `fixed` at 1 or `predicted` from the sample.
        init_std: the deviation of the first weights with `truncated_normal` and `normal`.
        pixels: `unit` shows the network pixels in [0, 1], where it was published so; `symmetric` leaves samples as
            they are, in [-1, 1].
        init: `truncated_normal`, cut off at two deviations, or `normal`, `he` or `xavier`; biases are 0.
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        hidden: int,
        codes: Mapping[str, Any],
        deviation: str,
        init_std: float,
        pixels: str,
        init: str = "truncated_normal",
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            choose(PIXELS, "pixels", pixels),
            nn.Flatten(),
            nn.Linear(math.prod(sample_shape(channels, image_size)), hidden),
            nn.ReLU(),
            QOutput(hidden, CodeList.of(codes), deviation),
        )
        init_weights(self, init, init_std)

    def forward(self, x: Tensor) -> Tensor:
        """Map samples, images (N, C, H, W) in [-1, 1], to the parameters of Q(c|x) (N, dim + continuous)."""
        parameters: Tensor = self.layers(x)
        return parameters
