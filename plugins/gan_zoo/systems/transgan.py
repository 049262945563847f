"""TransGAN (Jiang, Chang & Wang 2021, arXiv 2102.07074): a generator and a discriminator of transformers alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, Generator
from gan_zoo.layers import ImageSize, sides
from gan_zoo.ranges import require_positive

DEVIATION = 0.02
"""Of the initial positions and tokens."""


class Attention(nn.Module):
    """Attention of all places to all, softmax(q kᵀ / √d + b) v, with biases b by how far apart two places are.

    Args:
        width: of the tokens.
        heads: that they are divided into.
        size: the height and width of the map that the tokens are; None for tokens without places.
    """

    index: Tensor

    def __init__(self, width: int, heads: int, size: tuple[int, int] | None) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"heads={heads} must divide tokens of {width}")
        self.heads = heads
        self.inputs = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width)
        self.size = size
        if size is not None:
            height, across = size
            self.apart = nn.Parameter(torch.randn(heads, (2 * height - 1) * (2 * across - 1)) * DEVIATION)
            rows, columns = torch.arange(height), torch.arange(across)
            down = rows[:, None] - rows + height - 1
            beside = columns[:, None] - columns + across - 1
            index = down[:, None, :, None] * (2 * across - 1) + beside[None, :, None, :]
            self.register_buffer("index", index.reshape(height * across, -1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (N, T, width) to the same shape."""
        q, k, v = self.inputs(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        # Written out: penalties on the gradient differentiate it twice, which torch's fused kernels cannot.
        weights = q @ k.transpose(2, 3) / q.shape[-1] ** 0.5
        if self.size is not None:
            weights = weights + self.apart[:, self.index]
        seen: Tensor = self.output((weights.softmax(3) @ v).transpose(1, 2).flatten(2))
        return seen


class TokenNoise(nn.Module):
    """Adds normal noise to each token, times a learnt strength that begins at 0: new in training, fixed in evaluation.

    Args:
        count: the number of tokens.
    """

    fixed: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("fixed", torch.randn(count, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens (N, count, width) with the same noise in all of a token's entries."""
        noise = torch.randn(*x.shape[:2], 1, device=x.device, dtype=x.dtype) if self.training else self.fixed
        return x + self.strength.to(x.dtype) * noise.to(x.dtype)


class Block(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)): layer norm, and a hidden layer four times as wide with GELU.

    Args:
        width: of the tokens.
        heads: of the attention.
        size: the height and width of the map that the tokens are, for relative positions; None for none.
        noisy: the number of tokens where noise is added to what attention reads; None for no noise.
    """

    def __init__(self, width: int, heads: int, size: tuple[int, int] | None, noisy: int | None = None) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.noise = TokenNoise(noisy) if noisy is not None else nn.Identity()
        self.attention = Attention(width, heads, size)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (N, T, width) to the same shape."""
        x = x + self.attention(self.noise(self.first(x)))
        made: Tensor = x + self.mlp(self.second(x))
        return made


def positions(count: int, width: int) -> nn.Parameter:
    """Return what is added to tokens by their places."""
    return nn.Parameter(torch.randn(count, width) * DEVIATION)


def quarter(image_size: ImageSize) -> tuple[int, int]:
    """Return a fourth of the height and width of images.

    Raises:
        ValueError: they cannot be divided.
    """
    height, across = sides(image_size)
    if height % 4 or across % 4:
        raise ValueError(f"image_size={image_size}: each side must be a multiple of 4")
    return height // 4, across // 4


class TransGANGenerator(Generator):
    """Tokens of an 8x8 map, of which pixel shuffles make 16x16 and 32x32 ones, each a fourth as wide (section 3.1).

    z → a map of a fourth of the sides, and positions; blocks; pixel shuffle, positions, blocks; the same once more; a
    1x1 convolution, no tanh. Without relative positions it has the published size at 32 pixels, a width of 1024 and
    depths of 5, 4 and 2.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; multiples of 4.
        channels: of the images.
        width: of the first tokens, a multiple of 16 times the heads. Published: 1024.
        depths: the blocks at each of the three sizes. Published: [5, 4, 2].
        heads: of the attention.
        relative: whether attention has biases by how far apart places are.
    """

    exempt: ClassVar[Mapping[str, str]] = {"makes_samples": "its images are not bounded, as published"}

    def __init__(
        self,
        latent_dim: int,
        image_size: ImageSize,
        channels: int,
        width: int,
        depths: list[int],
        heads: int,
        relative: bool,
    ) -> None:
        super().__init__()
        require_positive(width=width, heads=heads)
        if len(depths) != 3 or min(depths) < 1:
            raise ValueError(f"depths={depths}: there are three sizes, with at least one block each")
        if width % (16 * heads):
            raise ValueError(f"width={width} must be a multiple of 16 times heads={heads}")
        height, across = self.base = quarter(image_size)
        self.start = nn.Linear(latent_dim, height * across * width)
        self.positions, self.stages = nn.ParameterList(), nn.ModuleList()
        for level, depth in enumerate(depths):
            size, tokens = (height << level, across << level), width >> (2 * level)
            count = size[0] * size[1]
            self.positions.append(positions(count, tokens))
            blocks = (Block(tokens, heads, size if relative else None, count) for _ in range(depth))
            self.stages.append(nn.Sequential(*blocks))
        self.output = nn.Conv2d(width // 16, channels, 1)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W)."""
        height, across = self.base
        maps = self.start(z).unflatten(1, (height * across, -1)).transpose(1, 2).unflatten(2, (height, across))
        for level, (places, blocks) in enumerate(zip(self.positions, self.stages, strict=True)):
            maps = F.pixel_shuffle(maps, 2) if level else maps
            tokens = blocks(maps.flatten(2).transpose(1, 2) + places)
            maps = tokens.transpose(1, 2).unflatten(2, maps.shape[2:])
        images: Tensor = self.output(maps)
        return images


class TransGANDiscriminator(Discriminator):
    """Patches of 2 and of 4 pixels as tokens of two sizes, a token of the class, one logit (section 3.2).

    2x2 patches → blocks → 2x2 means, beside which the 4x4 patches stand → blocks → a further token, which one more
    block has look at all the others → layer norm → a linear layer.

    Args:
        image_size: of square images, or height and width; multiples of 4.
        channels: of the images.
        width: of the tokens at the end, of which three fourths are of the smaller patches. Published: 384.
        depth: the blocks at each of the two sizes. Published: 3.
        heads: of the attention.
        relative: whether attention has biases by how far apart places are.
    """

    def __init__(
        self, image_size: ImageSize, channels: int, width: int, depth: int, heads: int, relative: bool
    ) -> None:
        super().__init__()
        require_positive(width=width, depth=depth, heads=heads)
        if width % (4 * heads):
            raise ValueError(f"width={width} must be a multiple of 4 times heads={heads}")
        coarse = quarter(image_size)
        self.fine = fine = (2 * coarse[0], 2 * coarse[1])
        narrow = width * 3 // 4
        self.small = nn.Conv2d(channels, narrow, 2, 2)
        self.large = nn.Conv2d(channels, width - narrow, 4, 4)
        self.small_positions = positions(fine[0] * fine[1], narrow)
        self.large_positions = positions(coarse[0] * coarse[1], width)
        self.first = nn.Sequential(*(Block(narrow, heads, fine if relative else None) for _ in range(depth)))
        self.second = nn.Sequential(*(Block(width, heads, coarse if relative else None) for _ in range(depth)))
        self.token = positions(1, width)
        self.last = Block(width, heads, None)
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, 1)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the maps of both sizes (N, A, H, W) and the token at the end (N, width) for images (N, C, H, W)."""
        small = self.first(self.small(x).flatten(2).transpose(1, 2) + self.small_positions)
        maps = small.transpose(1, 2).unflatten(2, self.fine)
        beside = torch.cat([F.avg_pool2d(maps, 2), self.large(x)], dim=1)
        tokens = self.second(beside.flatten(2).transpose(1, 2) + self.large_positions)
        asked = self.last(torch.cat([self.token.expand(len(x), -1, -1), tokens], dim=1))
        return maps, tokens.transpose(1, 2).unflatten(2, beside.shape[2:]), self.norm(asked[:, 0])
