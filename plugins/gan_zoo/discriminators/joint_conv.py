"""A convolutional discriminator of images and latents."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.discriminators.dcgan import DCGANDiscriminator
from gan_zoo.discriminators.joint_mlp import beside
from gan_zoo.layers import ImageSize, activations, init_normal
from gan_zoo.ranges import require_positive


class JointConvDiscriminator(Discriminator):
    """DCGAN's layers for the image, two for its latent, and two for both (Dumoulin et al. 2017, section 2.1).

    Args:
        image_size: of square images, or height and width; at least 8 pixels on each side.
        channels: of the images.
        latent_dim: the size of a latent.
        width: channels of the first layer.
        norm: of the image's layers: `batch`, `layer`, `instance` or `none`.
        hidden: the size of the layers of the latent, and of both.
        dropout: the share of activations that are dropped in training.
    """

    def __init__(
        self,
        image_size: ImageSize,
        channels: int,
        latent_dim: int,
        width: int,
        norm: str,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        require_positive(latent_dim=latent_dim, hidden=hidden)
        of_image = DCGANDiscriminator(image_size, channels, width, norm, dropout)
        assert isinstance(of_image.output, nn.Linear)
        self.latent_dim = latent_dim
        self.image = of_image.blocks
        self.latent = nn.Sequential(*_layers(latent_dim, hidden, dropout), *_layers(hidden, hidden, dropout))
        joined = of_image.output.in_features + hidden
        self.both = nn.ModuleList(nn.Sequential(*_layers(inputs, hidden, dropout)) for inputs in (joined, hidden))
        self.output = nn.Linear(hidden, 1)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations of the image's layers, then of both's, for images (N, C, H, W) in [-1, 1]."""
        z = beside(given, self.latent_dim)
        of_image = activations(self.image, x)
        joined = torch.cat([of_image[-1].flatten(1), self.latent(z.to(x.dtype))], dim=1)
        return (*of_image, *activations(self.both, joined))


def _layers(inputs: int, outputs: int, dropout: float) -> list[nn.Module]:
    dropped: list[nn.Module] = [nn.Dropout(dropout)] if dropout else []
    return [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2), *dropped]
