"""The InfoGAN generator."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, SigmoidImage, cropped, in_order, init_weights, sides


class InfoGANGenerator(Generator):
    """Two fully connected layers, then two transposed convolutions (Chen et al. 2016, arXiv 1606.03657, table 1).

    At 28 pixels: 1024 -> 7x7x128 -> 14x14x64 -> 28x28, batch norm and ReLU (in that order in the authors' code,
    in the other in tutorials) after each of the first two, in the paper after the third too, which has ReLU alone in
    tutorials; sigmoid (rescaled to [-1, 1]) at the end. A side that is no multiple of 4 is made longer, and the image
    cropped at its centre.

    Args:
        latent_dim: the size of z, codes included.
        image_size: of square images, or height and width.
        channels: of the images.
        hidden: the size of the first layer.
        width: channels of the layer before the image.
        norm_position: whether batch norm stands `before` the activation or `after` it.
        init: of the weights: `normal` or `truncated_normal`, both of deviation 0.02, `he` or `xavier`.
        third_norm: whether the third layer has batch norm too.
    """

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize,
        channels: int,
        hidden: int,
        width: int,
        norm_position: str = "before",
        init: str = "normal",
        third_norm: bool = True,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        height, across = sides(image_size)
        base = -(-height // 4), -(-across // 4)
        wide = 2 * width
        activation = nn.ReLU(inplace=True)
        third = in_order(nn.BatchNorm2d(width), activation, norm_position) if third_norm else (activation,)
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden),
            *in_order(nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), norm_position),
            nn.Linear(hidden, base[0] * base[1] * wide),
            *in_order(nn.BatchNorm1d(base[0] * base[1] * wide), nn.ReLU(inplace=True), norm_position),
            nn.Unflatten(1, (wide, *base)),
            nn.ConvTranspose2d(wide, width, 4, 2, 1),
            *third,
            nn.ConvTranspose2d(width, channels, 4, 2, 1),
            SigmoidImage(),
        )
        init_weights(self, init, 0.02)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        images: Tensor = self.layers(z)
        return cropped(images, self.image_size)
