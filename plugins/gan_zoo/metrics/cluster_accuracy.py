"""Whether a categorical code has found the classes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, Game, Metric
from gan_zoo.codes import ask_q
from gan_zoo.priors.codes import Codes
from gan_zoo.terms.mutual_information import require_codes

BATCH = 500


def best_assignment_accuracy(clusters: Tensor, labels: Tensor) -> float:
    """Return the share of samples whose cluster is assigned to their label, for the best one-to-one assignment.

    Args:
        clusters: the cluster (N,) of each sample.
        labels: the class (N,) of each sample.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = int(clusters.max()) + 1, int(labels.max()) + 1
    counts = (clusters * columns + labels).bincount(minlength=rows * columns).view(rows, columns).numpy()
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(labels))


class ClusterAccuracy(Metric):
    """The accuracy with which Q's categorical code tells the classes of the test split, without having seen labels.

    Each value of the code stands for the class of the best one-to-one assignment, as is usual for
    clusterings (Chen et al. 2016, arXiv 1606.03657, section 7.2, reports the error).

    Args:
        code: the name of the code.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"cluster_accuracy": True}
    legend: ClassVar[dict[str, str]] = {
        "cluster_accuracy": "share of test images whose code, read by Q, is the one matched with their class, 0 to 1",
    }
    needs_labels: ClassVar[bool] = True
    needs_images: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True

    def __init__(self, code: str) -> None:
        self.code = code

    def check(self, game: Game) -> None:
        """Raise ConfigError if there is no such code, or no Q to tell it."""
        require_codes(game, "metrics.cluster_accuracy")
        assert isinstance(game.prior, Codes)
        categorical = [name for name, size in game.prior.codes.sizes.items() if size > 1]
        if self.code not in categorical:
            raise ConfigError(
                f"metrics.cluster_accuracy.code={self.code}: the categorical codes: {', '.join(categorical) or 'none'}"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `cluster_accuracy`."""
        game, test = comparison.game, comparison.split("test")
        assert game is not None and isinstance(game.prior, Codes) and test.labels is not None
        clusters = []
        for indices in torch.arange(len(test.labels)).split(BATCH):
            images = test.read(indices).to(game.device).float() / 127.5 - 1
            said = game.prior.codes.split(ask_q(game, images)[:, : game.prior.codes.dim])
            clusters.append(said[self.code].argmax(1).cpu())
        return {"cluster_accuracy": best_assignment_accuracy(torch.cat(clusters), test.labels)}
