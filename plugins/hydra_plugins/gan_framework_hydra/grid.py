"""The sweep over all combinations: Hydra's own, and no failed run ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from gan_framework.storage import files
from gan_framework.storage.secrets import mask
from gan_framework.sweeps.driver import Driver, require

RECORD = "multirun.yaml"
"""What Hydra's sweeper keeps of a sweep, in its folder."""


class _Finished(Driver):
    """Shows Hydra's sweeper the finished jobs only: it would stop at the first that is not."""

    def launch(self, *arguments: Any, **named: Any) -> list[JobReturn]:
        _mask_secrets(self.folder / RECORD)
        return [job for job in super().launch(*arguments, **named) if job.status is JobStatus.COMPLETED]


class GridSweeper(BasicSweeper):
    """Runs every combination of the values given, `loss=nonsaturating,wasserstein seed=0,1,2`."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Instantiate the launcher.

        Raises:
            ConfigError: its package is not installed, or there is no sweep to resume.
        """
        require(config, "launcher")
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        assert self.launcher is not None
        self.driver = self.launcher = _Finished(self.launcher, config)

    def sweep(self, arguments: list[str]) -> Any:
        """Run all combinations.

        Raises:
            RunFailed: a run failed; the others have been run all the same.
            RunStopped: the sweep was stopped and can be resumed.
        """
        with self.driver:
            (self.driver.folder / RECORD).unlink(missing_ok=True)  # Hydra would follow a link
            result = super().sweep(arguments)
        self.driver.conclude()
        return result


def _mask_secrets(path: Path) -> None:
    content = mask(OmegaConf.to_container(OmegaConf.load(path), resolve=False))
    files.write_text(path, OmegaConf.to_yaml(OmegaConf.create(content)))
