"""MSG-GAN (Karnewar & Wang 2020, arXiv 1903.06048): the generator makes an image at every size, the judge takes all.

So a gradient reaches every depth of the generator directly. The networks are those of the authors' first program (the
paper's final ones have pixel norm and equalised layers); real images are halved by 2x2 means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gan_framework.api import EMPTY, SAMPLES, Batch, Discriminator, Game, Generator, Latent, Pair
from gan_zoo.equalised import ONE_BY_ANOTHER, GroupDeviation, leaky
from gan_zoo.growing import pooled, repeated
from gan_zoo.layers import ImageSize, doublings, sides
from gan_zoo.ranges import require_positive
from gan_zoo.widths import channels_at


def scale(level: int) -> str:
    """Return what the images of a size are called among all that the generator makes; 0 is the smallest."""
    return f"scale_{level}"


def conv(inputs: int, outputs: int) -> nn.Module:
    """Return a 3x3 convolution with spectral norm."""
    return spectral_norm(nn.Conv2d(inputs, outputs, 3, padding=1))


def sizes(image_size: ImageSize) -> tuple[tuple[int, int], int]:
    """Return the smallest maps' height and width, and how often they are doubled to the image's.

    Raises:
        ValueError: they are not doubled to just the image's.
    """
    (height, width), n = doublings(image_size, most=None)
    if (height << n, width << n) != sides(image_size):
        raise ValueError(f"image_size={image_size}: both sides must be multiples of {1 << n}, to be halved {n} times")
    return (height, width), n


class MSGGenerator(Generator):
    """Two 3x3 convolutions at each size, and a 1x1 convolution with tanh to an image of each.

    Args:
        latent_dim: the size of z.
        image_size: of square images, or height and width; multiples of a power of 2.
        channels: of the images.
        base: channels at a size are base / size in pixels,
        most: but no more than this.
    """

    def __init__(self, latent_dim: int, image_size: ImageSize, channels: int, base: int, most: int) -> None:
        super().__init__()
        require_positive(base=base, most=most)
        smallest, n = sizes(image_size)
        widths = [channels_at(level, base, most) for level in range(n + 1)]
        self.start = spectral_norm(nn.ConvTranspose2d(latent_dim, widths[0], smallest))
        self.first = nn.ModuleList(conv(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True))
        self.second = nn.ModuleList(conv(width, width) for width in widths)
        self.images = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths)

    def everything(
        self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY
    ) -> Mapping[str, Tensor]:
        """Return images (N, C, H, W) in [-1, 1] as `samples`, and those of the smaller sizes by their `scale`."""
        x = leaky(self.start(z[:, :, None, None]))
        made = {}
        for level, second in enumerate(self.second):
            if level:
                x = leaky(self.first[level - 1](repeated(x, 1)))
            x = leaky(second(x))
            made[scale(level)] = torch.tanh(self.images[level](x))
        return {SAMPLES: made.popitem()[1], **made}

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        return self.everything(z, labels)[SAMPLES]


class MSGDiscriminator(Discriminator):
    """Halves maps by two 3x3 convolutions at each size; what a 1x1 convolution makes of the smaller image joins them.

    Args:
        image_size: of square images, or height and width; multiples of a power of 2.
        channels: of the images.
        base: channels at a size are base / size in pixels,
        most: but no more than this.
        group: samples of a batch that are compared with each other before the last maps.
    """

    batch_independent = False
    exempt: ClassVar[Mapping[str, str]] = ONE_BY_ANOTHER

    def __init__(self, image_size: ImageSize, channels: int, base: int, most: int, group: int) -> None:
        super().__init__()
        require_positive(base=base, most=most, group=group)
        smallest, n = sizes(image_size)
        widths = [channels_at(level, base, most) for level in range(n + 1)]
        self.inputs = nn.ModuleList(nn.Conv2d(channels, width // 2, 1) for width in widths[:-1])
        self.inputs.append(nn.Conv2d(channels, widths[-1], 1))
        self.first = nn.ModuleList(conv(width, width) for width in widths[1:])
        # Half of a size's maps come from above, half from the image.
        self.second = nn.ModuleList(
            conv(width, below - below // 2) for below, width in zip(widths[:-1], widths[1:], strict=True)
        )
        self.deviation = GroupDeviation(group)
        self.end = conv(widths[0] + 1, widths[0])
        self.flat = spectral_norm(nn.Conv2d(widths[0], widths[0], smallest))
        self.output: nn.Module = nn.Linear(widths[0], 1)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations at each size for images (N, C, H, W) in [-1, 1], given smaller ones, least first."""
        x = self.inputs[-1](x)
        activations = []
        for level in range(len(self.inputs) - 1, 0, -1):
            x = leaky(self.second[level - 1](leaky(self.first[level - 1](x))))
            x = torch.cat([self.inputs[level - 1](given[level - 1]), pooled(x, 1)], dim=1)
            activations.append(x)
        x = leaky(self.end(self.deviation(x)))
        return *activations, leaky(self.flat(x))


class MSGGAN(Game):
    """The two-player game with a judge of an image at all sizes."""

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and generated images, both with their smaller sizes."""
        made = self.make(latent)
        n = len(made) - 1
        smaller = tuple(made[scale(level)] for level in range(n))
        real = tuple(pooled(batch.samples, n - level) for level in range(n))
        return Pair(
            self.judge("discriminator"), batch, latent, made[SAMPLES], made=made, real_given=real, fake_given=smaller
        )
