"""The folder of a new run: runs that start in the same second get one each."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

MOST = 10_000
"""Folders of one name, told apart by a number."""


class NewFolder(Callback):
    """Claims the folder of a single run as it starts, before anything is written there.

    Only `${new_folder:...}`, the default of `hydra.run.dir`, is claimed: whoever names a folder means that one. What
    only shows the configuration makes no folder, for there the resolver returns what it is given.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Put the claimed folder in the place of the wanted one."""
        if "${new_folder:" in str(OmegaConf.to_container(config.hydra.run, resolve=False)):
            config.hydra.run.dir = claimed(config.hydra.run.dir)


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
