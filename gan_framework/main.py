"""The command line of a run: Hydra composes the configuration, then one run or a sweep starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

import gan_framework.schema  # noqa: F401 (registers the schema)
import gan_framework.sweeps.naming  # noqa: F401 (registers the resolvers)
from gan_framework import help
from gan_framework.composition_errors import explain
from gan_framework.configs import config_folder
from gan_framework.errors import ConfigError, exit_code


def task(config: DictConfig) -> float | None:
    """Run one job of Hydra's and return its best score."""
    hydra_config = HydraConfig.get()
    # How a sweep goes on is nothing of the run's.
    settings = config.sweep
    with open_dict(config):
        del config["sweep"]
    if hydra_config.mode == RunMode.MULTIRUN:
        from gan_framework.sweeps.job import run_job

        return run_job(config, cast(DictConfig, hydra_config), settings)
    if settings.resume is not None:
        raise ConfigError(f"sweep.resume={settings.resume} needs -m; a single run is resumed by hydra.run.dir")
    # Imported here: `--help`, `--cfg job` and tab completion need no torch.
    from gan_framework.launch import launch

    return launch(config, Path(hydra_config.runtime.output_dir), list(hydra_config.overrides.task))


def train() -> int:
    """Run the command line and return its exit code; a user's mistake shows no traceback."""
    return exit_code(_train)


def _train() -> None:
    full = os.environ.get("HYDRA_FULL_ERROR")
    # Makes Hydra hand on errors instead of printing them and ending the process with code 1.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        if {"-h", "--help"} & set(sys.argv[1:]):
            print(help.text([argument for argument in sys.argv[1:] if not argument.startswith("-")]))
            return
        hydra.main(version_base="1.3", config_path=str(config_folder()), config_name="config")(task)()
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error)) from error
    except ValueError as error:
        if "Config group override" in str(error):  # Hydra has no type of its own for this one
            raise ConfigError(explain(error)) from error
        raise
    finally:
        if full is None:
            os.environ.pop("HYDRA_FULL_ERROR")
        else:
            os.environ["HYDRA_FULL_ERROR"] = full
