"""Whether rosettes have as many leaves as were asked for."""

from __future__ import annotations

from typing import ClassVar

from gan_framework.api import Comparison, ConfigError, DataShape, Game, Metric
from gan_zoo.rosettes import MOST, count_leaves


class LeafCount(Metric):
    """Leaves that rules count in images of `data=rosettes`, beside those asked for (Giuffrida et al. 2017).

    The class of a rosette is the number of its leaves less 1.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"leaves_right": True, "leaves_near": True}
    legend: ClassVar[dict[str, str]] = {
        "leaves_right": "share of rosettes with as many leaves as asked for, 0 to 1",
        "leaves_near": "share of rosettes with at most one leaf more or less than asked for, 0 to 1",
    }
    needs_labels: ClassVar[bool] = True
    needs_images: ClassVar[bool] = True
    needs_game: ClassVar[bool] = True
    labels_suffice: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 10_000

    def check(self, game: Game) -> None:
        """Raise ConfigError if the game is not asked for classes."""
        if not game.conditional:
            raise ConfigError(
                f"metrics.leaf_count has no effect on {type(game.generator).__name__}, which takes no labels; it goes "
                "with conditional models (dcgan_conditional, acgan)"
            )

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no square colour images of as many classes as there are leaves."""
        square = len(shape.sample) == 3 and shape.sample[0] == 3 and shape.sample[1] == shape.sample[2]
        if not square or shape.num_classes != MOST:
            raise ConfigError(
                f"metrics.leaf_count counts leaves in square colour images of {MOST} classes, and samples are "
                f"{shape.sample} of {shape.num_classes}: choose data=rosettes"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `leaves_right` and `leaves_near`."""
        asked = comparison.generated.labels
        if asked is None:
            raise ConfigError("metrics.leaf_count: it is not known how many leaves these samples were asked for")
        chosen = comparison.generated.some(self.samples_kept)
        found = count_leaves(comparison.generated.read(chosen))
        away = (found - (asked[chosen] + 1)).abs()
        return {"leaves_right": (away == 0).float().mean().item(), "leaves_near": (away <= 1).float().mean().item()}
