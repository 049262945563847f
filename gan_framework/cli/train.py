"""The command line of a run: Hydra composes the configuration, then one run or a sweep starts."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

import gan_framework.config.schema  # noqa: F401 (registers the schema)
import gan_framework.sweeps.naming  # noqa: F401 (registers the resolvers)
from gan_framework.cli import completing, help
from gan_framework.cli.exit_codes import exit_code
from gan_framework.cli.hydra_arguments import MULTIRUN, SHOWS, prepared, with_chosen, without_file
from gan_framework.cli.processes import world
from gan_framework.config import run_folder, saved
from gan_framework.config.explain import explain
from gan_framework.errors import ConfigError, GanFrameworkError, in_words
from gan_framework.registry.packages import config_folder, leave_out_malformed
from gan_framework.storage import secrets
from gan_framework.sweeps import ending

log = logging.getLogger(__name__)

Start = Callable[[DictConfig, Path, list[str]], float | None]
"""Starts a single run: its configuration, its folder, the overrides."""


def start(config: DictConfig, folder: Path, overrides: list[str]) -> float | None:
    """Start a single run and return its best score."""
    # Imported here: `--help`, `--cfg job` and tab completion need no torch.
    from gan_framework.runs.launch import launch

    return launch(config, folder, overrides)


def task(config: DictConfig, start: Start = start) -> float | None:
    """Run one job of Hydra's and return its best score."""
    global _begun
    _begun = True
    leave_out_malformed(said=True)  # in a worker process; the sweep has named them
    hydra_config = HydraConfig.get()
    # How a sweep goes on is nothing of the run's.
    settings = config.sweep
    with open_dict(config):
        del config["sweep"]
    if hydra_config.mode == RunMode.MULTIRUN:
        from gan_framework.sweeps.job import run_job

        secrets.refuse_settings(OmegaConf.to_container(config, resolve=False))
        return run_job(config, cast(DictConfig, hydra_config), settings)
    try:
        secrets.refuse_settings(OmegaConf.to_container(config, resolve=False))
        if settings.resume is not None:
            raise ConfigError(f"sweep.resume={settings.resume} needs -m; resume a single run with gan-framework resume")
        for override in hydra_config.overrides.task:
            if re.match(r"\+?search=(?!null)", override):
                raise ConfigError(f"{override}: a search needs -m, or nothing is searched: -m {override}")
        return start(config, Path(hydra_config.runtime.output_dir), list(hydra_config.overrides.task))
    except Exception as error:  # Hydra would print the overrides, secrets among them, before handing it on
        _failures.append(error)
        return None


_begun = False
"""Whether this process has begun with a run: what went wrong before was the request."""

_failures: list[Exception] = []
"""What the single run of this process has failed of."""


def train() -> int:
    """Run the command line and return its exit code; a user's mistake shows no traceback."""
    return in_processes(_train)


def in_processes(work: Callable[[], None]) -> int:
    """Do the work of a command that starts runs, in the first of several processes, and return its exit code."""
    return exit_code(lambda: _in_processes(work))


def _in_processes(work: Callable[[], None]) -> None:
    if world() == 1:
        work()
        return
    from gan_framework.runs.workers import together

    together(work)


def _train() -> None:
    if "--version" in sys.argv[1:]:
        print(f"gan-framework {version('gan-framework')}")
        return
    ending.TYPED[:] = sys.argv
    arguments, file = without_file(sys.argv[1:])
    if file is None:
        run_hydra(arguments)
        return
    saved.refuse_several_parts(arguments, str(file))
    config = saved.read(file)

    def again(composed: DictConfig, folder: Path, overrides: list[str]) -> float | None:
        log.info("with the configuration of %s", file.absolute())
        saved.warn_of_masked(config)
        return start(composed, folder, overrides)

    # From the start, whatever the run itself began from; its command, repeated, goes on in the new folder.
    run_hydra(arguments, saved.offer(config, {"resume": "auto", "resume_changed": False}), again)


def run_hydra(arguments: list[str], name: str = "config", start: Start = start) -> None:
    """Have Hydra compose a configuration and run its jobs.

    Args:
        arguments: of the command line: overrides and Hydra's flags.
        name: the configuration to compose from.
        start: starts a single run.

    Raises:
        ConfigError: the request was wrong.
        RunFailed: the run failed.
        RunStopped: the run was stopped and can be resumed.
    """
    try:
        _run_hydra(arguments, name, start)
    except ConfigError:
        run_folder.drop_refused()
        raise


def _run_hydra(arguments: list[str], name: str, start: Start) -> None:
    global _begun
    _begun = False
    logging.raiseExceptions = False  # a log that cannot be written is no reason for a traceback on stderr

    def job(config: DictConfig) -> float | None:
        return task(config, start)

    try:
        sys.argv[1:] = prepared(arguments)
        if {"-h", "--help"} & set(sys.argv[1:]):
            print(help.text([argument for argument in sys.argv[1:] if not argument.startswith("-")], name))
            return
        if SHOWS & set(sys.argv[1:]) and not {*MULTIRUN} & set(sys.argv[1:]):
            sys.argv[1:] = with_chosen(sys.argv[1:])
        with _errors_handed_on(), _shown() if SHOWS & set(sys.argv[1:]) else completing.of_hydra():
            hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=name)(job)()
        if _failures:
            raise _failures.pop()
    except GanFrameworkError:
        raise
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, arguments)) from error
    except BrokenPipeError:
        if _begun:
            raise
        # Nobody reads the help, or the configuration, any more.
    except OSError as error:  # a run's own are known by now; this is about the folder that Hydra made for it
        raise ConfigError(f"the run's folder cannot be used: {in_words(error)}") from error
    except Exception as error:
        if _begun:
            raise
        if isinstance(error.__cause__, OSError):  # of the log, which the standard library says as a wrong setting
            raise ConfigError(f"the run's folder cannot be used: {in_words(error.__cause__)}") from error
        # Before a run has begun all is about the request; Hydra has no types of its own for some mistakes in it.
        raise ConfigError(f"the request cannot be composed: {explain(error, arguments)}") from error


@contextlib.contextmanager
def _errors_handed_on() -> Iterator[None]:
    """Have Hydra hand on errors instead of printing them and ending the process with code 1."""
    full = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        if full is None:
            os.environ.pop("HYDRA_FULL_ERROR")
        else:
            os.environ["HYDRA_FULL_ERROR"] = full


@contextlib.contextmanager
def _shown() -> Iterator[None]:
    """Have Hydra show the configuration as a run has it: what is not chosen left out, secrets masked."""
    from hydra._internal.hydra import Hydra

    from gan_framework.config.unchosen import without_unchosen

    whole = Hydra.get_sanitized_cfg
    words = [word for argument in sys.argv for word in argument.split("=", 1)]
    part = next((word for flag, word in pairwise(words) if flag in ("-p", "--package")), "")

    def chosen(self: Hydra, cfg: DictConfig, cfg_type: str) -> DictConfig:
        overrides = list(cfg.hydra.overrides.task)
        shown = whole(self, cfg, cfg_type)
        if cfg_type != "hydra":
            shown = without_unchosen(shown, overrides)
        value = OmegaConf.select(shown, part, default=Ellipsis) if part not in ("", "_global_") else shown
        if value is Ellipsis:
            raise ConfigError(f"-p {part}: there is nothing at this place; the parts are {', '.join(map(str, shown))}")
        if value is None:  # which Hydra takes for nothing
            print("null")
            sys.exit(0)
        return shown

    Hydra.get_sanitized_cfg = chosen  # type: ignore[method-assign]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        Hydra.get_sanitized_cfg = whole  # type: ignore[method-assign]
        print(secrets.mask_settings(printed.getvalue()), end="")
