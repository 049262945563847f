"""Names that somebody may have meant: those that are near to what was typed, and none where none is."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable

MOST = 3
"""So many names are proposed."""

VERY_LIKE = 0.75
"""Names this much alike (0 to 1) are near ..."""

LIKE = 0.6
"""... and names that begin alike, from here on."""

SHORTEST = 3
"""Characters of a part that counts for the whole, and of names in which a slip can be told."""

MEANT_BY_ALL = re.compile(r"gans?|[\W_]")
"""What half of the names here have in common, which makes no two of them alike."""


def near(name: str, among: Iterable[str]) -> list[str]:
    """Return the names that are near to one, the nearest first, at most three; none if all are of another kind.

    That both end in `gan` counts for nothing: `animegan` is not near to `timegan`. A slip of the finger is near
    wherever it lies: `dcgna` is near to `dcgan`.

    Args:
        name: what was typed.
        among: the names that there are.
    """
    found = [one for one in sorted(set(among)) if _are_near(name, one)]
    return difflib.get_close_matches(name, found, n=MOST, cutoff=0.0)


def _are_near(one: str, other: str) -> bool:
    if min(len(one), len(other)) >= SHORTEST and _is_slip(one.lower(), other.lower()):
        return True
    one, other = _stem(one), _stem(other)
    if min(len(one), len(other)) >= SHORTEST and (one in other or other in one):
        return True
    alike = difflib.SequenceMatcher(None, one, other).ratio()
    return alike >= VERY_LIKE or (alike >= LIKE and one[:1] == other[:1])


def _is_slip(one: str, other: str) -> bool:
    """Return whether two names differ by a letter too many, another letter, or two neighbours that changed places."""
    same = len(os.path.commonprefix([one, other]))
    one, other = one[same:], other[same:]
    return one[1:] in (other, other[1:]) or one == other[1:] or (one[:2], one[2:]) == (other[1::-1], other[2:])


def _stem(name: str) -> str:
    lowered = name.lower()
    return MEANT_BY_ALL.sub("", lowered) or lowered
