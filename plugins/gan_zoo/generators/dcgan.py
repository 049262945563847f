"""The DCGAN generator."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, Projection, cropped, doublings, init_normal
from gan_zoo.ranges import require_positive

DOUBLING = {4: (1, 0), 5: (2, 1)}
"""By the kernel, the padding and output padding with which a transposed convolution of stride 2 doubles the size."""


def check_kernel(kernel: int) -> int:
    """Return a kernel with which DCGAN's layers halve and double sizes.

    Raises:
        ValueError: it is another.
    """
    if kernel not in DOUBLING:
        raise ValueError(f"kernel={kernel}: choose {' or '.join(map(str, DOUBLING))}")
    return kernel


class DCGANGenerator(Generator):
    """Transposed convolutions with batch norm and ReLU, tanh at the end (Radford et al. 2015, section 3).

    z becomes a map whose smaller side is from 4 to 7 pixels, with width * 2^(n-1) channels; each of the n further
    layers doubles the size and halves the channels. At 64 pixels: 4 -> 8 -> 16 -> 32 -> 64; at 28: 7 -> 14 -> 28; at
    20x36: 5x9 -> 10x18 -> 20x36. Of sizes that are no such multiples the next larger image is made and cropped at its
    centre: 33x47 of 40x48.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the layer before the image.
        kernel: height and width of the kernels: 4, as in later programs, or 5, as in the authors'.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, width: int, kernel: int = 4) -> None:
        super().__init__()
        require_positive(channels=channels, width=width)
        shape = DOUBLING[check_kernel(kernel)]
        self.image_size = image_size
        base, n = doublings(image_size)
        widths = [width * 2**i for i in reversed(range(n))]
        layers: list[nn.Module] = [
            Projection(latent_dim, widths[0], base, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        ]
        for wide, narrow in pairwise(widths):
            layers += [
                nn.ConvTranspose2d(wide, narrow, kernel, 2, *shape, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.ConvTranspose2d(widths[-1], channels, kernel, 2, *shape), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        init_normal(self, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.layers(z[:, :, None, None])
        return cropped(images, self.image_size)
