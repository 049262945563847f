"""What every source does to images: channels, a centred square, and one antialiased resize."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 1024


def fit(images: Tensor, image_size: int, channels: int) -> Tensor:
    """Bring images to a size and number of channels, without changing those that fit already.

    Grey becomes colour by repetition, colour becomes grey by ITU-R 601 luma, what is not square is
    cropped at its centre, and sizes change by the antialiased bicubic filter in integer arithmetic,
    which agrees with Pillow's to one grey level and does not depend on the machine.

    Args:
        images: images (N, 1 or 3, H, W) uint8.
        image_size: the wanted height and width.
        channels: 1 or 3.

    Returns:
        Images (N, channels, image_size, image_size) uint8.
    """
    if images.shape[1] == channels and images.shape[2:] == (image_size, image_size):
        return images
    fitted = torch.empty(len(images), channels, image_size, image_size, dtype=torch.uint8)
    for part, out in zip(torch.split(images, CHUNK), torch.split(fitted, CHUNK), strict=True):
        part = _square(with_channels(part, channels))
        if part.shape[-1] != image_size:
            size = (image_size, image_size)
            part = F.interpolate(part.contiguous(), size, mode="bicubic", antialias=True)
        out.copy_(part)
    return fitted


def with_channels(images: Tensor, channels: int) -> Tensor:
    """Return images (N, 1 or 3, H, W) uint8 with the wanted number of channels, 1 or 3."""
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    weights = torch.tensor([19595, 38470, 7471], dtype=torch.int32).view(1, 3, 1, 1)  # of 65536, as in Pillow
    luma = (images * weights).sum(1, keepdim=True, dtype=torch.int32) + 0x8000
    return (luma >> 16).to(torch.uint8)


def _square(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[:, :, top : top + side, left : left + side]
