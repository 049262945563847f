"""The sweep over all combinations: as Hydra's own, and no failed run ends it."""

from __future__ import annotations

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from gan_framework.errors import ConfigError
from gan_framework.sweeps.driver import Driver, require


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
        self.driver = Driver(self.launcher, config)

    def sweep(self, arguments: list[str]) -> Any:
        """Run all combinations.

        Hydra's own would write what was asked for, secrets too, through links, and stop at the first run that fails.

        Raises:
            ConfigError: there is no combination, or the folder has links or is in use.
            RunFailed: a run failed; the others have been run all the same.
            RunStopped: the sweep was stopped and can be resumed.
        """
        assert self.config is not None and self.hydra_context is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        self.driver.swept = tuple(o.get_key_element() for o in overrides if o.is_sweep_override())
        batches = self.split_arguments(overrides, self.max_batch_size)
        if not any(batches):
            typed = " ".join(str(o.input_line) for o in overrides if o.is_sweep_override())
            raise ConfigError(
                f"{typed}: there is nothing to sweep over; glob() stands for options, as in 'loss=glob(*)'"
            )
        returns = []
        with self.driver:
            self.driver.record(self.config)
            first = 0
            for batch in batches:
                self.validate_batch_is_legal(batch)
                returns.append(self.driver.launch(batch, first))
                first += len(batch)
        self.driver.conclude()
        return returns
