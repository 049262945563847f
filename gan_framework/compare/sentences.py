"""What a comparison says in sentences of its tests and of single settings' effects."""

from __future__ import annotations

from gan_framework.compare.effects import Effects, Level
from gan_framework.compare.verdict import Verdicts, deviating
from gan_framework.storage.text import brief, visible

SAID = 500
"""Characters of what runs say of themselves in a message."""

MOST_LEVELS_SAID = 6
"""Values of a setting whose effect is said in a sentence."""

INTERACTING = 0.05
"""Below this p, settings' effects do not add up."""


def tests_used(verdicts: Verdicts) -> str:
    """Say which tests call a difference significant."""
    first = "Tukey's test" if verdicts.question.baseline is None else "Dunnett's test"
    paired = verdicts.question.paired
    own = "that of each pair's differences" if paired else "Games and Howell's of each pair's own variances"
    adjusted = f", adjusted for {verdicts.comparisons} comparisons" if verdicts.comparisons > 1 else ""
    return f"{first} and {own} both have to call a difference significant; intervals are of 95%{adjusted}"


def effect(name: str, levels: list[Level]) -> str:
    """Say which value of a setting is the best, and by how much others are worse."""
    best, *others = levels
    said = []
    for level in others[:MOST_LEVELS_SAID]:
        found = level.difference
        assert found is not None
        ends = sorted((found.low, found.high)) if found.estimate >= 0 else sorted((-found.low, -found.high))
        ends_said = f"({deviating(ends[0])} to {deviating(ends[1])})"
        worse = f"worse by {deviating(abs(found.estimate))} {ends_said}"
        said.append(f"{_valued(level)} {worse}{'' if found.sure else ', not significant'}")
    more = f"; and {len(others) - MOST_LEVELS_SAID} more" if len(others) > MOST_LEVELS_SAID else ""
    return f"{brief(visible(name), SAID)}: {_valued(best)} is the best; {'; '.join(said)}{more}"


def _valued(level: Level) -> str:
    return brief(visible(level.value), SAID) or "not set"


def resting_on(effects: Effects) -> str:
    """Say what sentences of effects rest on, and what they leave out."""
    said = "these effects of single settings are averages over the others' values, with 95% intervals (Tukey)"
    if effects.interaction is not None and effects.interaction < INTERACTING:
        said += f", and the settings interact (p = {effects.interaction:.2g}): what is best depends on the others"
    if effects.inseparable:
        said += f"; {brief(visible(', '.join(effects.inseparable)), SAID)} changes together with them"
    return said
