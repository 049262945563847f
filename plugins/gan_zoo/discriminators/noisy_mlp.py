"""A discriminator of fully connected layers with noise between them."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from gan_framework.api import Discriminator
from gan_zoo.layers import PIXELS, ImageSize, activations, choose, sample_shape
from gan_zoo.ranges import require_not_negative


class Noisy(nn.Module):
    """Adds normal noise in training.

    Args:
        deviation: of the noise; 0 for none.
    """

    def __init__(self, deviation: float) -> None:
        super().__init__()
        require_not_negative(noise=deviation)
        self.deviation = deviation

    def forward(self, x: Tensor) -> Tensor:
        """Return x (N, ...) with noise, or as it is in evaluation."""
        return x + self.deviation * torch.randn_like(x) if self.training and self.deviation else x


class NoisyMLPDiscriminator(Discriminator):
    """Fully connected layers with noise before each, ReLU, and weights whose lengths are parameters of their own.

    The classifier of few labelled digits of Salimans et al. 2016 (arXiv 1606.03498, section 5.1): 1000, 500, 250, 250
    and 250 units, noise of 0.3 on the pixels and of 0.5 on each hidden layer; weight norm is Salimans & Kingma's (2016,
    arXiv 1602.07868) without its start from data.

    Args:
        image_size: of square images, or height and width; null for vectors.
        channels: of the images, or the size of the vectors.
        hidden: the sizes of the hidden layers.
        input_noise: the deviation of the noise on the pixels.
        noise: the deviation of the noise on each hidden layer.
        weight_norm: whether weights are normalised.
        pixels: `unit` shows the network pixels in [0, 1], where it was published so; `symmetric` leaves samples as
            they are, in [-1, 1].
    """

    def __init__(
        self,
        image_size: ImageSize | None,
        channels: int,
        hidden: list[int],
        input_noise: float,
        noise: float,
        weight_norm: bool,
        pixels: str,
    ) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("hidden=[]: the discriminator needs at least one hidden layer")
        self.pixels = choose(PIXELS, "pixels", pixels)
        sizes = [math.prod(sample_shape(channels, image_size)), *hidden]
        self.hidden = nn.ModuleList(
            nn.Sequential(Noisy(noise if i else input_noise), _linear(inputs, outputs, weight_norm), nn.ReLU())
            for i, (inputs, outputs) in enumerate(pairwise(sizes))
        )
        self.hidden.append(Noisy(noise))
        self.output = nn.Linear(sizes[-1], 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every hidden layer, the last once more with noise."""
        return activations(self.hidden, self.pixels(x).flatten(1))


def _linear(inputs: int, outputs: int, normed: bool) -> nn.Module:
    layer = nn.Linear(inputs, outputs)
    nn.init.kaiming_normal_(layer.weight)
    nn.init.zeros_(layer.bias)
    return weight_norm(layer) if normed else layer
