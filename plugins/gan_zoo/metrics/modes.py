"""Which classes the samples fall into, and how evenly: mode collapse, counted."""

from __future__ import annotations

from typing import ClassVar

from gan_framework.api import Comparison, Metric
from gan_zoo.metrics.neighbours import classes_of_generated


class Modes(Metric):
    """Classes hit and the histogram of classes, as in Metz et al. 2016 (arXiv 1611.02163, section 3.3.1)."""

    higher_is_better: ClassVar[dict[str, bool]] = {"modes": True, "modes_entropy": True, "modes_kl": False}
    legend: ClassVar[dict[str, str]] = {
        "modes": "classes with at least one sample, 1 to the number of classes",
        "modes_entropy": "entropy of the samples' classes in nats, 0 (one class) to log of the number of classes",
        "modes_kl": "KL(classes of samples || classes of the data) in nats, 0 or more: 0 is as frequent as in the data",
    }
    needs_labels: ClassVar[bool] = True

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `modes`, `modes_entropy` and `modes_kl`.

        `modes` counts the classes with at least one sample; the entropy of the generated classes'
        histogram and its divergence KL(generated || real) are in nats.
        """
        from scipy.stats import entropy

        assert comparison.real.labels is not None
        classes = comparison.shape.num_classes
        generated = classes_of_generated(comparison).bincount(minlength=classes).double().numpy()
        real = comparison.real.labels.bincount(minlength=classes).double().numpy()
        return {
            "modes": float((generated > 0).sum()),
            "modes_entropy": float(entropy(generated)),
            "modes_kl": float(entropy(generated, real)),
        }
