"""The discriminator of patches (PatchGAN)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from gan_framework.api import Discriminator
from gan_zoo.layers import activations, choose, init_normal
from gan_zoo.ranges import require_not_negative, require_positive

KERNEL = 4
MOST_WIDTHS = 8
"""No layer is wider than so many times the first."""


class PatchDiscriminator(Discriminator):
    """A logit for each patch of an image, alone or beside what it is given (Isola et al. 2017, section 3.2.2).

    `layers` convolutions of kernel 4 and stride 2, the first without norm, one of stride 1, and one of stride 1 to the
    logits, all padded by 1; the width doubles from layer to layer up to eight times the first. A logit sees 16, 34 or
    70 pixels across for 1, 2 or 3 layers; with 0 layers all kernels are of one pixel (the paper's PixelGAN). Images of
    32 pixels get 14x14, 6x6 or 2x2 logits.

    Args:
        channels: of the images.
        given_channels: of all maps (N, C, H, W) together that images are judged beside (a source image); 0 for none.
        width: channels of the first layer.
        layers: of stride 2.
        norm: `batch` as in pix2pix; `instance` (without parameters) as in CycleGAN; `layer` or `none` where each
            sample must be judged alone, as gradient penalties ask.
    """

    patches = True

    def __init__(self, channels: int, given_channels: int, width: int, layers: int, norm: str) -> None:
        super().__init__()
        require_positive(channels=channels, width=width)
        require_not_negative(given_channels=given_channels, layers=layers)
        self.given_channels = given_channels
        self.layers = layers
        norms: dict[str, Callable[[int], nn.Module]] = {
            "batch": nn.BatchNorm2d,
            "layer": lambda c: nn.GroupNorm(1, c),
            "instance": nn.InstanceNorm2d,
            "none": lambda c: nn.Identity(),
        }
        kernel, padding = (KERNEL, 1) if layers else (1, 0)
        widths = [channels + given_channels, *(width * min(2**i, MOST_WIDTHS) for i in range(layers + 1))]
        if not layers:
            widths.append(2 * width)
        blocks: list[nn.Module] = []
        for i, (narrow, wide) in enumerate(pairwise(widths)):
            normalised = choose({name: partial(make, wide) for name, make in norms.items()}, "norm", norm)
            stride = 2 if i < layers else 1
            has_bias = i == 0 or norm in ("instance", "none")
            convolution = nn.Conv2d(narrow, wide, kernel, stride, padding, bias=has_bias)
            after = [normalised] if i else []
            blocks.append(nn.Sequential(convolution, *after, nn.LeakyReLU(0.2, inplace=True)))
        self.blocks = nn.ModuleList(blocks)
        self.output = nn.Conv2d(widths[-1], 1, kernel, 1, padding)
        init_normal(self, 0.02)

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations after every block for images (N, C, H, W) in [-1, 1] beside the maps given.

        Raises:
            ValueError: what is given has other channels than `given_channels`, or the images are too small.
        """
        found = sum(one.shape[1] for one in given)
        if found != self.given_channels:
            raise ValueError(f"given_channels={self.given_channels}, and maps of {found} channels are given")
        least = 3 * 2**self.layers if self.layers else 1
        if min(x.shape[2:]) < least:
            raise ValueError(
                f"layers={self.layers}: images must have at least {least} pixels on each side, and have "
                f"{x.shape[2]}x{x.shape[3]}"
            )
        return activations(self.blocks, torch.cat([x, *given], dim=1) if given else x)
