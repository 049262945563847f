"""The layers of FastGAN (Liu et al. 2021, arXiv 2101.04775), all convolutions with spectral norm."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from gan_zoo.modulated import Noise

DEVIATION = 0.02
"""Of the weights at the start."""


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int | None = None) -> nn.Module:
    """Return a convolution without bias, with spectral norm; padding None keeps the size where the stride is 1."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if padding is None else padding, bias=False)
    nn.init.normal_(layer.weight, 0.0, DEVIATION)
    return spectral_norm(layer)


def norm(width: int) -> nn.BatchNorm2d:
    """Return batch norm whose gains begin near 1."""
    layer = nn.BatchNorm2d(width)
    nn.init.normal_(layer.weight, 1.0, DEVIATION)
    return layer


class Gated(nn.Module):
    """A linear unit gated by a sigmoid of the other half of the channels (Dauphin et al. 2017, arXiv 1612.08083)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 2C, H, W) to (N, C, H, W)."""
        return F.glu(x, dim=1)


class FirstMaps(nn.Module):
    """The smallest maps of a latent: a transposed convolution, batch norm, gate.

    Args:
        latent_dim: the size of z.
        outputs: channels of the maps.
        size: their height and width.
    """

    def __init__(self, latent_dim: int, outputs: int, size: tuple[int, int]) -> None:
        super().__init__()
        layer = nn.ConvTranspose2d(latent_dim, 2 * outputs, size, bias=False)
        nn.init.normal_(layer.weight, 0.0, DEVIATION)
        self.layers = nn.Sequential(spectral_norm(layer), norm(2 * outputs), Gated())

    def forward(self, z: Tensor) -> Tensor:
        """Map z (N, latent_dim) to maps (N, outputs, height, width)."""
        return self.layers(z[:, :, None, None])  # type: ignore[no-any-return]


def up_block(inputs: int, outputs: int, size: tuple[int, int], large: bool) -> nn.Sequential:
    """Return repetition, 3x3 convolution, batch norm and gate; the large form has noise, and all but the first twice.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        size: height and width of the output.
        large: see above.
    """
    layers: list[nn.Module] = [nn.Upsample(scale_factor=2, mode="nearest")]
    for width in (inputs, outputs) if large else (inputs,):
        layers.append(conv(width, 2 * outputs, 3))
        if large:
            layers.append(Noise(*size))
        layers += [norm(2 * outputs), Gated()]
    return nn.Sequential(*layers)


class Excitation(nn.Module):
    """Small maps gate the channels of large ones (section 3.1).

    Args:
        small: channels of the small maps.
        large: channels of the large ones.
    """

    def __init__(self, small: int, large: int) -> None:
        super().__init__()
        self.logits = nn.Sequential(
            nn.AdaptiveAvgPool2d(4), conv(small, large, 4, padding=0), nn.SiLU(), conv(large, large, 1)
        )

    def forward(self, small: Tensor, large: Tensor) -> Tensor:
        """Return large maps (N, large, H, W), their channels between 0 and 1 times as strong."""
        gated: Tensor = large * self.logits(small).sigmoid()
        return gated


def reduced(inputs: int, outputs: int) -> nn.Sequential:
    """Return a 4x4 convolution that halves the size, batch norm and leaky ReLU."""
    return nn.Sequential(conv(inputs, outputs, 4, 2, 1), norm(outputs), nn.LeakyReLU(0.2))


class DownBlock(nn.Module):
    """The mean of two ways to half the size: two convolutions, and 2x2 means with a 1x1 convolution.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(reduced(inputs, outputs), conv(outputs, outputs, 3), norm(outputs), nn.LeakyReLU(0.2))
        self.direct = nn.Sequential(nn.AvgPool2d(2), conv(inputs, outputs, 1), norm(outputs), nn.LeakyReLU(0.2))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H/2, W/2)."""
        return (self.main(x) + self.direct(x)) / 2  # type: ignore[no-any-return]


def decoder(inputs: int, widths: list[int], channels: int) -> nn.Sequential:
    """Return what makes images of maps, doubling the size with each of the widths; tanh."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Upsample(scale_factor=2, mode="nearest"), conv(inputs, 2 * width, 3), norm(2 * width), Gated()]
        inputs = width
    return nn.Sequential(*layers, conv(inputs, channels, 3), nn.Tanh())
