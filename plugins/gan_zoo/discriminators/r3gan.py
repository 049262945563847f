"""The discriminator of R3GAN."""

from __future__ import annotations

import math

from torch import Tensor, nn

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.aggregated import scaled_normal, stages, towers, transitions
from gan_zoo.blur import Reduce
from gan_zoo.grouped import GroupedConv2d
from gan_zoo.layers import ImageSize, class_vectors, padded


class R3GANDiscriminator(Discriminator):
    """The generator's mirror image, without norm or bias outside its blocks (Huang et al. 2024, arXiv 2501.05441).

    A 1x1 convolution, blocks at each size, a binomial filter that halves it, and at last a 4x4 filter for each channel.
    It begins linear in the images. With classes the last layer has as many outputs as channels, and the logit is their
    product with an embedding of the class.

    Args:
        num_classes: the number of classes; null for none.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: as the generator's.
        blocks: at each size.
    """

    batch_independent = True

    def __init__(
        self, num_classes: int | None, image_size: ImageSize, channels: int, width: int | list[int], blocks: int
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.conditional = num_classes is not None
        base, widths = stages(image_size, width)
        self.whole_size = (base[0] << len(widths) - 1, base[1] << len(widths) - 1)
        smallest = widths[0]
        self.towers = towers(widths[::-1], blocks)
        self.transitions = transitions(widths[::-1])
        self.reduce = Reduce()
        self.input = scaled_normal(nn.Conv2d(channels, widths[-1], 1, bias=False))
        self.basis = scaled_normal(GroupedConv2d(smallest, smallest, base, groups=smallest, bias=False))
        self.output: nn.Module = scaled_normal(nn.Linear(smallest, 1 if num_classes is None else smallest, bias=False))
        if num_classes is not None:
            self.embedding = scaled_normal(nn.Linear(num_classes, smallest, bias=False), 1 / math.sqrt(smallest))

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations at each size for images (N, C, H, W) in [-1, 1], then what the filter leaves."""
        x = self.towers[0](self.input(padded(x, self.whole_size)))
        activations = [x]
        for transition, tower in zip(self.transitions, self.towers[1:], strict=True):
            x = tower(transition(self.reduce(x)))
            activations.append(x)
        return *activations, self.basis(x)

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1], of classes (N,) if there are any."""
        output = super().forward(x, labels)
        if self.num_classes is None:
            return output
        embedded = self.embedding(class_vectors(labels, self.num_classes, output.logits.dtype))
        return output._replace(logits=(output.logits * embedded).sum(1))
