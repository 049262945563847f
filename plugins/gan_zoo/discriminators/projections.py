"""Many discriminators, each of which sees a random projection of the images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.layers import ImageSize, activations, sides
from gan_zoo.ranges import require_positive


class Apart(nn.Module):
    """A last layer for each of several networks, whose features lie one after another.

    Args:
        layers: map the features of one network (N, A) to a logit (N, 1).
    """

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, K · A) to logits (N, K)."""
        parts = features.chunk(len(self.layers), dim=1)
        return torch.cat([layer(part) for layer, part in zip(self.layers, parts, strict=True)], dim=1)


class ProjectionsDiscriminator(Discriminator):
    """A logit (N, count) for each of many random projections of an image (Neyshabur et al. 2017, arXiv 1705.07831).

    A projection is one fixed convolution of all channels to a single one, its filter drawn from N(0, 1) and scaled to
    norm 1, and part of the checkpoint. Each is judged by a network of its own, as `discriminator=dcgan`. Losses take
    means over the projections: D's is the paper's sum divided by their number, which Adam does not notice.

    Args:
        image_size: of square images, or height and width.
        channels: of the images.
        count: the number of projections.
        kernel: height and width of their filters.
        stride: of the convolutions.
        width: channels of the first layer of each network.
        norm: of each network, as that of `discriminator=dcgan`.
    """

    filters: Tensor

    def __init__(
        self, image_size: ImageSize, channels: int, count: int, kernel: int, stride: int, width: int, norm: str
    ) -> None:
        super().__init__()
        require_positive(count=count, kernel=kernel, stride=stride)
        height, across = ((side - kernel) // stride + 1 for side in sides(image_size))
        if min(height, across) < 8:
            raise ValueError(
                f"kernel={kernel}, stride={stride}: they project images of image_size={image_size} to "
                f"{height}x{across} pixels, and at least 8 are needed on each side"
            )
        drawn = torch.randn(count, channels, kernel, kernel)
        self.register_buffer("filters", F.normalize(drawn.flatten(1), dim=1).view_as(drawn))
        self.stride = stride
        networks = [DCGANDiscriminator((height, across), 1, width, norm) for _ in range(count)]
        self.blocks = nn.ModuleList(network.blocks for network in networks)
        self.output = Apart([network.output for network in networks])

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every block, the channels of all networks one after another."""
        projected = F.conv2d(x, self.filters.to(x.dtype), stride=self.stride).split(1, dim=1)
        found = [activations(blocks, one) for blocks, one in zip(self.blocks, projected, strict=True)]  # type: ignore[arg-type]
        return tuple(torch.cat(layer, dim=1) for layer in zip(*found, strict=True))

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Return a logit (N, count) for each projection of images x (N, C, H, W) in [-1, 1]."""
        features = self.features(x)
        last = features[-1].flatten(1)
        return DiscriminatorOutput(self.output(last), features, {name: head(last) for name, head in self.heads.items()})
