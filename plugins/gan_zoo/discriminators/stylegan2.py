"""The discriminator of StyleGAN2."""

from __future__ import annotations

import math
from collections.abc import Mapping as Readable
from typing import ClassVar

from torch import Tensor, nn

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.blur import Blur, Reduce
from gan_zoo.equalised import ONE_BY_ANOTHER, EqualisedConv, EqualisedLinear, GroupDeviation, leaky_with_gain
from gan_zoo.layers import ImageSize, doublings, padded
from gan_zoo.mapping import Mapping
from gan_zoo.widths import channels_at


class ReducingBlock(nn.Module):
    """Two 3x3 convolutions, the second of which halves the size behind a binomial filter, beside a 1x1 shortcut.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        residual: whether there is a shortcut; both branches are then multiplied by √½.
    """

    def __init__(self, inputs: int, outputs: int, residual: bool) -> None:
        super().__init__()
        self.same = EqualisedConv(inputs, inputs, 3, gain=1.0)
        self.blur = Blur(padding=2)
        self.down = EqualisedConv(inputs, outputs, 3, gain=1.0, stride=2, padding=0)
        self.reduce = Reduce()
        self.shortcut = EqualisedConv(inputs, outputs, 1, gain=1.0, bias=False) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H/2, W/2)."""
        y = leaky_with_gain(self.down(self.blur(leaky_with_gain(self.same(x)))))
        if self.shortcut is None:
            return y
        return (y + self.shortcut(self.reduce(x))) * math.sqrt(0.5)  # type: ignore[no-any-return]


class StyleGAN2Discriminator(Discriminator):
    """Residual blocks with equalised layers, and the deviation of the batch before the end (Karras et al. 2020).

    arXiv 1912.04958, and 2006.06676 for the rest: a 1x1 convolution, a block for each size, minibatch deviation, a 3x3
    convolution, a fully connected layer, one logit. With classes the last layer has as many outputs as the one before,
    and the logit is their product with a mapped class, divided by the root of the size.

    Args:
        num_classes: the number of classes; null for none.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        base: channels at a size are base / size in pixels,
        most: but no more than this.
        residual: whether blocks have shortcuts.
        group: samples of a batch that are compared with each other.
        mapping_layers: of the mapping of classes.
    """

    batch_independent = False
    exempt: ClassVar[Readable[str, str]] = ONE_BY_ANOTHER

    def __init__(
        self,
        num_classes: int | None,
        image_size: ImageSize,
        channels: int,
        base: int,
        most: int,
        residual: bool,
        group: int,
        mapping_layers: int,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.conditional = num_classes is not None
        (height, width), n = doublings(image_size, most=None)
        self.whole_size = (height << n, width << n)
        widths = [channels_at(level, base, most) for level in range(n, -1, -1)]
        last = widths[-1]
        self.input = EqualisedConv(channels, widths[0], 1, gain=1.0)
        self.blocks = nn.ModuleList(ReducingBlock(a, b, residual) for a, b in zip(widths[:-1], widths[1:], strict=True))
        self.deviation = GroupDeviation(group)
        self.end = EqualisedConv(last + 1, last, 3, gain=1.0)
        self.flat = EqualisedLinear(last * height * width, last)
        self.output: nn.Module = EqualisedLinear(last, 1 if num_classes is None else last)
        if num_classes is not None:
            self.mapping = Mapping(0, num_classes, last, mapping_layers)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations at each size for images (N, C, H, W) in [-1, 1], then the flat layer's (N, A)."""
        x = leaky_with_gain(self.input(padded(x, self.whole_size)))
        activations = []
        for block in self.blocks:
            x = block(x)
            activations.append(x)
        x = leaky_with_gain(self.end(self.deviation(x)))
        # A fully connected layer reads the maps channel by channel, whatever their layout.
        return *activations, leaky_with_gain(self.flat(x.flatten(1)))

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1], of classes (N,) if there are any."""
        output = super().forward(x, labels)
        if self.num_classes is None:
            return output
        embedded = self.mapping(x.new_zeros(len(x), 0), labels)
        return output._replace(logits=(output.logits * embedded).sum(1) / math.sqrt(embedded.shape[1]))
