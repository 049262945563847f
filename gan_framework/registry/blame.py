"""Whose fault an unforeseen error is: the plugin of another distribution whose code was at work."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from gan_framework.registry.kinds import KINDS
from gan_framework.registry.packages import owner, registered

OWN = ("gan_framework", "gan_zoo")
"""The framework's own packages, of whose errors it does not say that they are somebody's."""


@dataclass(frozen=True)
class Fault:
    """Where the code of a plugin's distribution was when an error came up.

    Attributes:
        place: the distribution, file, line and function, for the end of a sentence.
        frames: the calls from the plugin's first one on, as a traceback shows them.
    """

    place: str
    frames: str


def fault(error: BaseException) -> Fault | None:
    """Return where the code of a plugin of another distribution was when an error came up; None if none was at work."""
    frames = [*traceback.walk_tb(error.__traceback__)]
    found = [(i, name) for i, (frame, _) in enumerate(frames) if (name := _owner(frame.f_globals.get("__name__", "")))]
    if not found:
        return None
    last, distribution = found[-1]
    frame, line = frames[last]
    shown = traceback.StackSummary.extract(iter(frames[found[0][0] :]))
    code = frame.f_code
    return Fault(
        f"{distribution}: {code.co_filename}, line {line}, in {code.co_name}", "".join(shown.format()).rstrip("\n")
    )


def own_place(error: BaseException) -> str | None:
    """Return the file and line of the framework's own at which an error came up; None if there is none."""
    own = [(f, line) for f, line in traceback.walk_tb(error.__traceback__) if _is_own(f.f_globals.get("__name__", ""))]
    return f"{own[-1][0].f_code.co_filename}, line {own[-1][1]}" if own else None


def _is_own(module: str) -> bool:
    return module.partition(".")[0] in OWN and module != "gan_framework.cli.exit_codes"


def _owner(module: str) -> str | None:
    """Return the distribution, with its version, of which a module is that holds plugins, unless it is our own."""
    return _packages().get(module.partition(".")[0])


def _packages() -> dict[str, str]:
    points = [point for kind in KINDS.values() for point in registered(kind.entry_points)]
    tops = {point.value.partition(":")[0].partition(".")[0]: point for point in points}
    return {top: " ".join(owner(point)) for top, point in tops.items() if top not in OWN}
