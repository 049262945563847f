"""The generator of R3GAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_framework.api import Generator
from gan_zoo.aggregated import scaled_normal, stages, towers, transitions
from gan_zoo.blur import Enlarge
from gan_zoo.layers import ImageSize, class_vectors, cropped

EMBEDDED = 64
"""The size of what the class becomes."""


class R3GANGenerator(Generator):
    """Blocks without norm on maps that begin as a learnt basis, scaled by z (Huang et al. 2024, arXiv 2501.05441).

    A basis of 4x4 maps is multiplied, channel by channel, by a linear map of z; at each size there are blocks, then a
    1x1 convolution if the width changes, and the size is doubled with a binomial filter. A 1x1 convolution ends it,
    with no tanh. All blocks begin as the identity, so that the images begin linear in z. Other sizes than powers of 2
    begin with other maps; see `DCGANGenerator`.

    Args:
        latent_dim: the size of z.
        num_classes: the number of classes, which are embedded linearly and concatenated to z; null for none.
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        width: channels at each size, the smallest first, or one number for all sizes up to 32 pixels, which halves with
            each further one. Published: 768.
        blocks: at each size.
    """

    exempt: ClassVar[Mapping[str, str]] = {"makes_samples": "its images are not bounded, as published"}

    def __init__(
        self,
        latent_dim: int,
        num_classes: int | None,
        image_size: ImageSize,
        channels: int,
        width: int | list[int],
        blocks: int,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.num_classes = num_classes
        self.conditional = num_classes is not None
        base, widths = stages(image_size, width)
        if num_classes is not None:
            self.embedding = scaled_normal(nn.Linear(num_classes, EMBEDDED, bias=False))
            latent_dim += EMBEDDED
        self.basis = nn.Parameter(torch.randn(widths[0], *base))
        self.scales = scaled_normal(nn.Linear(latent_dim, widths[0], bias=False))
        self.towers = towers(widths, blocks)
        self.transitions = transitions(widths)
        self.enlarge = Enlarge()
        self.output = scaled_normal(nn.Conv2d(widths[-1], channels, 1, bias=False))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, H, W), meant to lie in [-1, 1]."""
        if self.num_classes is not None:
            z = torch.cat([z, self.embedding(class_vectors(labels, self.num_classes, z.dtype))], dim=1)
        x = self.basis * self.scales(z)[:, :, None, None]
        x = self.towers[0](x)
        for transition, tower in zip(self.transitions, self.towers[1:], strict=True):
            x = tower(self.enlarge(transition(x)))
        return cropped(self.output(x), self.image_size)
