"""Whether objects are where they were asked for."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.shapes import SATURATED, saturation

NEAR = 2.0
"""So many pixels from its place an object is near it."""


class ObjectPlace(Metric):
    """How far what is coloured in images covers what should be, and how far their middles are apart.

    An object is all pixels of clear colour on the grey ground of `data=shapes`. An image without any is as far off as
    it can be.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"object_iou": True, "place_error": False, "placed": True}
    legend: ClassVar[dict[str, str]] = {
        "object_iou": "pixels coloured in both the made and the true image, as a share of those in either: 0 to 1",
        "place_error": "mean distance of the middles of what is coloured, in pixels",
        "placed": "share of images whose middle is at most 2 pixels from where it should be, 0 to 1",
    }
    needs_pairs: ClassVar[bool] = True
    needs_images: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no colour images."""
        if len(shape.sample) != 3 or shape.sample[0] != 3:
            raise ConfigError(f"metrics.object_place looks for colours, and samples are {shape.sample}")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `object_iou`, `place_error` and `placed`."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        shared, apart = [], []
        for part in comparison.pairs():
            made, true = (saturation(images) > SATURATED for images in (part.generated, part.target))
            shared.append(torch.stack([(made & true).sum(), (made | true).sum()]).double())
            apart.append(distance(made, true))
        both, either = torch.stack(shared).sum(0).tolist()
        apart_all = torch.cat(apart)
        return {
            "object_iou": both / max(either, 1.0),
            "place_error": apart_all.mean().item(),
            "placed": (apart_all <= NEAR).float().mean().item(),
        }


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Return how far the middles of masks (N, H, W) are apart (N,), in pixels; the diagonal where either is empty."""
    height, width = a.shape[1:]
    middles = []
    for mask in (a.float(), b.float()):
        area = mask.sum((1, 2)).clamp(min=1)
        down = (mask * torch.arange(height)[:, None]).sum((1, 2)) / area
        middles.append(torch.stack([(mask * torch.arange(width)).sum((1, 2)) / area, down], 1))
    apart = (middles[0] - middles[1]).norm(dim=1)
    empty = ~(a.flatten(1).any(1) & b.flatten(1).any(1))
    return torch.where(empty, (height**2 + width**2) ** 0.5, apart)
