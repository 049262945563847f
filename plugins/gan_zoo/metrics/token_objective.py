"""What ORGAN's objective comes to in generated tokens."""

from __future__ import annotations

from typing import ClassVar

from gan_framework.api import Comparison, DataShape, Metric
from gan_zoo.lengths import are_padded
from gan_zoo.metrics.grammar import MOST, require_tokens, tokens_of
from gan_zoo.systems.organ import OBJECTIVES, require_symbol


class TokenObjective(Metric):
    """The mean of ORGAN's objective (Guimaraes et al. 2017, arXiv 1705.10843, section 3), beside the data's.

    Args:
        objective: `share` or `run`, as ORGAN's.
        symbol: the symbol that is counted.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"objective": True}
    legend: ClassVar[dict[str, str]] = {
        "objective": "mean objective of samples, a symbol's share or its longest run, 0 to 1",
        "objective_real": "the same of real ones",
    }
    samples_kept: ClassVar[int] = MOST

    def __init__(self, objective: str, symbol: int) -> None:
        if objective not in OBJECTIVES:
            raise ValueError(f"objective={objective!r}: choose one of {', '.join(OBJECTIVES)}")
        self.objective, self.symbol = objective, symbol

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no tokens, or have no such symbol."""
        require_tokens("token_objective", shape)
        require_symbol("metrics.token_objective.symbol", self.symbol, shape)

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `objective` and `objective_real`."""
        worth = OBJECTIVES[self.objective]
        sides = {"objective": comparison.generated, "objective_real": comparison.real}
        padded = are_padded(comparison.shape)
        return {
            name: float(worth(tokens_of(side), self.symbol, padded).double().mean()) for name, side in sides.items()
        }
