"""How often `gan-framework compare` calls equal groups different, and how often its intervals hold the truth.

    python benchmarks/significance.py [SIMULATIONS]

Scores are normal; each simulation draws all groups anew. Writes docs/results/significance.md.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from gan_framework.compare.statistics import differences, t_interval

PAGE = Path(__file__).parent.parent / "docs" / "results" / "significance.md"
SEEDS = (3, 5, 10)
GROUPS = (2, 4, 12)
SPREADS: dict[str, Callable[[int], Any]] = {
    "equal": lambda k: np.ones(k),
    "from 1 to 4": lambda k: np.linspace(1, 4, k),
    "half of them 4": lambda k: np.where(np.arange(k) < k // 2, 1.0, 4.0),
    "one collapsed, 100": lambda k: np.where(np.arange(k) < k - 1, 1.0, 100.0),
}
"""The deviations of k groups."""


def simulated(seeds: int, groups: int, spread: str, simulations: int) -> tuple[float, float, float]:
    """Return the share of simulations with a false alarm, with all differences held, and with the first mean held."""
    deviations = SPREADS[spread](groups)
    random = np.random.default_rng([seeds, groups, *spread.encode()])
    alarms = held = means = 0
    for _ in range(simulations):
        scores = [list(random.normal(0, deviation, seeds)) for deviation in deviations]
        best = min(range(groups), key=lambda i: np.mean(scores[i]))
        found = [one for one in differences(scores, best, False) if one is not None]
        alarms += any(one.sure for one in found)
        held += all(one.low <= 0 <= one.high for one in found)
        interval = t_interval(scores[0])
        assert interval is not None
        means += interval.low <= 0 <= interval.high
    return alarms / simulations, held / simulations, means / simulations


def main() -> None:
    """Simulate, and write the page."""
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    lines = [
        "# How often a verdict is wrong",
        "",
        f"Written by `python benchmarks/significance.py {simulations}`: {simulations:,} simulations a line of groups",
        "whose true means are equal. A false alarm is any group that is called different from the best; 5% is what is",
        f"asked for, and a share of 5% is measured to ± {196 * math.sqrt(0.05 * 0.95 / simulations):.1f} points. The",
        "intervals of the differences hold for all groups at once, so they are wider than needed where the two tests",
        "disagree; the interval of a mean is Student's.",
        "",
        "| seeds | groups | deviations | false alarms | all differences held | the first mean held |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for seeds, groups, spread in product(SEEDS, GROUPS, SPREADS):
        alarm, held, means = simulated(seeds, groups, spread, simulations)
        lines.append(f"| {seeds} | {groups} | {spread} | {alarm:.1%} | {held:.1%} | {means:.1%} |")
        print(lines[-1], flush=True)
    PAGE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
