"""The inception score (Salimans et al. 2016, arXiv 1606.03498, section 4)."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Metric
from gan_zoo.ranges import require_positive

SEED = 2020
"""torch-fidelity's own, so that both make the same parts."""


class InceptionScore(Metric):
    """exp E KL(p(y|x) || p(y)) of the extractor's class probabilities; mean over equal parts of the samples.

    The MODE score of mode-regularised GANs, exp(E KL(p(y|x) || q(y)) - KL(p(y) || q(y))) with q(y) of the data (Che et
    al. 2017, arXiv 1612.02136, section 4), is the same number: q drops out.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"is": True}
    legend: ClassVar[dict[str, str]] = {
        "is": "exp E KL(p(y|x) || p(y)), 1 (all alike or all unclear) to the number of classes; blind to the data",
        "is_std": "standard deviation of is over metrics.inception_score.splits parts of the samples",
    }
    needs_logits: ClassVar[bool] = True

    def __init__(self, splits: int) -> None:
        """Choose the number of parts.

        Raises:
            ValueError: there are no parts.
        """
        require_positive(splits=splits)
        self.splits = splits

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if there are fewer generated samples than parts."""
        if generated < self.splits:
            raise ConfigError(
                f"metrics.inception_score.splits={self.splits} needs at least as many generated samples "
                f"(evaluate.samples), and there are {generated}"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `is` and `is_std`, the standard deviation over the parts, which are torch-fidelity's."""
        logits = comparison.generated.logits
        assert logits is not None
        order = torch.from_numpy(np.random.RandomState(SEED).permutation(len(logits)))
        # Part by part, so that no float64 copy of all logits is ever held.
        parts = [order[i * len(order) // self.splits : (i + 1) * len(order) // self.splits] for i in range(self.splits)]
        scores = [inception_score(logits[part].double()) for part in parts]
        return {"is": float(np.mean(scores)), "is_std": float(np.std(scores))}


def inception_score(logits: Tensor) -> float:
    """Return exp E KL(p(y|x) || p(y)) of class logits (N, K).

    Of logarithms of probabilities, because a probability may be too small for a number while its logarithm is not.
    """
    log_p = logits.log_softmax(1)
    log_mean = log_p.logsumexp(0) - math.log(len(log_p))
    return math.exp((log_p.exp() * (log_p - log_mean)).sum(1).mean())
