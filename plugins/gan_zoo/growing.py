"""Networks that grow by one size at a time (Karras et al. 2018, arXiv 1710.10196, section 2)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Growing(nn.Module):
    """The base of networks of which the smallest sizes alone are at work at first.

    A size fades in: for a while the image, or what is made of it, is a mean of the newest size's and the one's before.

    Attributes:
        newest: the newest size at work, 0 for the smallest maps.
        fades: whether it is fading in.
        fade: the weight that the size before it has, a buffer.
    """

    level: Tensor
    fade: Tensor

    def __init__(self, sizes: int) -> None:
        super().__init__()
        self.sizes = sizes
        self.newest = sizes - 1
        self.fades = False
        self.register_buffer("level", torch.tensor(self.newest))
        self.register_buffer("fade", torch.tensor(0.0))

    def grow(self, newest: int, fades: bool) -> None:
        """Set which sizes are at work; `fade` is the weight of the one before the newest while it fades in."""
        self.newest = newest
        self.fades = fades
        self.level.fill_(newest)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.newest = int(self.level)
        self.fades = float(self.fade) > 0


def mixed(new: Tensor, old: Tensor, fade: Tensor) -> Tensor:
    """Return (1 - fade) new + fade old, which is one of the two to the bit where fade is 0 or 1."""
    fade = fade.to(new.dtype)
    return (1 - fade) * new + fade * old


def pooled(x: Tensor, times: int) -> Tensor:
    """Return maps (N, C, H, W), halved a number of times by 2x2 means."""
    return F.avg_pool2d(x, 1 << times) if times else x


def repeated(x: Tensor, times: int) -> Tensor:
    """Return maps (N, C, H, W), doubled a number of times by repetition."""
    return F.interpolate(x, scale_factor=1 << times, mode="nearest") if times else x
