"""A run of a system in small."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """A run and its figure.

    Attributes:
        page: the page it stands on.
        experiment: what is run.
        overrides: what makes it small, and what it is about.
        score: the figure, by the beginning of its name.
        control: the row that it is compared with, or a number; None for no comparison.
        says: what the figure is, and what the number is that it is compared with.
    """

    page: str
    experiment: str
    overrides: tuple[str, ...]
    score: str
    control: str | float | None
    says: str
