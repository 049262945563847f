"""The index of known distributions with plugins, whether they are installed or not."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from gan_framework.errors import ConfigError
from gan_framework.registry import typecheck
from gan_framework.registry.kinds import KINDS

FILE = Path(__file__).with_name("index.yaml")
"""A pull request adds to it."""


@dataclass(frozen=True)
class Known:
    """A distribution that the index knows.

    Attributes:
        name: what `pip install` calls it.
        summary: what its plugins do, in one line.
        kinds: the kinds of its plugins.
        contract: the version of the plugin contract that it states.
        home: where it is described.
        install: the command that installs it.
    """

    name: str
    summary: str
    kinds: list[str]
    contract: int
    home: str
    install: str

    @property
    def installed(self) -> str | None:
        """Its version, if it is installed."""
        try:
            return metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return None


def known(text: str | None = None) -> list[Known]:
    """Return what an index holds, by name.

    Args:
        text: the index; None for the one in the repository.

    Raises:
        ConfigError: an entry has not the form that the index asks for; it says which.
    """
    content = yaml.safe_load(FILE.read_text(encoding="utf-8") if text is None else text)
    if not isinstance(content, list):
        raise ConfigError(f"{FILE.name} must be a list")
    found = sorted((_entry(one) for one in content), key=lambda one: one.name)
    for one, other in pairwise(found):
        if one.name == other.name:
            raise ConfigError(f"{FILE.name} has {one.name} twice")
    return found


def _entry(content: Any) -> Known:
    names = [one.name for one in fields(Known)]
    if not isinstance(content, dict) or sorted(content) != sorted(names):
        raise ConfigError(f"{FILE.name}: {content!r} must have {', '.join(names)}, and nothing else")
    where = f"{FILE.name}: {content['name']}"
    for key, kind in typecheck.wanted(Known).items():
        right = typecheck.misfit(content[key], kind) if key in content else None
        if right is not None:
            raise ConfigError(f"{where}: {key}={content[key]!r} must be {right}")
    unknown = [kind for kind in content["kinds"] if kind not in KINDS]
    if unknown or not content["kinds"]:
        raise ConfigError(f"{where}: kinds={content['kinds']}: choose of {', '.join(KINDS)}")
    if not content["home"].startswith("https://"):
        raise ConfigError(f"{where}: home={content['home']}: it must begin with https://")
    if "\n" in content["summary"] or not content["summary"].endswith("."):
        raise ConfigError(f"{where}: summary={content['summary']!r} must be one line, a sentence")
    return Known(**content)
