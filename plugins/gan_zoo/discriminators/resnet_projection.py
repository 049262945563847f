"""The residual discriminator of SNGAN with a projection of the class."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from gan_framework.api import DiscriminatorOutput
from gan_zoo.discriminators.resnet import ResNetDiscriminator
from gan_zoo.layers import ImageSize, given
from gan_zoo.residual import Widths


class ResNetProjectionDiscriminator(ResNetDiscriminator):
    """Adds v_y · φ(x) to the logit, v_y an embedding of the class (Miyato & Koyama 2018, arXiv 1802.05637, section 3).

    Args:
        num_classes: the number of classes.
        channels: of the images.
        width: channels of the first block; of every block if `widths` is null.
        image_size: as that of `discriminator=resnet`, as are all further settings.
        widths: null for four blocks of one width; `by_size`; or those of the blocks.
        hidden: whether blocks are inside as wide as their `inputs` or `outputs`.
        last_down: whether the last block halves the size too.
        attention: the size of the maps after which self-attention stands, or null.
        checkpoint_activations: compute what is inside blocks once more for the gradient, to save memory.
    """

    conditional = True

    def __init__(
        self,
        num_classes: int,
        channels: int,
        width: int,
        image_size: ImageSize | None = None,
        widths: Widths = None,
        hidden: str = "outputs",
        last_down: bool = False,
        attention: int | str | None = None,
        checkpoint_activations: bool = False,
    ) -> None:
        super().__init__(channels, width, image_size, widths, hidden, last_down, attention, checkpoint_activations)
        self.projection = nn.Embedding(num_classes, cast(int, self.output.in_features))
        nn.init.xavier_uniform_(self.projection.weight)

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1] of classes (N,)."""
        output = super().forward(x, labels)
        agreement = (self.projection(given(labels)) * output.features[-1]).sum(1)
        return output._replace(logits=output.logits + agreement)
