"""A Q with the layers of InfoGAN's discriminator, apart from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from gan_zoo.codes import CodeList, QOutput
from gan_zoo.discriminators.infogan import trunk
from gan_zoo.layers import ImageSize, in_order, init_weights


class QConv(nn.Module):
    """Tells the codes with convolutions: D's layers and Q's of table 1 of Chen et al. 2016, shared with nobody.

    The layers of `InfoGANDiscriminator`, then a linear one with leaky ReLU and batch norm, and the outputs. Slopes are
    0.2.

    Args:
        image_size: of square images, or height and width; at least 4 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
        hidden: the size of the fully connected layer that D has too.
        q_hidden: the size of the one that follows.
        codes: the codes to be told, as in the prior.
        deviation: of continuous codes, `fixed` at 1 or `predicted` from the sample.
        norm_position: whether batch norm stands `before` the activation or `after` it.
        init: of the weights: `normal` or `truncated_normal`, both of deviation 0.02, `he` or `xavier`.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        width: int,
        hidden: int,
        q_hidden: int,
        codes: Mapping[str, Any],
        deviation: str,
        norm_position: str,
        init: str,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *trunk(image_size, channels, width, hidden, norm_position, 0.2),
            nn.Linear(hidden, q_hidden),
            *in_order(nn.BatchNorm1d(q_hidden), nn.LeakyReLU(0.2, inplace=True), norm_position),
            QOutput(q_hidden, CodeList.of(codes), deviation),
        )
        init_weights(self, init, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [-1, 1] to the parameters of Q(c|x) (N, dim + continuous)."""
        parameters: Tensor = self.layers(x)
        return parameters
