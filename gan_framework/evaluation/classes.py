"""Classes as users name them."""

from __future__ import annotations

from collections.abc import Sequence

from gan_framework.errors import ConfigError
from gan_framework.registry.near import MOST, near
from gan_framework.storage.text import few

SHOWN = 10
"""So many classes are named where it is not known which are meant."""


def class_numbers(wanted: Sequence[str | int], names: Sequence[str], setting: str = "--classes ") -> list[int]:
    """Return the numbers of classes that are named; by number only where that is no other class's name.

    Args:
        wanted: the classes, by name or by number.
        names: what the classes are called, in their order; empty where they have no names.
        setting: what stands before them in messages.

    Raises:
        ConfigError: there is no such class.
    """
    asked = [str(one) for one in wanted]
    numbers = {name: number for number, name in enumerate(names)}
    if not any(name.isdecimal() for name in names):
        numbers = {str(number): number for number in range(len(names))} | numbers
    unknown = [name for name in asked if (name not in numbers if names else not name.isdecimal())]
    if unknown:
        said = f"{setting}{','.join(asked)}: there is no class {', '.join(unknown)}"
        if not names:
            raise ConfigError(f"{said}; the classes have no names: write their numbers, 7,7,3")
        # Without regard to case, so that `Dog` finds dog and the other way round.
        folded = {name.casefold(): name for name in names}
        meant = [folded[name] for one in unknown for name in near(one.casefold(), folded)]
        if len(names) <= SHOWN or not meant:
            raise ConfigError(f"{said}; the classes are {', '.join(few([*names], SHOWN))}")
        raise ConfigError(f"{said}; the nearest are {', '.join([*dict.fromkeys(meant)][:MOST])}")
    return [numbers[name] if names else int(name) for name in asked]
