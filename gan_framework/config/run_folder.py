"""The folder of a new run or sweep: those that start in the same second get one each, a refused request leaves none."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

MOST = 10_000
"""Folders of one name, told apart by a number."""


LEFT_BY_REFUSED = ("run.log", "summary.json", "config.yaml", "multirun.yaml", "runs.json", ".owner", ".lock", ".run_id")
"""What a request has written into its folder when it is refused: the reason is said, so none of it is of use."""

_claimed: list[Path] = []
"""The folders that this process has claimed."""


class NewFolder(Callback):
    """Claims the folder of a run or a sweep as it starts, before anything is written there.

    Only `${new_folder:...}`, the default of `hydra.run.dir` and `hydra.sweep.dir`, is claimed: whoever names a folder
    means that one. What only shows the configuration makes no folder, for there the resolver returns what it is given.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Put the claimed folder in the place of the wanted one."""
        if "${new_folder:" in str(OmegaConf.to_container(config.hydra.run, resolve=False)):
            config.hydra.run.dir = _claim(config.hydra.run.dir)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Put the claimed folder in the place of the wanted one, for the jobs too; a sweep that goes on has its own."""
        written = str(OmegaConf.to_container(config.hydra.sweep, resolve=False))
        if config.sweep.resume is None and "${new_folder:" in written:
            config.hydra.sweep.dir = _claim(config.hydra.sweep.dir)
            # Each job's configuration is composed anew.
            config.hydra.overrides.hydra.append(f"hydra.sweep.dir='{config.hydra.sweep.dir}'")


def drop_refused() -> None:
    """Delete the folders that were claimed for a request that has been refused, if they hold nothing of a run."""
    for folder in _claimed:
        with suppress(OSError):
            if folder.is_symlink() or not {entry.name for entry in folder.iterdir()} <= {*LEFT_BY_REFUSED}:
                continue
            for name in LEFT_BY_REFUSED:
                (folder / name).unlink(missing_ok=True)
            for empty in (folder, *list(folder.parents)[:-1][:2]):
                empty.rmdir()
    _claimed.clear()


def _claim(folder: str) -> str:
    found = claimed(folder)
    _claimed.append(Path(found))
    return found


def claimed(folder: str) -> str:
    """Make a folder that nobody else has, and return it: the wanted one or, where there is one, NAME-2, NAME-3, ...

    Trouble with making it is left to the one who writes there.
    """
    with suppress(OSError):
        os.makedirs(os.path.dirname(folder) or ".", exist_ok=True)
        for number in range(1, MOST):
            name = folder if number == 1 else f"{folder}-{number}"
            with suppress(FileExistsError):
                os.mkdir(name)
                return name
    return folder


OmegaConf.register_new_resolver("new_folder", lambda folder: folder, replace=True)
