"""The InfoGAN discriminator."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import ImageSize, activations, halved, in_order, init_weights


def trunk(
    image_size: ImageSize, channels: int, width: int, hidden: int, norm_position: str, slope: float
) -> list[nn.Module]:
    """Return the layers that D and Q have alike, block by block; see `InfoGANDiscriminator`.

    Raises:
        ValueError: a size or a position does not fit.
    """
    wide = 2 * width

    def normed(norm: nn.Module) -> tuple[nn.Module, nn.Module]:
        return in_order(norm, nn.LeakyReLU(slope, inplace=True), norm_position)

    return [
        nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(slope, inplace=True)),
        nn.Sequential(nn.Conv2d(width, wide, 4, 2, 1), *normed(nn.BatchNorm2d(wide))),
        nn.Sequential(nn.Flatten(), nn.Linear(halved(image_size, 2) * wide, hidden), *normed(nn.BatchNorm1d(hidden))),
    ]


class InfoGANDiscriminator(Discriminator):
    """Two strided convolutions, then a fully connected layer (Chen et al. 2016, arXiv 1606.03657, table 1).

    At 28 pixels: 14x14x64 -> 7x7x128 -> 1024, leaky ReLU after each, batch norm in the last two. As in
    the authors' code, the norm comes before the activation: right before the last layer it would give
    every batch, real or generated, the same mean logit, and D could hardly tell them apart.

    Args:
        image_size: of square images, or height and width; at least 4 pixels on each side.
        channels: of the images.
        width: channels of the first layer.
        hidden: the size of the fully connected layer.
        norm_position: whether batch norm stands `before` the activation or, at the cost above, `after` it.
        init: of the weights: `normal` or `truncated_normal`, both of deviation 0.02, `he` or `xavier`.
        slope: of the leaky ReLUs below 0.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        width: int,
        hidden: int,
        norm_position: str = "before",
        init: str = "normal",
        slope: float = 0.1,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(trunk(image_size, channels, width, hidden, norm_position, slope))
        self.output = nn.Linear(hidden, 1)
        init_weights(self, init, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1]."""
        return activations(self.blocks, x)
