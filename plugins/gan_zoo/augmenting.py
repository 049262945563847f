"""Augmentations of images through which a gradient flows, each image in its own way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_zoo.warping import PIPELINES

Augmentation = Callable[[Tensor], Tensor]


def uniform(x: Tensor, low: float, high: float) -> Tensor:
    """Return a number from [low, high] for each of the images x, (N, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(x), 1, 1, 1, device=x.device, dtype=x.dtype)


def color(x: Tensor, strength: float = 1.0) -> Tensor:
    """Change brightness by up to ±½, saturation by ×(1 ± 1) and contrast by ×(1 ± ½) of images (N, C, H, W).

    Args:
        x: the images.
        strength: what these bounds are multiplied by, in [0, 1].
    """
    x = x + uniform(x, -strength / 2, strength / 2)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * uniform(x, 1 - strength, 1 + strength)
    middle = x.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (x - middle) * uniform(x, 1 - strength / 2, 1 + strength / 2)


def translation(x: Tensor, share: float = 1 / 8) -> Tensor:
    """Shift images (N, C, H, W) by up to a share of either side; what comes in is 0."""
    n, _, height, width = x.shape
    down, right = (_shifts(n, round(share * side), x.device) for side in (height, width))
    margins = (round(share * width),) * 2 + (round(share * height),) * 2
    rows = torch.arange(height, device=x.device) + down[:, None] + margins[2]
    columns = torch.arange(width, device=x.device) + right[:, None] + margins[0]
    which = torch.arange(n, device=x.device)
    # Indices on both sides of the channels put these last.
    return F.pad(x, margins)[which[:, None, None], :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def cutout(x: Tensor, share: float = 0.5) -> Tensor:
    """Set a rectangle of a share of either side of images (N, C, H, W) to 0, anywhere, also partly outside."""
    n, _, height, width = x.shape
    hidden = []
    for side in (height, width):
        size = round(share * side)
        start = torch.randint(0, side + (1 - size % 2), (n, 1), device=x.device) - size // 2
        places = torch.arange(side, device=x.device)
        hidden.append((places >= start) & (places < start + size))
    rows, columns = hidden
    return x.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def mirror(x: Tensor) -> Tensor:
    """Mirror images (N, C, H, W)."""
    return x.flip(-1)


def quarter_turn(x: Tensor) -> Tensor:
    """Turn square images (N, C, H, H) by one, two or three quarters."""
    turned = torch.stack([x.rot90(quarters, (2, 3)) for quarters in (1, 2, 3)])
    which = torch.randint(0, 3, (len(x),), device=x.device)
    return turned[which, torch.arange(len(x), device=x.device)]


AUGMENTATIONS: dict[str, Augmentation] = {
    "color": color,
    "translation": translation,
    "cutout": cutout,
    "mirror": mirror,
    "quarter_turn": quarter_turn,
}


def check_names(setting: str, names: Sequence[str], pipelines: bool = False) -> None:
    """See that there are such augmentations.

    Args:
        setting: of the names.
        names: of augmentations.
        pipelines: whether those whose parts have a probability each are among them.

    Raises:
        ValueError: there are none, or one is unknown.
    """
    known = [*AUGMENTATIONS, *(PIPELINES if pipelines else ())]
    if not names or any(name not in known for name in names):
        raise ValueError(f"{setting}={list(names)}: choose from {', '.join(known)}")


def _shifts(n: int, most: int, device: torch.device) -> Tensor:
    return torch.randint(-most, most + 1, (n,), device=device)
