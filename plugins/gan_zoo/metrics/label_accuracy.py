"""Whether a game's own classifier finds the classes of samples it was not told."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, ConfigError, Game, Metric
from gan_zoo.metrics.encoding import through

SPLITS = ("train", "test")


class LabelAccuracy(Metric):
    """The share of a split's samples whose class the game's classifier finds.

    It goes with games that have one (`classify`), as those that adapt to another domain. In these the data are the
    target, whose labels no network has seen.

    Args:
        split: `test`, or `train`.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"label_accuracy": True}
    legend: ClassVar[dict[str, str]] = {
        "label_accuracy": "share of samples whose class the game's own classifier finds, 0 to 1"
    }
    needs_labels: ClassVar[bool] = True
    needs_game: ClassVar[bool] = True

    def __init__(self, split: str) -> None:
        if split not in SPLITS:
            raise ConfigError(f"metrics.label_accuracy.split={split!r}: choose one of {', '.join(SPLITS)}")
        self.split = split
        self.needs_splits = (split,)  # type: ignore[misc]

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game has no classifier."""
        if not hasattr(game, "classify"):
            raise ConfigError(
                f"metrics.label_accuracy asks a game's own classifier, and {type(game).__name__} has none; it goes with "
                "games that classify (experiment=dann, adda, pixelda, ...)"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `label_accuracy`, from 0 to 1."""
        game, of = comparison.game, comparison.split(self.split)
        assert game is not None and of.labels is not None
        logits = through(game, of, torch.arange(len(of.labels)), game.classify)  # type: ignore[arg-type]
        return {"label_accuracy": float((logits.argmax(1) == of.labels).double().mean())}
