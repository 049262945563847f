"""Hydra, at work on this project's configurations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import hydra
from hydra.core.global_hydra import GlobalHydra

from gan_framework.registry.packages import config_folder


@contextmanager
def hydra_at_work() -> Iterator[None]:
    """Have Hydra find the configurations; in a job of its own it is at work, and finds all it has found for the job."""
    if GlobalHydra.instance().is_initialized():
        yield
        return
    with hydra.initialize_config_dir(str(config_folder()), version_base="1.3"):
        yield
