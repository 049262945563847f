"""Plays cases with the real program and says what is wrong."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

from tests.fuzzing import sandbox
from tests.fuzzing.case import Case

LIMIT = 60.0
"""Seconds after which a case is told to stop: what is asked for may rightly take long (`train.steps=100000`)."""

RIGHTLY_FAILS = (
    "is not finite",  # a wild learning rate or weight that a run has to be tried with
    "cannot be scored",
    "out of memory",
    "cannot be downloaded",
)
"""Parts of the reasons for which a run may end with code 1: the request could be right, and it failed."""


@dataclass
class Verdict:
    """What became of a case."""

    case: Case
    outcome: sandbox.Outcome
    faults: list[str]


def preload() -> None:
    """Import what runs import, so that a fork of this process has it; computes nothing, so that it can be forked."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import PIL.Image  # noqa: F401
    import sklearn.datasets  # noqa: F401
    import torchvision.utils  # noqa: F401

    import gan_framework.cli.train  # noqa: F401
    import gan_framework.runs.launch  # noqa: F401
    from gan_framework.registry import registry
    from gan_framework.registry.kinds import KINDS

    for kind in KINDS:
        for plugin in registry.installed(kind):
            plugin.load()


def play(case: Case, folder: Path, cache: Path, keep: bool = False) -> Verdict:
    """Play a case in a folder, which is made and, unless it is to be kept, deleted again."""
    from hydra._internal.hydra import Hydra
    from hydra.types import RunMode

    from gan_framework.cli.train import train

    folder.mkdir(parents=True)
    case.prepare(folder)
    known = {"run", "home", "tmp", ".said", ".wrote", *os.listdir(folder)}

    def program() -> int:
        warnings.simplefilter("ignore")
        # Hydra composes everything twice, the first time only to look whether `hydra.mode` is set.
        Hydra.get_mode = lambda self, config_name, overrides: RunMode.RUN  # type: ignore[method-assign]
        os.environ.update(GAN_FRAMEWORK_CACHE=str(cache), WANDB_MODE="offline")
        sys.argv = case.command(folder)
        return train()

    outcome = sandbox.run(program, folder, LIMIT, writable=(cache,))
    faults = outcome.faults(RIGHTLY_FAILS)
    if any(argument.startswith("hydra.") for argument in case.arguments):  # it asks for another folder
        faults = [fault for fault in faults if not fault.startswith("writes os.mkdir")]
    if list(folder.rglob("escaped")):
        faults.append("ran code of a file")
    strays = sorted({*os.listdir(folder)} - known)
    if strays and not any(argument.startswith("hydra.") for argument in case.arguments):
        faults.append(f"leaves {strays} beside the run's folder")
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return Verdict(case, outcome, faults)
