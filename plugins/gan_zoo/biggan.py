"""What the networks of BigGAN and BigGAN-deep share (Brock et al. 2018, arXiv 1809.11096, appendix B)."""

from __future__ import annotations

from torch import nn

from gan_zoo.layers import ImageSize, sides

GENERATOR = {
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
}
"""By the size of images the channels of a generator's maps, the first of which has 4x4 places, in units of its width.

The form for 32 pixels is that of the authors' program in PyTorch, for CIFAR-10."""

DISCRIMINATOR = {
    32: (4, 4, 4, 4),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
}
"""The channels of what a discriminator's blocks make; the first two of the four for 32 pixels halve, else all but the
last."""

INITS = ("orthogonal", "normal")


def of_size(table: dict[int, tuple[int, ...]], image_size: ImageSize) -> tuple[int, ...]:
    """Return what a table says of a size of images.

    Raises:
        ValueError: there is no such network.
    """
    height, width = sides(image_size)
    if height != width or height not in table:
        known = ", ".join(map(str, table))
        raise ValueError(f"image_size={image_size}: there are networks for square images of {known} pixels")
    return table[height]


def require_bottlenecks(width: int) -> None:
    """Raise ValueError unless a width can be quartered inside the blocks of BigGAN-deep."""
    if width < 4 or width % 4:
        raise ValueError(f"width={width}: blocks have a quarter of their channels inside; it is a multiple of 4")


def init_biggan(network: nn.Module, init: str) -> None:
    """Draw the weights of all layers and embeddings; biases 0.

    Args:
        network: whose weights are drawn.
        init: `orthogonal`, or `normal` for N(0, 0.02), as the program for CIFAR-10 has it.

    Raises:
        ValueError: there is no such scheme.
    """
    if init not in INITS:
        raise ValueError(f"init={init!r}: choose {' or '.join(INITS)}")
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear, nn.Embedding)):
            if init == "orthogonal":
                nn.init.orthogonal_(layer.weight)
            else:
                nn.init.normal_(layer.weight, 0.0, 0.02)
            bias = getattr(layer, "bias", None)
            if bias is not None:
                nn.init.zeros_(bias)
