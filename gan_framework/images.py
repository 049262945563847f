"""From the framework's images to the ones a file holds."""

from __future__ import annotations

import torch
from torch import Tensor


def to_uint8(images: Tensor) -> Tensor:
    """Quantise images in [-1, 1] to uint8: the nearest of the 256 levels.

    Saved as a PNG and read back, the images are the same bytes, so a score of them in memory and a
    score of the saved files agree. Values outside [-1, 1] are clamped; halves go to the even level.
    """
    return ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
