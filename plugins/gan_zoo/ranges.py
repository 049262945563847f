"""Ranges in which settings must lie: a number outside is refused with the name of its setting."""

from __future__ import annotations


def require_positive(**settings: float) -> None:
    """Raise ValueError, naming it, for a setting that is not at least 1."""
    for name, value in settings.items():
        if not value >= 1:
            raise ValueError(f"{name}={value}: it must be at least 1")


def require_above_zero(**settings: float) -> None:
    """Raise ValueError, naming it, for a setting that is not above 0, or no number."""
    for name, value in settings.items():
        if not value > 0:
            raise ValueError(f"{name}={value}: it must be positive")


def require_not_negative(**settings: float) -> None:
    """Raise ValueError, naming it, for a setting that is below 0, or no number."""
    for name, value in settings.items():
        if not value >= 0:
            raise ValueError(f"{name}={value}: it cannot be negative")


def require_below_one(**settings: float) -> None:
    """Raise ValueError, naming it, for a setting that is not in [0, 1): a probability of dropout, a decay."""
    for name, value in settings.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name}={value}: it must be at least 0 and below 1")


def require_share(**settings: float) -> None:
    """Raise ValueError, naming it, for a setting that is not in (0, 1]: a share of a batch, or of a size."""
    for name, value in settings.items():
        if not 0 < value <= 1:
            raise ValueError(f"{name}={value}: it must be above 0 and at most 1")


def require_probability(**settings: float) -> None:
    """Raise ValueError, naming it, for a setting that is not in [0, 1]."""
    for name, value in settings.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name}={value}: it must lie between 0 and 1")
