"""A conditional DCGAN generator."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, Projection, cropped, doublings, init_truncated_normal, with_labels


class DCGANConditionalGenerator(Generator):
    """z and the one-hot class as a 1x1 map, through transposed convolutions with batch norm and leaky ReLU.

    The network of the conditional DCGAN tutorials, after Radford et al. 2015 (arXiv 1511.06434). At 28
    pixels: 7x7 'valid' to 256 channels -> 5x5/2 to 128 -> 5x5/2 to the image; other sizes have as many
    5x5/2 layers as they need, from a map whose smaller side is from 4 to 7 pixels; see `DCGANGenerator`.

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the layer before the image.
    """

    conditional = True

    def __init__(self, latent_dim: int, num_classes: int, image_size: ImageSize, channels: int, width: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.image_size = image_size
        base, n = doublings(image_size)
        widths = [width * 2**i for i in reversed(range(n))]
        layers: list[nn.Module] = [
            Projection(latent_dim + num_classes, widths[0], base, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for wide, narrow in pairwise(widths):
            layers += [
                nn.ConvTranspose2d(wide, narrow, 5, 2, 2, output_padding=1, bias=False),
                nn.BatchNorm2d(narrow),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        layers += [nn.ConvTranspose2d(widths[-1], channels, 5, 2, 2, output_padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        init_truncated_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and classes (N,) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.layers(with_labels(z, labels, self.num_classes)[:, :, None, None])
        return cropped(images, self.image_size)
