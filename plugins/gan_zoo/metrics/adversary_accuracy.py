"""What an adversary that is trained anew finds out of what is published."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, FeatureSet, Game, Metric, seeding
from gan_zoo.layers import one_hot
from gan_zoo.metrics.label_transfer import regression

SCALE = 127.5


class AdversaryAccuracy(Metric):
    """The accuracy on test samples of a fresh adversary: kernel ridge regression from what is published to the label.

    It learns from as many samples of the split `train`, published anew. Beside it stands its accuracy where samples are
    published as they are, and the mean squared distortion of the test samples.

    Args:
        samples: how many of each split are published.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"adversary_accuracy": False}
    legend: ClassVar[dict[str, str]] = {
        "adversary_accuracy": "accuracy of a fresh adversary on the private label; lower is more private",
        "adversary_accuracy_plain": "the same without a privatiser",
        "distortion": "mean squared difference of published samples",
    }
    needs_labels: ClassVar[bool] = True
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def __init__(self, samples: int) -> None:
        if samples < 2:
            raise ConfigError(f"metrics.adversary_accuracy.samples={samples}: at least 2")
        self.samples = samples

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game publishes nothing."""
        if not hasattr(game, "privatise"):
            raise ConfigError(
                f"metrics.adversary_accuracy goes with games that hide a label, and {type(game).__name__} does not; "
                "try experiment=gap_gaussian"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return both accuracies and the distortion."""
        game = comparison.game
        assert game is not None
        plain, told, published = {}, {}, {}
        for split in ("train", "test"):
            plain[split], told[split] = self._read(comparison.split(split))
            published[split] = publish(game, plain[split], told[split], split)
        classes = comparison.shape.num_classes
        found = {
            name: guessed(x["train"], told["train"], x["test"], told["test"], classes)
            for name, x in (("adversary_accuracy", published), ("adversary_accuracy_plain", plain))
        }
        error = (published["test"] - plain["test"]).square().mean()
        return {**found, "distortion": float(error)}

    def _read(self, of: FeatureSet) -> tuple[Tensor, Tensor]:
        assert of.labels is not None
        chosen = torch.linspace(0, len(of.labels) - 1, min(len(of.labels), self.samples)).long()
        x = of.read(chosen)
        return (x.float() / SCALE - 1 if x.dtype == torch.uint8 else x), of.labels[chosen]


def publish(game: Game, x: Tensor, labels: Tensor, split: str) -> Tensor:
    """Return what a game publishes of samples, the same each time."""
    with torch.random.fork_rng([]):
        seeding.reseed(0, "published", split)
        published: Tensor = game.privatise(x.to(game.device), labels.to(game.device))  # type: ignore[operator]
    return published.cpu()


def guessed(x: Tensor, labels: Tensor, at: Tensor, truth: Tensor, num_classes: int) -> float:
    """Return the accuracy at other points of kernel ridge regression of classes."""
    said = regression(x.flatten(1).double(), one_hot(labels, num_classes).double(), at.flatten(1).double())
    return float((said.argmax(1) == truth).double().mean())
