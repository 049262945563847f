"""What each swept setting does by itself: main effects of an additive model of the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gan_framework.compare.statistics import Difference, adjusted_difference

MOST_LEVELS = 200
"""Values of all settings together; beyond, nothing is fitted."""


class Level(NamedTuple):
    """A value of a setting.

    Attributes:
        value: as runs have it; empty where they do not have the setting.
        difference: how far scores with it lie above those with the setting's best value; None for the best.
    """

    value: str
    difference: Difference | None


class Effects(NamedTuple):
    """The main effects of several settings.

    Attributes:
        levels: the values of each setting, the best first.
        inseparable: settings whose values change together with those of others, so that nothing is known of them.
        interaction: p that the settings' effects add up (F test of the model against the seeds' own spread); None where
            that cannot be tested.
    """

    levels: dict[str, list[Level]]
    inseparable: list[str]
    interaction: float | None


def main_effects(settings: Sequence[Mapping[str, str]], scores: Sequence[float], higher_is_better: bool) -> Effects:
    """Fit scores by a sum of one number for each setting's value, by least squares, and compare the values.

    Args:
        settings: of each run; what differs between any two of them is a factor.
        scores: of each run.
        higher_is_better: their direction.

    Returns:
        Effects, whose intervals hold for all pairs of a setting's values together (Tukey and Kramer); no levels where
        fewer than two settings differ, or where there are too few runs.
    """
    import numpy as np

    names = list(dict.fromkeys(name for one in settings for name in one))
    values = {name: list(dict.fromkeys(one.get(name, "") for one in settings)) for name in names}
    factors = [name for name in names if len(values[name]) > 1]
    if len(factors) < 2 or sum(len(values[name]) for name in factors) > MOST_LEVELS:
        return Effects({}, [], None)

    columns, rank, inseparable = [np.ones(len(scores))], 1, []
    places: dict[str, int] = {}
    for name in factors:
        own = [np.array([float(one.get(name, "") == value) for one in settings]) for value in values[name][1:]]
        if np.linalg.matrix_rank(np.stack([*columns, *own], 1)) == rank + len(own):
            places[name] = rank
            columns, rank = columns + own, rank + len(own)
        else:
            inseparable.append(name)
    freedom = len(scores) - rank
    if freedom < 1 or len(places) < 2:
        return Effects({}, inseparable, None)

    design, y = np.stack(columns, 1), np.asarray(scores, dtype=float)
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ design.T @ y
    residual = float(((y - design @ found) ** 2).sum())
    spread = residual / freedom
    levels = {}
    for name, start in places.items():
        effects = [0.0, *(float(one) for one in found[start : start + len(values[name]) - 1])]
        order = sorted(range(len(effects)), key=lambda i: -effects[i] if higher_is_better else effects[i])  # noqa: B023
        best, levels[name] = order[0], [Level(values[name][order[0]], None)]
        for i in order[1:]:
            contrast = np.zeros(rank)
            for place, sign in ((i, 1.0), (best, -1.0)):
                if place:
                    contrast[start + place - 1] += sign
            error = float(contrast @ inverse @ contrast * spread) ** 0.5
            difference = adjusted_difference(effects[i] - effects[best], error, freedom, len(effects))
            levels[name].append(Level(values[name][i], difference))
    return Effects(levels, inseparable, _interaction(settings, y, residual, freedom))


def _interaction(settings: Sequence[Mapping[str, str]], y: Any, residual: float, freedom: int) -> float | None:
    """Return p of what the additive model leaves over, measured by the spread of runs with all settings alike."""
    import numpy as np
    from scipy.stats import f

    cells: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for one, score in zip(settings, y, strict=True):
        cells.setdefault(tuple(sorted(one.items())), []).append(float(score))
    pure = sum(float(((np.asarray(cell) - np.mean(cell)) ** 2).sum()) for cell in cells.values())
    pure_freedom = len(y) - len(cells)
    left_freedom = freedom - pure_freedom
    if pure_freedom < 1 or left_freedom < 1 or not pure > 0:
        return None
    return float(f.sf((residual - pure) / left_freedom / (pure / pure_freedom), left_freedom, pure_freedom))
