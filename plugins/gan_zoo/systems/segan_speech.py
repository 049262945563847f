"""SEGAN (Pascual et al. 2017, arXiv 1703.09452): clean waves of noisy ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import EMPTY, Generator
from gan_zoo.ndims import enlarging, init_dcgan
from gan_zoo.translating import SOURCE


class WaveUNet(Generator):
    """Convolutions of 31 and stride 2 with PReLU; the last map is joined with z; mirrored, with skips; tanh at the end.

    z has the shape of the last map, so that `prior.dim` is `widths[-1] · T / 2^layers`.

    Args:
        latent_dim: the size of z.
        shape: of a wave (C, T); T is a multiple of two to the number of layers.
        widths: of the encoder; [16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 1024] in the paper, for 16,384 values.
        kernel: 31 in the paper.
    """

    def __init__(self, latent_dim: int, shape: list[int], widths: list[int], kernel: int) -> None:
        super().__init__()
        channels, length = shape
        if not widths or length % 2 ** len(widths):
            raise ValueError(f"shape={shape} widths={widths}: the length must be a multiple of 2^{len(widths)}")
        self.last = widths[-1], length >> len(widths)
        if latent_dim != widths[-1] * self.last[1]:
            raise ValueError(
                f"latent_dim={latent_dim}: z is as large as the last map, {widths[-1]}x{self.last[1]}; set "
                f"prior.dim={widths[-1] * self.last[1]}"
            )
        padding, extra = enlarging(kernel, 2)
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv1d(a, b, kernel, 2, kernel // 2), nn.PReLU(b))
            for a, b in zip([channels, *widths], widths, strict=False)
        )
        outputs = [*reversed(widths[:-1]), channels]
        inputs = [2 * width for width in reversed(widths)]
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose1d(a, b, kernel, 2, padding, extra),
                nn.Tanh() if number == len(outputs) - 1 else nn.PReLU(b),
            )
            for number, (a, b) in enumerate(zip(inputs, outputs, strict=True))
        )
        init_dcgan(self)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map z (N, D) and the noisy waves (N, C, T), `source`, to clean ones (N, C, T)."""
        x, skips = given[SOURCE], []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        x = torch.cat([x, z.unflatten(1, self.last)], 1)
        for number, layer in enumerate(self.up):
            x = layer(x)
            if number < len(self.up) - 1:
                x = torch.cat([x, skips[-2 - number]], 1)
        return x
