"""How well a game tells the classes of samples that it has not seen."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, Game, Metric
from gan_zoo.classifying import CLASS
from gan_zoo.metrics.cluster_accuracy import best_assignment_accuracy
from gan_zoo.metrics.encoding import through

CATEGORIES = ("named", "one_to_one", "majority")


def majority_accuracy(told: Tensor, labels: Tensor) -> float:
    """Return the share of samples whose category's most frequent class is theirs.

    Args:
        told: the category (N,) of each sample.
        labels: the class (N,) of each sample.
    """
    columns = int(labels.max()) + 1
    counts = (told * columns + labels).bincount(minlength=(int(told.max()) + 1) * columns).view(-1, columns)
    return float(counts.amax(1).sum() / len(labels))


class LabelAccuracy(Metric):
    """The share of test samples whose class the game's own classifier tells.

    That is what the game calls `classify`, or the head `class` of its discriminator. Categories that were found without
    labels stand for classes: each for another, by the best assignment, or each for the class most frequent in it
    (Springenberg 2016, arXiv 1511.06390, section 5.1, where there are twice as many as classes).

    Args:
        categories: `named`, those of the labels; `one_to_one` or `majority`.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"label_accuracy": True}
    legend: ClassVar[dict[str, str]] = {
        "label_accuracy": "share of test samples whose class the game's classifier tells, 0 to 1",
    }
    needs_labels: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)
    needs_game: ClassVar[bool] = True

    def __init__(self, categories: str) -> None:
        if categories not in CATEGORIES:
            raise ConfigError(f"metrics.label_accuracy.categories={categories!r}: choose {' or '.join(CATEGORIES)}")
        self.categories = categories

    def check(self, game: Game) -> None:
        """Raise ConfigError if nothing in the game tells classes."""
        if not hasattr(game, "classify") and CLASS not in getattr(game.networks["discriminator"], "heads", {}):
            raise ConfigError(
                f"metrics.label_accuracy asks a classifier for classes, and {type(game).__name__} has none: it goes "
                "with experiment=semi_kplus1, catgan, triple_gan, ccgan or strategy=[train_with_labels]"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `label_accuracy`."""
        game, test = comparison.game, comparison.split("test")
        assert game is not None and test.labels is not None

        def tell(x: Tensor) -> Tensor:
            if hasattr(game, "classify"):
                return game.classify(x).argmax(1)  # type: ignore[no-any-return, operator]
            return game.judge("discriminator")(x).heads[CLASS].argmax(1)

        told = through(game, test, torch.arange(len(test.labels)), tell)
        if self.categories == "one_to_one":
            return {"label_accuracy": best_assignment_accuracy(told, test.labels)}
        if self.categories == "majority":
            return {"label_accuracy": majority_accuracy(told, test.labels)}
        return {"label_accuracy": float((told == test.labels).double().mean())}
