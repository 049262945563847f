"""The command line of a run: Hydra composes the configuration, then one run or a sweep starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

import gan_framework.schema  # noqa: F401 (registers the schema)
from gan_framework.errors import GanFrameworkError


def config_folder() -> Path:
    """Return the folder of the configuration files: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def task(config: DictConfig) -> float | None:
    """Run one job of Hydra's and return its best score."""
    # Imported here: `--help`, `--cfg job` and tab completion need no torch.
    from gan_framework.launch import launch

    job = HydraConfig.get()
    sweep = Path(job.sweep.dir).name if job.mode.name == "MULTIRUN" else None
    return launch(config, Path(job.runtime.output_dir), list(job.overrides.task), sweep)


def train() -> int:
    """Run the command line and return its exit code; a user's mistake shows no traceback."""
    full = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Makes Hydra hand on errors instead of printing them and ending the process with code 1.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        hydra.main(version_base="1.3", config_path=str(config_folder()), config_name="config")(task)()
    except GanFrameworkError as error:
        code, reason = error.exit_code, str(error)
    except (HydraException, OmegaConfBaseException) as error:
        code, reason = 2, str(error)
    except Exception as error:
        code, reason = 1, f"{type(error).__name__}: {error}"
    else:
        return 0
    finally:
        if not full:
            os.environ.pop("HYDRA_FULL_ERROR")
    if full:
        import traceback

        traceback.print_exc()
    print(f"{'error' if code != 3 else 'stopped'}: {reason.strip()}", file=sys.stderr)
    return code
