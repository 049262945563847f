"""ALI's networks for images of 32 pixels: Dumoulin et al. 2017, arXiv 1606.00704, appendix A, table of SVHN.

The game is BiGAN's, with an encoder of means and variances.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator, Generator
from gan_zoo.discriminators.joint_mlp import beside
from gan_zoo.layers import OUTPUTS, ImageSize, activations, choose, sides
from gan_zoo.ranges import require_below_one, require_positive

SIZE = 32
LAYERS = ((1, 5, 1), (2, 4, 2), (4, 4, 1), (8, 4, 2), (16, 4, 1))
"""Of each convolution over images: channels in units of the width, kernel, stride; 32 → 28 → 13 → 10 → 4 → 1 pixels."""
STD = 0.01


def _require(image_size: ImageSize, **settings: int) -> None:
    require_positive(**settings)
    if sides(image_size) != (SIZE, SIZE):
        raise ValueError(f"image_size={image_size}: ALI's layers are made for images of {SIZE}x{SIZE} pixels")


def _init(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, STD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _trunk(channels: int, width: int, slope: float, first_is_normed: bool, dropout: float) -> list[nn.Sequential]:
    """Return the convolutions that E and D have alike, without padding, each with norm, activation and dropout."""
    blocks, before = [], channels
    for i, (factor, kernel, stride) in enumerate(LAYERS):
        wide, normed = factor * width, first_is_normed or i > 0
        layers: list[nn.Module] = [nn.Dropout(dropout)] if dropout else []
        layers.append(nn.Conv2d(before, wide, kernel, stride, bias=not normed))
        layers += [nn.BatchNorm2d(wide)] if normed else []
        blocks.append(nn.Sequential(*layers, nn.LeakyReLU(slope)))
        before = wide
    return blocks


class ALIEncoder(nn.Module):
    """q(z|x): five convolutions and one of a pixel, to means and logarithms of variances.

    Args:
        image_size: 32.
        channels: of the images.
        latent_dim: the size of z; outputs are twice as many.
        width: channels of the first layer; 32 in the paper.
        slope: of leaky ReLU.
    """

    def __init__(self, image_size: ImageSize, channels: int, latent_dim: int, width: int, slope: float) -> None:
        super().__init__()
        _require(image_size, channels=channels, latent_dim=latent_dim, width=width)
        wide = LAYERS[-1][0] * width
        self.layers = nn.Sequential(
            *_trunk(channels, width, slope, first_is_normed=True, dropout=0.0),
            nn.Conv2d(wide, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.LeakyReLU(slope),
            nn.Conv2d(wide, 2 * latent_dim, 1),
        )
        _init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, C, 32, 32) in [-1, 1] to means, then logarithms of variances (N, 2 * latent_dim)."""
        outputs: Tensor = self.layers(x)
        return outputs.flatten(1)


class ALIGenerator(Generator):
    """p(x|z): transposed convolutions 1 → 4 → 10 → 13 → 28 → 32, one of a pixel, and a bias for each pixel.

    The bias starts at 0; `strategy=[marginal_bias]` starts it at the data's log-odds, as in the paper.

    Args:
        latent_dim: the size of z.
        image_size: 32.
        channels: of the images.
        width: channels of the last layers; 32 in the paper.
        slope: of leaky ReLU.
        output: `sigmoid` (rescaled to [-1, 1]) or `tanh`.
    """

    def __init__(
        self, latent_dim: int, image_size: ImageSize, channels: int, width: int, slope: float, output: str
    ) -> None:
        super().__init__()
        _require(image_size, channels=channels, latent_dim=latent_dim, width=width)
        layers: list[nn.Module] = []
        before = latent_dim
        for factor, kernel, stride in ((8, 4, 1), (4, 4, 2), (2, 4, 1), (1, 4, 2), (1, 5, 1), (1, 1, 1)):
            wide = factor * width
            layers += [
                nn.ConvTranspose2d(before, wide, kernel, stride, bias=False),
                nn.BatchNorm2d(wide),
                nn.LeakyReLU(slope),
            ]
            before = wide
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, channels, 1, bias=False))
        self.bias = nn.Parameter(torch.zeros(channels, SIZE, SIZE))
        self.output = choose(OUTPUTS, "output", output)
        _init(self)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to images (N, C, 32, 32) in [-1, 1]."""
        images: Tensor = self.output(self.layers(z[:, :, None, None]) + self.bias)
        return images


class ALIDiscriminator(Discriminator):
    """D(x, z): the encoder's convolutions, two layers for z, and three for both.

    Args:
        image_size: 32.
        channels: of the images.
        latent_dim: the size of z.
        width: channels of the first layer; 32 in the paper.
        slope: of leaky ReLU.
        dropout: the share of each layer's inputs, images and latents among them, that are dropped in training.
    """

    def __init__(
        self, image_size: ImageSize, channels: int, latent_dim: int, width: int, slope: float, dropout: float
    ) -> None:
        super().__init__()
        _require(image_size, channels=channels, latent_dim=latent_dim, width=width)
        require_below_one(dropout=dropout)
        wide = LAYERS[-1][0] * width

        def layer(inputs: int, outputs: int, bias: bool) -> nn.Sequential:
            dropped: list[nn.Module] = [nn.Dropout(dropout)] if dropout else []
            return nn.Sequential(*dropped, nn.Conv2d(inputs, outputs, 1, bias=bias), nn.LeakyReLU(slope))

        self.latent_dim = latent_dim
        self.image = nn.ModuleList(_trunk(channels, width, slope, first_is_normed=False, dropout=dropout))
        self.latent = nn.Sequential(layer(latent_dim, wide, bias=False), layer(wide, wide, bias=False))
        last = nn.Sequential(*layer(2 * wide, 2 * wide, bias=True), nn.Dropout(dropout))
        self.both = nn.ModuleList([layer(2 * wide, 2 * wide, bias=True), last])
        self.output = nn.Linear(2 * wide, 1)
        _init(self)
        nn.init.normal_(self.output.weight, 0.0, STD)
        nn.init.zeros_(self.output.bias)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations of the image's layers, then of both's, for images and their latents."""
        z = beside(given, self.latent_dim)[:, :, None, None]
        of_image = activations(self.image, x)
        return (*of_image, *activations(self.both, torch.cat([of_image[-1], self.latent(z.to(x.dtype))], dim=1)))
