"""DCGAN's generator for sequences, volumes and videos."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Generator
from gan_zoo.ndims import cut, in_order, init_dcgan, up, volume_shape


class DCGANndGenerator(Generator):
    """DCGAN's rule in one, two or three dimensions: the size is multiplied by the stride, the channels are halved.

    Args:
        latent_dim: the size of z.
        shape: of a sample, (C, ...), or (T, C, H, W) with `time_first`.
        width: channels of the layer before the sample.
        kernel: the sides of the kernels.
        stride: by which sizes are multiplied.
        last: the largest side of the first map.
        norm: batch, layer, instance or none.
        output: tanh, sigmoid (rescaled to [-1, 1]) or linear.
        time_first: whether samples are videos (T, C, H, W).
    """

    def __init__(
        self,
        latent_dim: int,
        shape: list[int],
        width: int,
        kernel: int,
        stride: int,
        last: int,
        norm: str,
        output: str,
        time_first: bool,
    ) -> None:
        super().__init__()
        volume = volume_shape(shape, time_first)
        self.sizes, self.time_first = volume[1:], time_first
        self.layers = up(latent_dim, volume, width, kernel, stride, last, norm, output)
        init_dcgan(self)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map z (N, latent_dim) to samples (N, ...) of the shape."""
        return in_order(cut(self.layers(z), self.sizes), self.time_first)
