"""The generator of BigGAN."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.biggan import GENERATOR, init_biggan, of_size
from gan_zoo.layers import ImageSize, PlainEmbedding, given
from gan_zoo.ranges import require_positive
from gan_zoo.residual import UpBlock, VectorBatchNorm2d, attention_after, images_of, through


class BigGANGenerator(Generator):
    """Residual blocks whose norms see the class and, each, a part of z (Brock et al. 2018, arXiv 1809.11096, table 4).

    Every norm has the gain 1 + A c and the bias B c of a vector c: a class embedding that all norms share, and with
    `hierarchical` the block's own part of z beside it; the first part goes into the first layer. Without a shared
    embedding, as in the authors' program for CIFAR-10, gain and bias are looked up for the class. All layers, not the
    embeddings, are meant to have spectral norm (`strategy.spectral_norm.networks=[generator,discriminator]`).

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes.
        image_size: 32, 64, 128 or 256.
        channels: of the images.
        width: the unit of all widths.
        shared_dim: the size of the shared class embedding; 0 for none.
        hierarchical: whether z is divided among the first layer and the blocks.
        attention: the side of the maps after which self-attention stands; `by_size` for half that of the images, at
            most 32; null for none. The paper has 64 at 128 pixels.
        init: `orthogonal`, or `normal` for N(0, 0.02).
        checkpoint_activations: compute what is inside blocks once more for the gradient, to save memory.
    """

    conditional = True

    def __init__(
        self,
        latent_dim: int,
        num_classes: int,
        image_size: ImageSize,
        channels: int,
        width: int,
        shared_dim: int,
        hierarchical: bool,
        attention: int | str | None,
        init: str,
        checkpoint_activations: bool,
    ) -> None:
        super().__init__()
        require_positive(width=width)
        maps = [width * units for units in of_size(GENERATOR, image_size)]
        self.part = _part(latent_dim, len(maps), shared_dim) if hierarchical else latent_dim
        self.shared = PlainEmbedding(num_classes, shared_dim) if shared_dim else nn.Identity()
        size = shared_dim + (self.part if hierarchical else 0) if shared_dim else num_classes
        norm = partial(VectorBatchNorm2d, size=size, looked_up=not shared_dim)
        self.start = nn.Sequential(nn.Linear(self.part, maps[0] * 16), nn.Unflatten(1, (maps[0], 4, 4)))
        self.blocks = nn.ModuleList(UpBlock(a, b, norm) for a, b in pairwise(maps))
        self.output = images_of(maps[-1], channels)
        self.attention = attention_after(attention, image_size, [8 * 2**i for i in range(len(self.blocks))], maps[1:])
        init_biggan(self, init)
        self.checkpoint_activations = checkpoint_activations

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and classes (N,) to images (N, C, H, W) in [-1, 1]."""
        first, *parts = z.split(self.part, 1)
        c = self.shared(given(labels))
        conditions = [torch.cat([c, part], 1) for part in parts] if parts else [c] * len(self.blocks)
        x = through(self.blocks, self.attention, self.start(first), conditions, self.checkpoint_activations)[-1]
        images: Tensor = self.output(x)
        return images


def _part(latent_dim: int, parts: int, shared_dim: int) -> int:
    if not shared_dim:
        raise ValueError("hierarchical=true: blocks read a part of z beside the class embedding; set shared_dim=128")
    if latent_dim % parts:
        fits = max(latent_dim // parts, 1) * parts
        raise ValueError(f"latent_dim={latent_dim}: z is divided into {parts} equal parts; set prior.dim={fits}")
    return latent_dim // parts
