"""A discriminator of fully connected layers."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import ACTIVATIONS, PIXELS, ImageSize, activations, choose, init_weights, sample_shape


class MLPDiscriminator(Discriminator):
    """Fully connected layers from all pixels at once to one logit (the first network of the GAN tutorials).

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the hidden layers.
        activation: after each hidden layer.
        init_std: the deviation of the first weights with `truncated_normal` and `normal`; with `uniform` the greatest.
        init_bias: the value at which biases start with `truncated_normal`.
        pixels: `unit` shows the network pixels in [0, 1], where it was published so; `symmetric` leaves samples as
            they are, in [-1, 1].
        init: `truncated_normal`, cut off at two deviations, `normal` or `uniform`; `he` or `xavier`, with biases 0.
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        activation: str,
        init_std: float,
        init_bias: float,
        pixels: str,
        init: str = "truncated_normal",
    ) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("hidden=[]: the discriminator needs at least one hidden layer")
        self.pixels = choose(PIXELS, "pixels", pixels)
        sizes = [math.prod(sample_shape(channels, image_size)), *hidden]
        self.hidden = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, outputs), choose(ACTIVATIONS, "activation", activation))
            for inputs, outputs in pairwise(sizes)
        )
        self.output = nn.Linear(sizes[-1], 1)
        init_weights(self, init, init_std, init_bias)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every hidden layer."""
        x = self.pixels(x).flatten(1)
        return activations(self.hidden, x)
