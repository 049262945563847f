"""DCGAN's discriminator for sequences, volumes and videos."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import activations
from gan_zoo.ndims import down, in_order, init_dcgan, joined, volume_shape


class DCGANndDiscriminator(Discriminator):
    """DCGAN's rule in one, two or three dimensions, linear at the end.

    Args:
        shape: of a sample, (C, ...), or (T, C, H, W) with `time_first`.
        width: channels of the first layer.
        kernel: the sides of the kernels.
        stride: by which sizes are divided.
        last: the largest side of the last map.
        norm: batch, layer, instance or none.
        time_first: whether samples are videos (T, C, H, W).
        given_channels: of what samples are judged beside, 0 for nothing.
    """

    def __init__(
        self,
        shape: list[int],
        width: int,
        kernel: int,
        stride: int,
        last: int,
        norm: str,
        time_first: bool,
        given_channels: int = 0,
    ) -> None:
        super().__init__()
        channels, *sizes = volume_shape(shape, time_first)
        self.time_first = time_first
        blocks, values = down((channels + given_channels, *sizes), width, kernel, stride, last, norm)
        self.blocks = nn.ModuleList(blocks)
        self.output = nn.Linear(values, 1)
        init_dcgan(self)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations after every block for samples (N, ...) and what is given beside them."""
        parts = [in_order(part, self.time_first) for part in (x, *given)]
        return activations(self.blocks, joined(parts[0], parts[1:]))
