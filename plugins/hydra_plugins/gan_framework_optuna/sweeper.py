"""A search with Optuna: it proposes settings, the launcher runs them, and it is told what came of them."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException, MissingConfigException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from gan_framework.config.explain import explain
from gan_framework.errors import ConfigError, RunFailed, RunStopped
from gan_framework.evaluation.protocol import differences
from gan_framework.storage.files import write_text
from gan_framework.storage.foreign import Damaged, read_text
from gan_framework.sweeps.driver import Driver, require, why

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from gan_framework.sweeps.study import OpenStudy

    # For type checkers alone: Hydra looks at everything in this module, and Python 3.10 calls an alias a class.
    Trial = tuple[int, dict[str, Any]]
    """A trial's number and its settings."""

log = logging.getLogger(__name__)

ID_BYTES = 1024
"""The largest file of a sweep's id."""

FIXED = "fixed"
"""The study's attribute with what its first sweep set of every run."""

OF_NO_MATTER = ("hydra", "sweep.", "sample.", "tracker", "train.device", "train.threads", "train.keep", "train.resume")
"""What a sweep of a study may set otherwise than its first one: how and where it is run."""


class OptunaSweeper(Sweeper):
    """Searches for the settings with the best scores; conf/hydra/sweeper/optuna.yaml explains what it accepts."""

    def __init__(self, **settings: Any) -> None:
        """Take the settings, which are read from the configuration when they are needed."""
        self.hydra_context: HydraContext | None = None
        self.config: DictConfig | None = None
        self.protocol: dict[str, Any] | None = None
        self.otherwise: set[str] = set()

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Instantiate the launcher.

        Raises:
            ConfigError: a package is not installed, there is no sweep to resume, or a pruner has nothing to look at.
        """
        require(config, "sweeper", "optuna")
        require(config, "launcher")
        self.hydra_context, self.config, self.settings = hydra_context, config, config.hydra.sweeper
        for name in ("n_trials", "n_jobs"):
            if not (isinstance(self.settings[name], int) and self.settings[name] >= 1):
                raise ConfigError(f"hydra.sweeper.{name}={self.settings[name]} must be a whole number, 1 or more")
        if self.settings.pruner is not None and not config.evaluate.every:
            raise ConfigError(f"hydra.sweeper.pruner={self.settings.pruner} needs scores on the way: evaluate.every=N")
        if not config.metrics:
            raise ConfigError("a search ranks its trials by a score, and metrics=[] gives none: 'metrics=[fid]'")
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self.driver = Driver(launcher, config)

    def sweep(self, arguments: list[str]) -> Any:
        """Run trials until the study has `n_trials` of them, whoever runs them.

        Raises:
            ConfigError: the search space or the study cannot be used.
            RunFailed: a run failed; the others have been run all the same.
            RunStopped: the sweep was stopped and can be resumed.
        """
        from gan_framework.sweeps.study import open_study, split

        assert self.config is not None and self.hydra_context is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        given = {key: f"{key}={value}" for key, value in (self.settings.params or {}).items()}
        given |= {
            override.get_key_element(): override.input_line or "" for override in parser.parse_overrides(arguments)
        }
        self.space, self.fixed = split(parser.parse_overrides(list(given.values())))
        self.driver.swept = tuple(self.space)
        self._validate()
        with self.driver:
            self.driver.record(self.config)
            opened = open_study(self.settings, self.driver.folder)
            self._compare_fixed(opened)
            self._search(opened)
        self._show_best(opened)
        self.driver.conclude()
        # What other sweeps of the study are at may come to have a score.
        if not any(trial.state.name in ("COMPLETE", "PRUNED", "RUNNING") for trial in opened.study.get_trials()):
            raise RunFailed("no run of the search has a score that is a finite number, so there is no best one")

    def _validate(self) -> None:
        """Compose every choice once: an option that does not exist is found before any training."""
        for key, distribution in self.space.items():
            for choice in getattr(distribution, "choices", ()):
                error = self._problem([*self.fixed, f"{key}={choice}"])
                # A setting may be missing here that another choice brings along.
                if isinstance(error, MissingConfigException):
                    raise error

    def _search(self, opened: OpenStudy) -> None:
        from optuna.trial import TrialState

        from gan_framework.sweeps.claims import Claims

        assert self.config is not None
        study, marks = opened.study, self._marks()
        known = [trial for trial in study.get_trials() if trial.state != TrialState.WAITING]
        ours = [trial for trial in known if _is_marked(trial, marks)]
        claims = Claims(opened, self.settings, self.space, marks, self.config.sweep.retry_failed)
        if self.config.sweep.retry_failed:
            waiting = study.get_trials(states=(TrialState.WAITING,))
            for params in _unsettled(ours):
                if params not in [trial.system_attrs.get("fixed_params") for trial in waiting]:
                    study.enqueue_trial(params)
        # What a killed sweep was at goes on from its checkpoints.
        interrupted = [claims.complete(trial) for trial in ours if trial.state == TrialState.RUNNING]
        elsewhere = sum(trial.state == TrialState.RUNNING for trial in known) - len(interrupted)
        log.info("the study has %d of %d trials", len(known), self.settings.n_trials)
        if interrupted or elsewhere:
            log.info("%d of them are resumed here, %d are run by other sweeps", len(interrupted), elsewhere)
        size = self.settings.n_jobs
        for start in range(0, len(interrupted), size):
            self._run(opened, interrupted[start : start + size])
        # Counted anew each time: other sweeps may take trials of the study too.
        while not self.driver.stop.requested:
            taken = [trial for _ in range(size) if (trial := claims.take()) is not None]
            if not taken:
                break
            self._run(opened, taken)

    def _compare_fixed(self, opened: OpenStudy) -> None:
        """Warn where a study's trials are to be of other settings than its earlier ones."""
        fixed = sorted(override for override in self.fixed if not override.lstrip("+~").startswith(OF_NO_MATTER))
        known = opened.study.user_attrs.get(FIXED)
        if known is None:
            opened.study.set_user_attr(FIXED, fixed)
        elif known != fixed:
            log.warning(
                "the study %s was begun with [%s], and this sweep sets [%s]: their scores may not compare; another "
                "hydra.sweep.dir or hydra.sweeper.study_name begins another",
                opened.study.study_name,
                " ".join(map(str, known)),
                " ".join(fixed),
            )

    def _marks(self) -> dict[str, str]:
        """Return what this sweep's trials are known by: its folder may have a namesake on another machine."""
        place = self.driver.folder / ".sweep_id"
        try:
            known = read_text(place, self.driver.folder, ID_BYTES)
        except (FileNotFoundError, Damaged):  # a link or a pipe is replaced
            known = secrets.token_hex(8)
            write_text(place, known)
        return {"sweep": str(self.driver.folder.resolve()), "sweep_id": known}

    def _run(self, opened: OpenStudy, trials: Sequence[Trial]) -> None:
        # Trials that ask for the same are one run.
        numbers: dict[tuple[str, ...], list[int]] = {}
        for number, params in trials:
            numbers.setdefault(tuple(f"{key}={value}" for key, value in params.items()), []).append(number)
        jobs = [[*self.fixed, *params, f"sweep.trial={same[0]}"] for params, same in numbers.items()]
        problems = [self._problem(job) for job in jobs]
        if problems[0] is not None and all(problems) and not self.driver.returns:
            raise ConfigError(explain(problems[0]))
        possible = []
        for overrides, same, problem in zip(jobs, numbers.values(), problems, strict=True):
            if problem is None:
                possible.append((overrides, same))
            else:
                self._refuse(opened, overrides, same, problem)
        returns = self.driver.launch([overrides for overrides, _ in possible], trials[0][0]) if possible else []
        # Of runs that a stop came before there is nothing to tell: their trials go on when the sweep does.
        for job, (_, same) in zip(returns, possible, strict=False):
            for number in same:
                self._tell(opened, number, job)

    def _problem(self, overrides: list[str]) -> Exception | None:
        """Return why a run cannot be composed, or None."""
        try:
            self.validate_batch_is_legal([overrides])
        except (HydraException, OmegaConfBaseException) as error:
            return error
        return None

    def _refuse(self, opened: OpenStudy, overrides: list[str], numbers: list[int], problem: Exception) -> None:
        """Record that settings, each of which exists, do not go together."""
        job = JobReturn(overrides=overrides, status=JobStatus.FAILED)
        job.return_value = ConfigError(explain(problem))
        self.driver.returns.append(job)
        for number in numbers:
            self._tell(opened, number, job)

    def _tell(self, opened: OpenStudy, number: int, job: JobReturn) -> None:
        from optuna.trial import TrialState

        if job.status is not JobStatus.COMPLETED:
            if not isinstance(job._return_value, RunStopped):
                opened.note(number, "error", why(job))
                opened.study.tell(number, state=TrialState.FAIL)
            return
        assert job.hydra_cfg is not None
        folder = Path(job.hydra_cfg.hydra.runtime.output_dir)
        summary = json.loads((folder / "summary.json").read_text())
        opened.note(number, "run", folder.name)
        if summary["status"] == "stopped":
            opened.study.tell(number, state=TrialState.PRUNED)
            return
        values = self._values(summary)
        scored = [value for value in values if value is not None]
        if len(scored) == len(values):
            self._compare_protocol(number, summary)
            opened.study.tell(number, scored)
        else:
            opened.note(number, "error", "the run has no score")
            opened.study.tell(number, state=TrialState.FAIL)

    def _compare_protocol(self, number: int, summary: dict[str, Any]) -> None:
        """Warn, once for each way, where a trial's scores were measured otherwise than those of the first."""
        protocol = summary.get("protocol") or {}
        self.protocol = protocol if self.protocol is None else self.protocol
        names = [*(self.settings.objectives or [(summary["best"] or {}).get("metric")])]
        fields = dict.fromkeys(field for name in names for field in differences(self.protocol, protocol, name))
        if fields.keys() - self.otherwise:
            self.otherwise |= fields.keys()
            log.warning(
                "the scores of trial %d were measured otherwise than those before it (%s), and do not compare: search "
                "no settings of data, evaluate, extractor and metrics that change how runs are scored",
                *(number, ", ".join(fields)),
            )

    def _values(self, summary: dict[str, Any]) -> list[float | None]:
        if self.settings.objectives:
            for name in self.settings.objectives:
                if f"eval/{name}" not in summary["metrics"]:
                    known = [key[5:] for key in summary["metrics"] if key.startswith("eval/")]
                    raise ConfigError(f"hydra.sweeper.objectives: {name} is no score; there are {', '.join(known)}")
            return [summary["metrics"][f"eval/{name}"] for name in self.settings.objectives]
        best = summary["best"] or {}
        better = "maximize" if best.get("higher_is_better") else "minimize"
        if best and better != self.settings.direction:
            raise ConfigError(
                f"hydra.sweeper.direction={self.settings.direction}: runs are ranked by {best['metric']}, "
                f"which asks for {better}; evaluate.best chooses another score. The study keeps its direction: search "
                "in another folder, or under another hydra.sweeper.study_name"
            )
        return [best.get("value")]

    def _show_best(self, opened: OpenStudy) -> None:
        for trial in opened.study.best_trials:
            values = ", ".join(f"{value:.6g}" for value in trial.values)
            settings = " ".join(f"{key}={value}" for key, value in trial.params.items())
            log.info("best: trial %d, %s: %s", trial.number, values, settings)


def _is_marked(trial: FrozenTrial, marks: dict[str, str]) -> bool:
    """Whether a trial has the marks of a sweep; those of earlier versions have its folder alone."""
    return "sweep" in trial.user_attrs and all(trial.user_attrs.get(key, marks[key]) == marks[key] for key in marks)


def _unsettled(trials: Sequence[FrozenTrial]) -> list[dict[str, Any]]:
    """Return the settings of trials that failed, and of which no other trial has come to an end; each once."""
    settled = [trial.params for trial in trials if trial.state.name != "FAIL"]
    failed = [trial.params for trial in trials if trial.state.name == "FAIL"]
    return [params for i, params in enumerate(failed) if params not in settled and params not in failed[:i]]
