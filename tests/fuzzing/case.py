"""A case: what is asked of the program, and the files that it is asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def no_files(folder: Path) -> None:
    """Need none."""


@dataclass(frozen=True)
class Case:
    """A command line, and what has to lie in its folder before.

    Attributes:
        kind: what the case is about, for the count.
        arguments: of run.py; `{folder}` stands for the case's folder.
        prepare: writes the files of the case into its folder.
    """

    kind: str
    arguments: tuple[str, ...]
    prepare: Callable[[Path], None] = no_files

    def command(self, folder: Path) -> list[str]:
        """Return the whole command line of the case in a folder."""
        given = [argument.replace("{folder}", str(folder)) for argument in self.arguments]
        own = (
            [] if any(argument.startswith("hydra.run.dir=") for argument in given) else [f"hydra.run.dir={folder}/run"]
        )
        return ["run.py", *given, *own]
