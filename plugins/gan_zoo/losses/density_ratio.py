"""The losses of b-GAN: D estimates the ratio of the densities, G minimises the divergence that it gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import DiscriminatorOutput, SeparableLoss
from gan_zoo.ranges import require_below_one

DIVERGENCES = ("pearson", "kl")
POSITIVE = ("exp", "softplus")


class DensityRatio(SeparableLoss):
    """D fits r(x) = p(x) / q(x) > 0 by a Bregman divergence (Uehara et al. 2016, arXiv 1610.02920).

    The ratio grows without bound where nothing is generated: within a hundred steps its square is more than float32
    holds, and D, whose loss is all real samples then, says nothing of generated ones. `relative` bounds the best ratio
    by 1 / relative; `most` is the greatest one that D is paid for at a real sample, whose gradient ends there, which is
    our reading of the clipping that the paper speaks of.

    Args:
        divergence: `pearson`, f(r) = ½ (r - 1)², or `kl`, f(r) = r log r.
        positive: how a ratio is made of a score, `exp` or `softplus`.
        relative: α of the ratio p / (α p + (1 - α) q), in [0, 1), for `pearson` alone; 0 for p / q.
        most: the greatest ratio that is told from greater ones at real samples; null for any.
    """

    exempt: ClassVar[Mapping[str, str]] = {"pulls_the_right_way": "G seeks the ratio 1, from both sides"}

    def __init__(self, divergence: str, positive: str, relative: float, most: float | None = None) -> None:
        super().__init__()
        if divergence not in DIVERGENCES:
            raise ValueError(f"divergence={divergence!r}: choose {' or '.join(DIVERGENCES)}")
        if positive not in POSITIVE:
            raise ValueError(f"positive={positive!r}: choose {' or '.join(POSITIVE)}")
        require_below_one(relative=relative)
        if relative and divergence != "pearson":
            raise ValueError(f"relative={relative}: only divergence=pearson has a relative ratio; set 0")
        if most is not None and not most > 1:
            raise ValueError(f"most={most}: it must be above 1, the ratio of equal densities, or null")
        self.pearson = divergence == "pearson"
        self.exponential = positive == "exp"
        self.relative = relative
        self.most = most

    def ratio(self, said: DiscriminatorOutput) -> Tensor:
        """Return r, one for each score."""
        return said.logits.exp() if self.exponential else F.softplus(said.logits)

    def log_ratio(self, said: DiscriminatorOutput) -> Tensor:
        """Return log r, one for each score."""
        return said.logits if self.exponential else F.softplus(said.logits).log()

    def real_half(self, real: DiscriminatorOutput) -> Tensor:
        """Return ½ α E r(x)² - E r(x), or -E log r(x)."""
        if not self.pearson:
            return -self.log_ratio(real).clamp(max=math.inf if self.most is None else math.log(self.most)).mean()
        ratio = self.ratio(real).clamp(max=math.inf if self.most is None else self.most)
        return self.relative / 2 * ratio.square().mean() - ratio.mean()

    def fake_half(self, fake: DiscriminatorOutput) -> Tensor:
        """Return ½ (1 - α) E r(G(z))², or E r(G(z))."""
        ratio = self.ratio(fake)
        return (1 - self.relative) / 2 * ratio.square().mean() if self.pearson else ratio.mean()

    def generator(self, fake: DiscriminatorOutput, real: DiscriminatorOutput | None = None) -> Tensor:
        """Return E f(r(G(z)))."""
        ratio = self.ratio(fake)
        return (ratio - 1).square().mean() / 2 if self.pearson else (ratio * self.log_ratio(fake)).mean()
