"""How far what a game finds in samples is from what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch

from gan_framework.api import Comparison, ConfigError, Game, Metric
from gan_zoo.metrics.encoding import through


class LabelError(Metric):
    """The root mean square error of the vectors that a game predicts for the test samples, against their labels.

    Beside it stands the error of the mean of the labels: what is reached without looking.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"label_error": False}
    legend: ClassVar[dict[str, str]] = {
        "label_error": "root mean square error of predicted vectors against labels of test samples; 0 is perfect",
        "label_error_mean": "the same of a prediction that is always the mean label",
    }
    exempt: ClassVar[Mapping[str, str]] = {"scores": "its labels are vectors, and the suite has classes alone"}
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game predicts nothing, or there is nothing to predict."""
        if not hasattr(game, "predict") or not game.data.condition_dim:
            raise ConfigError(
                f"metrics.label_error compares predicted vectors with labels, and {type(game).__name__} predicts none; "
                "it goes with games that do (experiment=ldan)"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return both errors."""
        game, of = comparison.game, comparison.split("test")
        assert game is not None and of.labels is not None
        labels = of.labels.double()
        found = through(game, of, torch.arange(len(labels)), game.predict).double()  # type: ignore[arg-type]
        return {
            "label_error": float((found - labels).square().mean().sqrt()),
            "label_error_mean": float((labels.mean(0) - labels).square().mean().sqrt()),
        }
