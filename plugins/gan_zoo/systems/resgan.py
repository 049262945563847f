"""ResGAN (Wang et al. 2017, arXiv 1707.04881), in outline: what is missing of a degraded image is added to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gan_framework.api import EMPTY, Generator
from gan_zoo.nested import build_nested
from gan_zoo.translating import image_in


class ResidualOf(Generator):
    """g = s + 2 r(s): the source goes straight to the image, and a network in [-1, 1] makes half of the difference.

    The paper's details are not known to us; this is its idea in the smallest form. In training samples have no bounds,
    so that a gradient reaches them all; in evaluation they are cut off at -1 and 1.

    Args:
        of: the settings of the generator r, with its `name`: it makes images of the source's size and channels.
    """

    def __init__(self, of: dict[str, Any]) -> None:
        super().__init__()
        self.of = build_nested("generators", of)

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, C, H, W) to images of the same shape."""
        made: Tensor = image_in(given) + 2 * self.of(z, labels, given)
        return made if self.training else made.clamp(-1, 1)
