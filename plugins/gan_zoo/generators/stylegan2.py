"""The generator of StyleGAN2."""

from __future__ import annotations

from collections.abc import Mapping as Readable
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_zoo.blur import Enlarge
from gan_zoo.layers import ImageSize, cropped, doublings
from gan_zoo.mapping import Mapping, StyleGenerator
from gan_zoo.modulated import StyledLayer, ToImage
from gan_zoo.ranges import require_positive
from gan_zoo.widths import channels_at


class StyleGAN2Generator(StyleGenerator):
    """Modulated convolutions on a learnt constant, one image summed over all sizes (Karras et al. 2020, 1912.04958).

    z → mapping → w, one for each layer. 4x4: one layer; each further size: two layers, the first of which doubles
    the size. At each size a 1x1 convolution to the image, which is doubled and added to the next size's. No tanh. In
    the program of arXiv 2006.06676 the base is 32768, or 16384 below 512 pixels, and the mapping has 8 or 2 layers.
    Other sizes than powers of 2 begin with other maps than 4x4; see `DCGANGenerator`.

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes; null for none.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        base: channels at a size are base / size in pixels,
        most: but no more than this.
        style_size: the size of w.
        mapping_layers: of the mapping network.
    """

    exempt: ClassVar[Readable[str, str]] = {"makes_samples": "its images are not bounded, as published"}

    def __init__(
        self,
        latent_dim: int,
        num_classes: int | None,
        image_size: ImageSize,
        channels: int,
        base: int,
        most: int,
        style_size: int,
        mapping_layers: int,
    ) -> None:
        require_positive(base=base, most=most, style_size=style_size, mapping_layers=mapping_layers)
        (height, width), n = doublings(image_size, most=None)
        super().__init__(2 * n + 2, style_size)
        self.image_size = image_size
        self.conditional = num_classes is not None
        self.mapping = Mapping(latent_dim, num_classes, style_size, mapping_layers)
        widths = [channels_at(level, base, most) for level in range(n + 1)]
        self.constant = nn.Parameter(torch.randn(widths[0], height, width))
        self.first = StyledLayer(style_size, widths[0], widths[0], height, width, enlarge=False)
        self.up, self.after = nn.ModuleList(), nn.ModuleList()
        for level in range(1, n + 1):
            size = height << level, width << level
            self.up.append(StyledLayer(style_size, widths[level - 1], widths[level], *size, enlarge=True))
            self.after.append(StyledLayer(style_size, widths[level], widths[level], *size, enlarge=False))
        self.images = nn.ModuleList(ToImage(style_size, inputs, channels) for inputs in widths)
        self.enlarge = Enlarge()

    def synthesise(self, w: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map w (N, layers, D) to images (N, C, H, W); the image at a size has the w of the next size's first layer."""
        w_of = w.unbind(1)
        x = self.first(self.constant.expand(w.shape[0], -1, -1, -1), w_of[0])
        image = self.images[0](x, w_of[1])
        for level, (up, after) in enumerate(zip(self.up, self.after, strict=True), 1):
            x = after(up(x, w_of[2 * level - 1]), w_of[2 * level])
            image = self.enlarge(image) + self.images[level](x, w_of[2 * level + 1])
        return cropped(image, self.image_size)
