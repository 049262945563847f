"""Messages in the least significant bits of images, by plus or minus one."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Stego(NamedTuple):
    """Images with and without a message.

    Attributes:
        cover: images (N, C, H, W) in [-1, 1], rounded to 256 levels.
        image: the same with the message.
        places: where it is (N, C, H, W), bool.
        message: the bits (N, C, H, W), 0 or 1; at `places` alone they say something.
    """

    cover: Tensor
    image: Tensor
    places: Tensor
    message: Tensor


def embed(x: Tensor, rate: float, generator: torch.Generator | None = None) -> Stego:
    """Hide random bits in images by matching least significant bits (Sharp 2001).

    At a share of the pixels the last bit is to be a bit of the message; where it is not, the pixel becomes one level
    brighter or darker, with equal chance, or the one that there is at black and white. So of a rate r half of r of the
    pixels change. Gradients go through as if nothing had been done.

    Args:
        x: images (N, C, H, W) in [-1, 1].
        rate: bits for each pixel, from 0 to 1.
        generator: chooses places, bits and signs.
    """
    levels = (((x.detach().float() + 1) * 127.5).round()).clamp(0, 255)
    places, message, signs = (
        torch.rand(x.shape, generator=generator, device=x.device if generator is None else generator.device).to(
            x.device
        )
        for _ in range(3)
    )
    chosen, bits = places < rate, (message < 0.5).to(levels.dtype)
    wrong = chosen & (levels % 2 != bits)
    step = torch.where(signs < 0.5, -1.0, 1.0)
    step = torch.where(levels == 0, 1.0, torch.where(levels == 255, -1.0, step))
    marked = levels + step * wrong
    cover, image = (through(x, (of / 127.5 - 1).to(x.dtype)) for of in (levels, marked))
    return Stego(cover, image, chosen, bits.long())


def through(x: Tensor, value: Tensor) -> Tensor:
    """Return a value whose gradient is that of x."""
    return x + (value - x).detach()


def read(image: Tensor, places: Tensor) -> Tensor:
    """Return the bits that images (N, C, H, W) in [-1, 1] hide at places, flat."""
    return ((image.float() + 1) * 127.5).round().long()[places] % 2
