"""The options of configuration groups: what each says of itself, and what it chooses of other groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gan_framework.registry.defaults import OWN
from gan_framework.registry.packages import config_folder, config_packages


@dataclass(frozen=True)
class Option:
    """An option of a group.

    Attributes:
        group: the group, `experiment`.
        name: the option, `wgan_gp`.
        distribution: the distribution that it comes from.
        file: its file.
    """

    group: str
    name: str
    distribution: str
    file: Path

    @property
    def summary(self) -> str:
        """The comment at the top of the file, in one line."""
        lines = []
        for line in self.file.read_text(encoding="utf-8", errors="replace").splitlines():
            if not line.startswith("#"):
                break
            if not line.startswith("# @package"):
                lines.append(line.lstrip("# "))
        return " ".join(lines)

    @property
    def content(self) -> dict[str, Any]:
        """What is in the file, without what it chooses; nothing if it cannot be read."""
        return {key: value for key, value in _read(self.file).items() if key != "defaults"}

    def chosen(self, group: str) -> list[str]:
        """Return the options that this one chooses of another group: `override /strategy: [a, b]`, `/term/r1`."""
        found: list[str] = []
        for entry in _read(self.file).get("defaults") or []:
            if isinstance(entry, str):
                place, _, name = entry.lstrip("/").rpartition("/")
                found += [name] if entry.startswith("/") and place == group else []
            elif isinstance(entry, dict):
                for key, value in entry.items():
                    if str(key).removeprefix("override ").strip() == f"/{group}" and value is not None:
                        found += map(str, value if isinstance(value, list) else [value])
        return found

    def base(self) -> Option | None:
        """Return the option of the same group that this one begins with, if there is one."""
        entries = [entry for entry in _read(self.file).get("defaults") or [] if isinstance(entry, str)]
        found = (find(self.group, entry) for entry in entries if entry != "_self_" and not entry.startswith("/"))
        return next((option for option in found if option is not None), None)


def options_of(group: str) -> Iterator[Option]:
    """Yield the options of a group by name; of those of one name the first that Hydra would find."""
    folders = [(OWN, config_folder())]
    folders += [(package.distribution, folder) for package in config_packages() for folder in package.folders]
    found: dict[str, Option] = {}
    for distribution, folder in folders:
        for file in sorted((folder / group).glob("*.yaml")):
            found.setdefault(file.stem, Option(group, file.stem, distribution, file))
    yield from (found[name] for name in sorted(found))


def find(group: str, name: str) -> Option | None:
    """Return an option; None if there is none of the name."""
    return next((option for option in options_of(group) if option.name == name), None)


@cache
def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):  # Hydra reports it when it is chosen
        return {}
    return content if isinstance(content, dict) else {}
