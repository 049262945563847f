"""A distribution's pyproject.toml, as far as its entry points are concerned: read, and edited line by line."""

from __future__ import annotations

import re
from pathlib import Path

from gan_framework.errors import ConfigError
from gan_framework.storage import files

GROUP = "gan_framework."

_HEADER = re.compile(r"""^\s*\[\s*project\s*\.\s*entry-points\s*\.\s*["']?(?P<group>[\w.-]+?)["']?\s*\]\s*(#.*)?$""")
_TABLE = re.compile(r"^\s*\[")
_ENTRY = re.compile(r"""^\s*["']?(?P<name>[\w.-]+)["']?\s*=\s*(?P<quote>["'])(?P<value>[^"']*)(?P=quote)\s*(#.*)?$""")
_NOTE = re.compile(r"^\s*(#.*)?$")
_OTHERWISE = re.compile(r"^[\s\[]*(project\s*\.\s*)?entry-points\b")


class Pyproject:
    """The tables `[project.entry-points."gan_framework.<kind>"]` of a pyproject.toml; all else in it stays as it is.

    Attributes:
        path: the file.
        entries: the entry points by group and name.

    Args:
        folder: the distribution's folder.

    Raises:
        ConfigError: there is no such file, or it states entry points in a form that is not understood.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "pyproject.toml"
        try:
            with self.path.open(encoding="utf-8", newline="") as file:  # so that the ends of lines stay as they are
                self._lines = file.read().splitlines(keepends=True)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--into {folder}: {self.path} cannot be read: {error}") from error
        self.entries: dict[str, dict[str, str]] = {}
        self._last: dict[str, int] = {}  # the line of each table's last entry, or of its header
        self._read()

    def _read(self) -> None:
        group: str | None = None
        for number, line in enumerate(self._lines):
            header, entry = _HEADER.match(line.rstrip("\r\n")), _ENTRY.match(line.rstrip("\r\n"))
            if header is not None:
                group = header["group"]
                self.entries[group] = {}
                self._last[group] = number
            elif group is None or _TABLE.match(line):
                group = None
                self._refuse_if(_OTHERWISE.match(line) is not None, number)
            elif entry is not None:
                self.entries[group][entry["name"]] = entry["value"]
                self._last[group] = number
            else:
                self._refuse_if(_NOTE.match(line.rstrip("\r\n")) is None, number)

    def _refuse_if(self, odd: bool, number: int) -> None:
        if odd:
            raise ConfigError(
                f"{self.path}, line {number + 1}: {self._lines[number].strip()!r} is not understood; entry points are "
                f'to stand in tables [project.entry-points."{GROUP}losses"] with a line name = "module:object" each'
            )

    def add(self, kind: str, name: str, value: str) -> None:
        """Add an entry point at the end of its group's table, or in a table of its own behind the last one.

        Args:
            kind: the group without `gan_framework.`.
            name: the entry point's name.
            value: what it stands for.

        Raises:
            ConfigError: the group has an entry point of that name.
        """
        group = GROUP + kind
        if name in self.entries.get(group, {}):
            raise ConfigError(f"{self.path} has a plugin {name!r} ({kind}) already: choose another name")
        end = "\r\n" if self._lines and self._lines[0].endswith("\r\n") else "\n"
        new = f'{name} = "{value}"{end}'
        at = self._last[group] if group in self._last else max(self._last.values())
        if not self._lines[at].endswith("\n"):
            self._lines[at] += end
        lines = [new] if group in self._last else [end, f'[project.entry-points."{group}"]{end}', new]
        self._lines[at + 1 : at + 1] = lines
        self.entries.clear()
        self._last.clear()
        self._read()

    def write(self) -> None:
        """Write the file."""
        with files.atomic(self.path) as file:
            file.write("".join(self._lines).encode())
