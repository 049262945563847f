"""How far reconstructions are from real samples."""

from __future__ import annotations

from typing import ClassVar

import torch

from gan_framework.api import Comparison, ConfigError, Game, Metric, inversion
from gan_zoo.metrics.encoding import through


class InversionError(Metric):
    """The mean square error of the encoder's reconstructions of the test split, of pixels in [-1, 1]."""

    higher_is_better: ClassVar[dict[str, bool]] = {"inversion_error": False}
    legend: ClassVar[dict[str, str]] = {
        "inversion_error": "mean square error of reconstructed test samples, of pixels in [-1, 1]; 0 is exact"
    }
    needs_splits: ClassVar[tuple[str, ...]] = ("test",)
    needs_samples: ClassVar[bool] = False
    needs_game: ClassVar[bool] = True

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game reconstructs nothing."""
        if not inversion.can_encode(game):
            raise ConfigError(
                f"metrics.inversion_error scores reconstructions, and {type(game).__name__} has no encoder; it goes "
                "with games that have one (experiment=bigan, aae, vae_gan, alpha_gan, ...)"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `inversion_error`."""
        game, test = comparison.game, comparison.split("test")
        assert game is not None

        def errors(x: torch.Tensor) -> torch.Tensor:
            return inversion.squared_errors(inversion.reconstruct(game, x), x)

        found = through(game, test, torch.arange(len(test.features)), errors)
        return {"inversion_error": float(found.double().mean())}
