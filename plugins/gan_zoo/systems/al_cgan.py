"""AL-CGAN (Karacan et al. 2016, arXiv 1612.00215): images of attributes and of a layout that says what is where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Generator
from gan_zoo.describing import ATTRIBUTES, Described, growing, halvings, joining, shrinking, spread
from gan_zoo.layers import init_normal
from gan_zoo.ranges import require_positive

LAYOUT = "layout"


class ALCGANGenerator(Generator):
    """A layout through strided convolutions to 4x4 pixels, z and attributes beside it there, and up again (section 3).

    The paper's figures of its layers are not known to us; these are DCGAN's.

    Args:
        latent_dim: the size of z.
        attributes_dim: the number of attributes.
        layout_channels: of the layouts.
        image_size: 4 times a power of two.
        channels: of the images.
        width: channels of the layer before the image.
    """

    def __init__(
        self, latent_dim: int, attributes_dim: int, layout_channels: int, image_size: int, channels: int, width: int
    ) -> None:
        super().__init__()
        require_positive(attributes_dim=attributes_dim, layout_channels=layout_channels, channels=channels, width=width)
        widths = [width * 2**i for i in range(halvings(image_size))]
        self.encoder = shrinking([layout_channels, *widths])
        self.joint = joining(widths[-1] + latent_dim + attributes_dim, widths[-1])
        self.decoder = growing(widths[::-1])
        self.image = nn.Sequential(nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, latent_dim), `attributes` (N, A) and `layout` (N, L, H, W) to images (N, C, H, W) in [-1, 1]."""
        described = torch.cat([z, given[ATTRIBUTES]], 1)
        images: Tensor = self.image(self.decoder(self.joint(spread(described, self.encoder(given[LAYOUT])))))
        return images


class ALCGAN(Described):
    """Images of attributes and layouts; D sees an image beside its layout, and the attributes at its last maps.

    The weights are 0 and 1 for the paper's objective; with a positive `wrong` D is also shown images with another's
    attributes and layout.
    """

    generates_from = LAYOUT
    needs: ClassVar[tuple[str, ...]] = (LAYOUT, ATTRIBUTES)
    beside: ClassVar[tuple[str, ...]] = (LAYOUT, ATTRIBUTES)
    mismatched: ClassVar[tuple[str, ...]] = (LAYOUT, ATTRIBUTES)
