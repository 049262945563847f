"""Whether a conditional generator makes what it is asked for."""

from __future__ import annotations

from typing import ClassVar

from gan_framework.api import Comparison, ConfigError, Game, Metric
from gan_zoo.metrics.neighbours import classes_of_generated


class ClassAccuracy(Metric):
    """The share of samples that seem to be of the class asked for (Odena et al. 2017, arXiv 1610.09585, section 4.1).

    Of images that are made of others it is the share that seem to be of the class of what they are made of. With an
    extractor that classifies the dataset's labels it is the classifier's opinion, else that of the nearest real sample.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"class_accuracy": True}
    needs_labels: ClassVar[bool] = True
    needs_game: ClassVar[bool] = True
    labels_suffice: ClassVar[bool] = True
    legend: ClassVar[dict[str, str]] = {
        "class_accuracy": "share of samples classified as the class asked for, or as that of their inputs, 0 to 1"
    }

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game neither is asked for classes nor makes its samples of labelled ones."""
        source = game.data.others.get(game.generates_from or "", game.data)
        if not game.conditional and (game.generates_from is None or not source.num_classes):
            raise ConfigError(
                f"metrics.class_accuracy has no effect on {type(game.generator).__name__}, which takes no labels; "
                "it goes with conditional models (cgan_mlp, dcgan_conditional, acgan) and those that translate images"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `class_accuracy`, from 0 to 1."""
        asked = comparison.generated.labels
        if asked is None:
            raise ConfigError("metrics.class_accuracy: it is not known which classes these samples were asked for")
        return {"class_accuracy": (classes_of_generated(comparison) == asked).float().mean().item()}
