"""Whether a game's own classifier finds the classes of samples it was not told."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, Game, Metric
from gan_zoo.classifying import CLASS
from gan_zoo.metrics.cluster_accuracy import best_assignment_accuracy
from gan_zoo.metrics.encoding import through

SPLITS = ("train", "test")
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
    """The share of a split's samples whose class the game's classifier finds.

    It goes with games that have one (`classify`), as those that learn from few labels, or that adapt to another domain:
    in these the data are the target, whose labels no network has seen; and with discriminators that have a head
    `class`. Categories that were found without labels stand for classes: each for another, by the best assignment, or
    each for the class most frequent in it (Springenberg 2016, arXiv 1511.06390, section 5.1, where there are twice as
    many as classes).

    Args:
        split: `test`, or `train`.
        categories: `named`, those of the labels; `one_to_one` or `majority`.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"label_accuracy": True}
    legend: ClassVar[dict[str, str]] = {
        "label_accuracy": "share of samples whose class the game's own classifier finds, 0 to 1"
    }
    needs_labels: ClassVar[bool] = True
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True

    def __init__(self, split: str, categories: str) -> None:
        if split not in SPLITS:
            raise ConfigError(f"metrics.label_accuracy.split={split!r}: choose one of {', '.join(SPLITS)}")
        if categories not in CATEGORIES:
            raise ConfigError(
                f"metrics.label_accuracy.categories={categories!r}: choose one of {', '.join(CATEGORIES)}"
            )
        self.split = split
        self.categories = categories
        self.needs_splits = (split,)  # type: ignore[misc]

    def settings(self) -> dict[str, Any]:
        """Return the settings, for the protocol: not what follows from them."""
        return {"split": self.split, "categories": self.categories}

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game has no classifier."""
        heads = getattr(game.networks["discriminator"], "heads", {}) if "discriminator" in game.networks else {}
        if not hasattr(game, "classify") and CLASS not in heads:
            raise ConfigError(
                f"metrics.label_accuracy asks a game's own classifier, and {type(game).__name__} has none; it goes "
                "with games that classify (experiment=semi_kplus1, triple_gan, dann, adda, ...) and with "
                "strategy=[train_with_labels]"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `label_accuracy`, from 0 to 1."""
        game, of = comparison.game, comparison.split(self.split)
        assert game is not None and of.labels is not None

        def tell(x: Tensor) -> Tensor:
            if hasattr(game, "classify"):
                return game.classify(x).argmax(1)  # type: ignore[no-any-return, operator]
            return game.judge("discriminator")(x).heads[CLASS].argmax(1)

        told, labels = through(game, of, torch.arange(len(of.labels)), tell), of.labels
        if self.categories == "one_to_one":
            return {"label_accuracy": best_assignment_accuracy(told, labels)}
        if self.categories == "majority":
            return {"label_accuracy": majority_accuracy(told, labels)}
        return {"label_accuracy": float((told == labels).double().mean())}
