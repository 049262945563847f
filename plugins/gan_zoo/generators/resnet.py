"""The residual generator of SNGAN."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.layers import ImageSize, cropped, doublings
from gan_zoo.residual import UpBlock, Widths, attention_after, images_of, init_residual, rising, through


class ResNetGenerator(Generator):
    """Residual blocks that each double the size (Miyato et al. 2018, arXiv 1802.05957, table 3 and appendix B).

    At 32 pixels, at constant width: z -> 4x4x256 -> 8 -> 16 -> 32 -> batch norm, ReLU, 3x3 convolution, tanh. With
    `widths=by_size` and a width of 64 there are at 48 pixels 6x6x512 -> 256 -> 128 -> 64, as in the paper, at 64 pixels
    4x4x1024 -> 512 -> 256 -> 128 -> 64 and at 128 pixels 4x4x1024 -> 1024 -> 512 -> 256 -> 128 -> 64, as Miyato &
    Koyama 2018 (arXiv 1802.05637) have it.
    Other sizes begin with a map whose smaller side is from 4 to 7 pixels, and are cropped; see `DCGANGenerator`.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels of the last block; of every block if `widths` is null.
        widths: null for the same everywhere; `by_size` for twice as many in each block before, up to 16 times; or those
            of the first map and of the maps that each block makes.
        attention: the smaller side of the maps after which self-attention stands (SAGAN, Zhang et al. 2019, arXiv
            1805.08318); `by_size` for half that of the images, at most 32; null for none.
        checkpoint_activations: compute what is inside blocks once more for the gradient, to save memory.
    """

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize,
        channels: int,
        width: int,
        widths: Widths = None,
        attention: int | str | None = None,
        checkpoint_activations: bool = False,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        base, n = doublings(image_size)
        # A list has them in the order of the maps, a rule begins with the narrowest.
        listed = widths is not None and not isinstance(widths, str)
        maps = rising(width, widths, n + 1)
        maps = maps if listed else maps[::-1]
        self.start = nn.Sequential(
            nn.Linear(latent_dim, maps[0] * base[0] * base[1]), nn.Unflatten(1, (maps[0], *base))
        )
        self.blocks = nn.ModuleList(UpBlock(a, b) for a, b in pairwise(maps))
        self.output = images_of(maps[-1], channels)
        init_residual(self)
        self.attention = attention_after(attention, image_size, [min(base) * 2 ** (i + 1) for i in range(n)], maps[1:])
        self.checkpoint_activations = checkpoint_activations

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        given = [labels] * len(self.blocks)
        x = through(self.blocks, self.attention, self.start(z), given, self.checkpoint_activations)[-1]
        return cropped(self.output(x), self.image_size)
