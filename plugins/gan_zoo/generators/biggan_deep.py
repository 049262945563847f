"""The generator of BigGAN-deep."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Generator
from gan_zoo.biggan import GENERATOR, init_biggan, of_size, require_bottlenecks
from gan_zoo.layers import ImageSize, PlainEmbedding, given
from gan_zoo.residual import VectorBatchNorm2d, attention_after, images_of, normalised, through


class DeepUpBlock(nn.Module):
    """A bottleneck of four convolutions, 1x1, 3x3, 3x3, 1x1, each after norm and ReLU (arXiv 1809.11096, figure 16).

    The shortcut keeps the first channels of the input.

    Args:
        inputs: channels of the input; a quarter of them are inside.
        outputs: channels of the output, at most as many.
        double: whether to double the size.
        norm: makes a norm of so many channels.
    """

    def __init__(self, inputs: int, outputs: int, double: bool, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        hidden = inputs // 4
        self.doubles = double
        self.outputs = outputs
        self.norms = nn.ModuleList(norm(features) for features in (inputs, hidden, hidden, hidden))
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(inputs, hidden, 1),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.Conv2d(hidden, hidden, 3, padding=1),
                nn.Conv2d(hidden, outputs, 1),
            ]
        )

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W), or twice the size."""
        h = x
        for i, (norm, convolution) in enumerate(zip(self.norms, self.convolutions, strict=True)):
            h = F.relu(normalised(norm, h, condition))
            h = convolution(F.interpolate(h, scale_factor=2) if i == 1 and self.doubles else h)
        kept = x[:, : self.outputs]
        return h + (F.interpolate(kept, scale_factor=2) if self.doubles else kept)


class BigGANDeepGenerator(Generator):
    """Two bottleneck blocks for every size, all norms of which see the class and all of z (arXiv 1809.11096, table 7).

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes.
        image_size: 32, 64, 128 or 256.
        channels: of the images.
        width: the unit of all widths, a multiple of 4.
        shared_dim: the size of the class embedding.
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
        attention: int | str | None,
        init: str,
        checkpoint_activations: bool,
    ) -> None:
        super().__init__()
        require_bottlenecks(width)
        if shared_dim < 1:
            raise ValueError(f"shared_dim={shared_dim}: the class comes through an embedding alone; it is at least 1")
        maps = [width * units for units in of_size(GENERATOR, image_size)]
        norm = partial(VectorBatchNorm2d, size=shared_dim + latent_dim)
        self.shared = PlainEmbedding(num_classes, shared_dim)
        self.start = nn.Sequential(nn.Linear(shared_dim + latent_dim, maps[0] * 16), nn.Unflatten(1, (maps[0], 4, 4)))
        self.blocks = nn.ModuleList(
            block
            for a, b in pairwise(maps)
            for block in (DeepUpBlock(a, a, False, norm), DeepUpBlock(a, b, True, norm))
        )
        self.output = images_of(maps[-1], channels)
        sizes = [8 * 2**i for i in range(len(maps) - 1)]
        self.attention = attention_after(attention, image_size, sizes, maps[1:], deep=2)
        init_biggan(self, init)
        self.checkpoint_activations = checkpoint_activations

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) and classes (N,) to images (N, C, H, W) in [-1, 1]."""
        c = torch.cat([self.shared(given(labels)), z], 1)
        conditions = [c] * len(self.blocks)
        x = through(self.blocks, self.attention, self.start(c), conditions, self.checkpoint_activations)[-1]
        images: Tensor = self.output(x)
        return images
