"""Options of the configuration's groups, as their YAML files say them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CONF = Path(__file__).parents[2] / "conf"


@dataclass(frozen=True)
class Option:
    """One file, `conf/<group>/<name>.yaml`.

    Attributes:
        group: the group it is an option of.
        name: its name.
        comment: what its first comment says, on one line.
        package: where its settings lie in the configuration; empty for the root.
        content: its settings.
        notes: the comments that stand behind settings, by the setting's own name.
        text: the file without what is above its settings.
    """

    group: str
    name: str
    comment: str
    package: str
    content: dict[str, Any]
    notes: dict[str, str]
    text: str


def options(group: str) -> list[Option]:
    """Return the options of a group."""
    return [read(path) for path in sorted((CONF / group).glob("*.yaml"))]


def groups() -> list[str]:
    """Return the groups that have options, without Hydra's own."""
    return sorted({path.parent.name for path in CONF.glob("*/*.yaml")} - {"hydra"})


def read(path: Path) -> Option:
    """Return the option of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = 0
    comment, package = [], path.parent.name
    while head < len(lines) and lines[head].startswith("#"):
        said = lines[head].lstrip("#").strip()
        if said.startswith("@package"):
            package = said.removeprefix("@package").strip().replace("_global_", "")
        else:
            comment.append(said)
        head += 1
    notes = {}
    for line in lines[head:]:
        found = re.match(r"\s*(\w+):.*?\s#\s*(.*)$", line)
        if found:
            notes.setdefault(found[1], found[2].strip())
    content = yaml.safe_load("\n".join(lines)) or {}
    return Option(
        path.parent.name, path.stem, " ".join(comment).strip(), package, content, notes, "\n".join(lines[head:]).strip()
    )


def flat(content: Mapping[str, Any], lead: str = "") -> dict[str, Any]:
    """Return nested settings by their paths, without the choices of other groups and the names of plugins."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        path = f"{lead}.{key}" if lead else str(key)
        if key in ("defaults", "name"):
            continue
        found |= flat(value, path) if isinstance(value, dict) and value else {path: value}
    return found


def written(value: Any) -> str:
    """Return a value as it is written on the command line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return f"{value:g}" if isinstance(value, float) and value.is_integer() is False else str(value)


def cell(text: str) -> str:
    """Return a text that may stand in a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ").strip()


def with_links(text: str) -> str:
    """Return a text in which papers on arXiv are links."""
    return re.sub(r"arXiv[ :](\d{4}\.\d{4,5}|[\w-]+/\d{7})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)
