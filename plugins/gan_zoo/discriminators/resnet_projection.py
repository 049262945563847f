"""The residual discriminator of SNGAN with a projection of the class."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import DiscriminatorOutput
from gan_zoo.discriminators.resnet import ResNetDiscriminator
from gan_zoo.layers import given


class ResNetProjectionDiscriminator(ResNetDiscriminator):
    """Adds v_y · φ(x) to the logit, v_y an embedding of the class (Miyato & Koyama 2018, arXiv 1802.05637, section 3).

    Args:
        num_classes: the number of classes.
        channels: of the images.
        width: channels of every block.
    """

    conditional = True

    def __init__(self, num_classes: int, channels: int, width: int) -> None:
        super().__init__(channels, width)
        self.projection = nn.Embedding(num_classes, width)
        nn.init.xavier_uniform_(self.projection.weight)

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1] of classes (N,)."""
        output = super().forward(x, labels)
        agreement = (self.projection(given(labels)) * output.features[-1]).sum(1)
        return output._replace(logits=output.logits + agreement)
