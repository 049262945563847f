"""How much codes tell of the classes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, Game, Metric
from gan_zoo.layers import one_hot
from gan_zoo.metrics.encoding import require_codes, through
from gan_zoo.metrics.neighbours import nearest

METHODS = ("nearest", "linear")
RIDGE = 1e-3


class LatentProbe(Metric):
    """The accuracy on test samples of a simple classifier of the encoder's codes, trained on the train split's.

    `nearest` takes the class of the nearest code (Donahue et al. 2017, arXiv 1605.09782, table 2); `linear` regresses
    one-hot classes on standardised codes by ridged least squares.

    Args:
        method: `nearest` or `linear`.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"latent_probe": True}
    legend: ClassVar[dict[str, str]] = {
        "latent_probe": "accuracy of a simple classifier of codes of test samples, 0 to 1",
    }
    needs_labels: ClassVar[bool] = True
    needs_splits: ClassVar[tuple[str, ...]] = ("train", "test")
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True

    def __init__(self, method: str) -> None:
        if method not in METHODS:
            raise ConfigError(f"metrics.latent_probe.method={method!r}: choose {' or '.join(METHODS)}")
        self.method = method

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game has no encoder."""
        require_codes(game, "latent_probe")

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `latent_probe`."""
        game = comparison.game
        assert game is not None
        splits = [comparison.split(name) for name in ("train", "test")]
        train, test = (
            through(game, split, torch.arange(len(split.features)), game.code_of).flatten(1)  # type: ignore[arg-type]
            for split in splits
        )
        known, expected = (split.labels for split in splits)
        assert known is not None and expected is not None
        if self.method == "nearest":
            told = known[nearest(test, train)[1][:, 0]]
        else:
            told = linear(train, known, test, comparison.shape.num_classes)
        return {"latent_probe": float((told == expected).double().mean())}


def linear(train: Tensor, labels: Tensor, test: Tensor, num_classes: int) -> Tensor:
    """Return the classes (M,) of vectors (M, K) by a linear map of standardised vectors (N, K) to one-hot labels."""
    mean, std = train.double().mean(0), train.double().std(0).clamp(min=1e-8)
    a, b = (
        torch.cat([(x.double() - mean) / std, torch.ones(len(x), 1, dtype=torch.float64)], 1) for x in (train, test)
    )
    wanted = one_hot(labels, num_classes).double()
    ridge = RIDGE * len(a) * torch.eye(a.shape[1], dtype=torch.float64)
    weights: Tensor = torch.linalg.solve(a.T @ a + ridge, a.T @ wanted)
    return (b @ weights).argmax(1)
