"""The sweep over all combinations: Hydra's own, and no failed run ends it."""

from __future__ import annotations

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from gan_framework.sweeps.driver import Driver, require


class _Finished(Driver):
    """Shows Hydra's sweeper the finished jobs only: it would stop at the first that is not."""

    def launch(self, *arguments: Any, **named: Any) -> list[JobReturn]:
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
            result = super().sweep(arguments)
        self.driver.conclude()
        return result
