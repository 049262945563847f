"""AffGAN (Sønderby et al. 2016, arXiv 1610.04490): larger images that always give the small ones they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import EMPTY, Components, Generator, Term
from gan_zoo.encoding import LogRatio
from gan_zoo.games.translation import Translation
from gan_zoo.nested import build_nested
from gan_zoo.translating import image_in


def smaller(x: Tensor, scale: int) -> Tensor:
    """Return A x, the means over squares of images (N, C, H, W)."""
    return F.avg_pool2d(x, scale)


def larger(y: Tensor, scale: int) -> Tensor:
    """Return A⁺ y, the pixels of images (N, C, h, w) repeated as squares: A A⁺ y = y."""
    return y.repeat_interleave(scale, 2).repeat_interleave(scale, 3)


def projected(u: Tensor, y: Tensor, scale: int) -> Tensor:
    """Return u + A⁺ (y - A u), the image nearest to u whose means are y (section 3.2, equation 10)."""
    return u + larger(y - smaller(u, scale), scale)


class AffineProjection(Generator):
    """What another generator makes, projected to images whose means over squares are the given small image.

    Images may leave [-1, 1] by as much as the projection adds; what is given is kept whatever the weights are.

    Args:
        of: the settings of the generator, with its `name`: it makes images `scale` times as large, sr_resnet.
        scale: pixels to a side of a square.
    """

    def __init__(self, of: dict[str, Any], scale: int) -> None:
        super().__init__()
        if scale < 2:
            raise ValueError(f"scale={scale}: it must be at least 2")
        self.of = build_nested("generators", of)
        self.scale = scale

    def forward(self, z: Tensor, labels: Tensor | None = None, given: Mapping[str, Tensor] = EMPTY) -> Tensor:
        """Map the given images (N, C, h, w) to images (N, C, scale h, scale w)."""
        return projected(self.of(z, labels, given), image_in(given), self.scale)


class AffGAN(Translation):
    """G minimises -E logit D(G(y)), an estimate of KL(q || p) when D tells both by cross entropy (equation 15).

    With a projected G nothing else binds images to their sources. The noise on what D sees, which the paper lets fade
    as training goes on, is `strategy=[instance_noise]`.

    Args:
        components: what the game is made of.
    """

    def __init__(self, components: Components) -> None:
        super().__init__(components, False, 1.0, 0.0, "l1", 0.0)
        divergence: Term = LogRatio()
        self.player("generator").add_term("divergence", divergence)
