"""The same discriminator at several sizes of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Discriminator, DiscriminatorOutput
from gan_zoo.nested import build_nested
from gan_zoo.ranges import require_positive


class MultiScaleDiscriminator(Discriminator):
    """Discriminators alike, each with weights of its own, of an image and of it halved, quartered, ... (pix2pixHD).

    Wang et al. 2017, arXiv 1711.11585, section 3.2; MUNIT and SPADE have it too. Its logits (N, scales, H, W) are those
    of all, repeated so that each size counts alike: a loss that takes their mean is the mean of the sizes' losses, the
    papers' sum divided by `scales`. Its features are those of all sizes, the largest first. What images are judged
    beside is halved with them. Strategies that put something before the last layer find none: there are several.

    Args:
        of: the settings of each, with its `name`: one that judges patches.
        scales: how many sizes; 2 or 3 in the papers.
    """

    patches = True

    def __init__(self, of: dict[str, Any], scales: int) -> None:
        super().__init__()
        require_positive(scales=scales)
        self.judges = nn.ModuleList(build_nested("discriminators", of) for _ in range(scales))
        for judge in self.judges:
            if not (isinstance(judge, Discriminator) and judge.patches):
                raise ValueError(f"of.name={of.get('name')!r}: choose a discriminator of patches, patch")
        self.output = nn.Identity()

    def features(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> tuple[Tensor, ...]:
        """Return the activations of all sizes for images (N, C, H, W) in [-1, 1]."""
        return self(x, labels, *given).features  # type: ignore[no-any-return]

    def forward(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Score images (N, C, H, W) in [-1, 1] beside the maps given."""
        said = []
        for number, judge in enumerate(self.judges):
            if number:
                x, *rest = (F.avg_pool2d(one, 2) for one in (x, *given))
                given = tuple(rest)
            said.append(cast(DiscriminatorOutput, judge(x, labels, *given)))
        features = tuple(feature for one in said for feature in one.features)
        heads: Mapping[str, Tensor] = {name: head(features[-1].flatten(1)) for name, head in self.heads.items()}
        return DiscriminatorOutput(torch.cat(alike([one.logits for one in said]), 1), features, heads)


def alike(maps: list[Tensor]) -> list[Tensor]:
    """Return maps (N, C, H, W) of several sizes repeated to one size, so that a mean over each stays what it is."""
    height, width = (math.lcm(*(one.shape[axis] for one in maps)) for axis in (2, 3))
    return [
        one.repeat_interleave(height // one.shape[2], 2).repeat_interleave(width // one.shape[3], 3) for one in maps
    ]
