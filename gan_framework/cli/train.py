"""The command line of a run: Hydra composes the configuration, then one run or a sweep starts."""

from __future__ import annotations

import logging
import os
import sys
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
from gan_framework.cli import help
from gan_framework.cli.exit_codes import exit_code
from gan_framework.config.compose import readable
from gan_framework.config.explain import explain
from gan_framework.errors import ConfigError, GanFrameworkError
from gan_framework.registry.packages import config_folder
from gan_framework.storage import secrets


def task(config: DictConfig) -> float | None:
    """Run one job of Hydra's and return its best score."""
    global _begun
    _begun = True
    hydra_config = HydraConfig.get()
    # How a sweep goes on is nothing of the run's.
    settings = config.sweep
    with open_dict(config):
        del config["sweep"]
    if hydra_config.mode == RunMode.MULTIRUN:
        from gan_framework.sweeps.job import run_job

        secrets.refuse_settings(OmegaConf.to_container(config, resolve=False))
        return run_job(config, cast(DictConfig, hydra_config), settings)
    # Imported here: `--help`, `--cfg job` and tab completion need no torch.
    from gan_framework.runs.launch import launch

    try:
        secrets.refuse_settings(OmegaConf.to_container(config, resolve=False))
        if settings.resume is not None:
            raise ConfigError(f"sweep.resume={settings.resume} needs -m; a single run is resumed by hydra.run.dir")
        return launch(config, Path(hydra_config.runtime.output_dir), list(hydra_config.overrides.task))
    except Exception as error:  # Hydra would print the overrides, secrets among them, before handing it on
        _failures.append(error)
        return None


MULTIRUN = ("-m", "--multirun")
"""What Hydra reads only where no override stands before it; here it may stand anywhere."""

_begun = False
"""Whether this process has begun with a run: what went wrong before was the request."""

_failures: list[Exception] = []
"""What the single run of this process has failed of."""


def train() -> int:
    """Run the command line and return its exit code; a user's mistake shows no traceback."""
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:  # torchrun has started several processes
        from gan_framework.runs.workers import together

        return exit_code(lambda: together(_train))
    return exit_code(_train)


def _train() -> None:
    global _begun
    _begun = False
    full = os.environ.get("HYDRA_FULL_ERROR")
    # Makes Hydra hand on errors instead of printing them and ending the process with code 1.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    logging.raiseExceptions = False  # a log that cannot be written is no reason for a traceback on stderr
    sys.argv[1:] = map(readable, sorted(sys.argv[1:], key=lambda argument: argument not in MULTIRUN))
    try:
        secrets.refuse(sys.argv[1:])
        if {"-h", "--help"} & set(sys.argv[1:]):
            print(help.text([argument for argument in sys.argv[1:] if not argument.startswith("-")]))
            return
        hydra.main(version_base="1.3", config_path=str(config_folder()), config_name="config")(task)()
        if _failures:
            raise _failures.pop()
    except GanFrameworkError:
        raise
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error)) from error
    except OSError as error:  # a run's own are known by now; this is about the folder that Hydra made for it
        raise ConfigError(f"the run's folder cannot be used: {error}") from error
    except Exception as error:
        if _begun:
            raise
        # Before a run has begun all is about the request; Hydra has no types of its own for some mistakes in it.
        raise ConfigError(f"the request cannot be composed: {explain(error)}") from error
    finally:
        if full is None:
            os.environ.pop("HYDRA_FULL_ERROR")
        else:
            os.environ["HYDRA_FULL_ERROR"] = full
