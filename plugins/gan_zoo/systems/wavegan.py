"""WaveGAN (Donahue et al. 2019, arXiv 1802.04208): DCGAN on waves, whose discriminator cannot see the phase."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import activations
from gan_zoo.ndims import down, init_dcgan
from gan_zoo.ranges import require_not_negative


class PhaseShuffle(nn.Module):
    """Shifts each map by up to so many places, drawn for each sample, and mirrors at the ends (section 3.3).

    In evaluation nothing is shifted.

    Args:
        reach: the greatest shift; 2 in the paper.
    """

    def __init__(self, reach: int) -> None:
        super().__init__()
        require_not_negative(shuffle=reach)
        self.reach = reach

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, T) to the same shifted."""
        if not self.training or not self.reach:
            return x
        shift = torch.randint(-self.reach, self.reach + 1, (len(x), 1), device=x.device)
        return shifted(x, shift)


def shifted(x: Tensor, shift: Tensor) -> Tensor:
    """Return maps (N, C, T) shifted to the right by (N, 1) places, mirrored at the ends without repeating them."""
    length = x.shape[2]
    place = torch.arange(length, device=x.device)[None] - shift
    place = place.abs()
    place = torch.where(place > length - 1, 2 * (length - 1) - place, place).clamp(min=0)
    return x.gather(2, place[:, None].expand_as(x))


class WaveGANDiscriminator(Discriminator):
    """Convolutions of 25 and stride 4 with leaky ReLU and phase shuffle between them, linear at the end; no norm.

    Args:
        shape: of a wave (C, T).
        width: channels of the first layer; 64 in the paper.
        shuffle: the greatest shift.
    """

    def __init__(self, shape: list[int], width: int, shuffle: int) -> None:
        super().__init__()
        blocks, values = down(shape, width, 25, 4, 16, "none")
        shuffled = [nn.Sequential(block, PhaseShuffle(shuffle)) for block in blocks[:-1]]
        self.blocks = nn.ModuleList([*shuffled, blocks[-1]])
        self.output = nn.Linear(values, 1)
        init_dcgan(self)

    def features(self, x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the activations after every layer for waves (N, C, T)."""
        return activations(self.blocks, x)
