"""Whether edited images have the label that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch

from gan_framework.api import Comparison, ConfigError, Game, Metric
from gan_zoo.metrics.neighbours import classes_of_generated

TARGET = "target"
"""The extra that says what an image is asked to become."""


class TargetAccuracy(Metric):
    """The share of edited images that seem to be of the class that the extra `target` of their inputs asks for.

    With an extractor that classifies the dataset's labels it is the classifier's opinion, else that of the nearest real
    sample. An edit that changes nothing scores 0 where every target is another class than the image's own.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"target_accuracy": True}
    needs_labels: ClassVar[bool] = True
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000
    exempt: ClassVar[Mapping[str, str]] = {"scores": "it reads an extra of the inputs, and the suite's pairs have none"}
    legend: ClassVar[dict[str, str]] = {
        "target_accuracy": "share of edited images that are classified as what was asked for, 0 to 1"
    }

    def check(self, game: Game) -> None:
        """Raise ConfigError if the data do not say what is asked for."""
        if TARGET not in game.data.extra:
            raise ConfigError(
                f"metrics.target_accuracy reads the extra {TARGET!r} of the data, and theirs are "
                f"{', '.join(game.data.extra) or 'none'}: it goes with data=digit_strokes or data=digit_views"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `target_accuracy`, from 0 to 1."""
        assert comparison.pairs is not None, "only games of pairs come this far"
        asked = torch.cat([part.extra[TARGET] for part in comparison.pairs()])
        found = classes_of_generated(comparison)[: len(asked)]
        return {"target_accuracy": (found == asked).float().mean().item()}
