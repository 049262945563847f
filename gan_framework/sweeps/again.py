"""Whether a sweep can be resumed by what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gan_framework.errors import ConfigError
from gan_framework.storage import plain
from gan_framework.storage.layout import RunFolder
from gan_framework.sweeps import ending
from gan_framework.sweeps.naming import concerns_sweep

RECORD = "multirun.yaml"
"""What was asked for, in a sweep's folder."""


def check(folder: str, given: Sequence[str]) -> None:
    """See that `sweep.resume` names the folder of a sweep, and that the sweep's own command is repeated with it.

    Args:
        folder: the setting's value.
        given: the overrides that were typed.

    Raises:
        ConfigError: there is no such folder, it is a run's, or nothing says what is swept: the defaults would be
            trained in the sweep's folder.
    """
    path = Path(folder)
    if not path.is_dir():
        raise ConfigError(f"sweep.resume={folder}: no such folder; hydra.sweep.dir=DIR starts a new sweep")
    if RunFolder(path).config.is_file():
        raise ConfigError(f"sweep.resume={folder} is the folder of a single run: `gan-framework resume {folder}`")
    if any(not concerns_sweep(override) for override in given) or not (path / RECORD).exists():
        return
    recorded = _recorded(path)
    if recorded:
        again = ending.command([*ending.TYPED, *recorded], path)
        raise ConfigError(f"sweep.resume={folder} says where, not what is swept: repeat the sweep's command, {again}")


def command(folder: Path) -> str:
    """Return the command that goes on with the sweep of a folder, as far as the folder says what is swept."""
    recorded = _recorded(folder) if (folder / RECORD).is_file() else []
    return ending.command(["gan-framework train", "-m", *(recorded or ["..."])], folder)


def _recorded(folder: Path) -> list[str]:
    """Return the overrides that a sweep was started with, except where it lies."""
    hydra: Any = plain.read_yaml(folder / RECORD, folder).get("hydra")
    overrides = hydra.get("overrides") if isinstance(hydra, Mapping) else None
    if not isinstance(overrides, Mapping):
        return []
    found = [str(one) for part in ("hydra", "task") for one in overrides.get(part) or ()]
    apart = ("hydra.mode=", "hydra.sweep.dir=")
    return [one for one in found if not one.startswith(apart) and not concerns_sweep(one)]
