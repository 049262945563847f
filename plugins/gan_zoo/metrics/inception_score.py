"""The inception score (Salimans et al. 2016, arXiv 1606.03498, section 4)."""

from __future__ import annotations

from typing import ClassVar

from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, Metric


class InceptionScore(Metric):
    """exp E KL(p(y|x) || p(y)) of the extractor's class probabilities; mean over equal parts of the samples."""

    higher_is_better: ClassVar[dict[str, bool]] = {"is": True}
    needs_logits: ClassVar[bool] = True

    def __init__(self, splits: int) -> None:
        """Choose the number of parts.

        Raises:
            ConfigError: there are no parts.
        """
        if splits < 1:
            raise ConfigError(f"metrics.inception_score.splits={splits} must be at least 1")
        self.splits = splits

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `is` and `is_std`, the standard deviation over the parts, computed by torch-fidelity."""
        from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric

        assert comparison.generated.logits is not None
        found = isc_features_to_metric(comparison.generated.logits, splits=self.splits)
        return {"is": found[KEY_METRIC_ISC_MEAN], "is_std": found[KEY_METRIC_ISC_STD]}
