"""Which of several sweeps takes a trial of the study they share: one takes each, and together they stop in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from omegaconf import DictConfig

from gan_framework.errors import ConfigError
from gan_framework.sweeps.study import sampler_of

if TYPE_CHECKING:
    import optuna
    import sqlalchemy
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from gan_framework.sweeps.study import OpenStudy

SEED = "sampler_seed"
"""The remark on a trial that a sweep's sampler began with: what it was seeded with."""
GIVEN = "fixed_params"
"""Optuna's own remark on a trial that waits to be run with settings that are known."""


class Claims:
    """Takes trials for one sweep, each while no other sweep of the study does.

    Args:
        opened: the study.
        settings: the settings under `hydra.sweeper`.
        space: what is searched, by setting.
        marks: the remarks by which the sweep knows its trials again.
        retry: whether trials that wait to be run again are taken beyond `n_trials`.
    """

    def __init__(
        self,
        opened: OpenStudy,
        settings: DictConfig,
        space: dict[str, BaseDistribution],
        marks: dict[str, str],
        retry: bool = False,
    ) -> None:
        self._opened, self._settings, self._space = opened, settings, space
        self._marks, self._retry = marks, retry
        self._alone = _lock(opened)
        self._seeded = False

    def take(self) -> tuple[int, dict[str, Any]] | None:
        """Return the number and the settings of a trial that is this sweep's from now on; None if there is none left.

        Raises:
            ConfigError: the study has searched other values of a setting.
        """
        from optuna.trial import TrialState

        study = self._opened.study
        with self._alone():
            trials = study.get_trials(deepcopy=False)
            self._check(trials)
            begun = sum(trial.state != TrialState.WAITING for trial in trials)
            again = self._retry and any(trial.state == TrialState.WAITING and _is_given(trial) for trial in trials)
            if begun >= self._settings.n_trials and not again:
                return None
            seed = self._seed(trials)
            trial = study.ask()
            # Marked first: killed in the middle of this, the sweep knows it again and completes it.
            for key, value in self._marks.items():
                trial.set_user_attr(key, value)
            if seed is not None:
                trial.set_user_attr(SEED, seed)
            if self._is_one_too_many(trial.number):
                self._opened.give_back(trial.number)
                return None
            return trial.number, self._propose(trial)

    def complete(self, trial: FrozenTrial) -> tuple[int, dict[str, Any]]:
        """Return number and settings of a trial of this sweep; what it was not given before a kill is proposed now."""
        import optuna

        if self._space.keys() <= trial.params.keys():
            return trial.number, trial.params
        study = self._opened.study
        with self._alone():
            self._seed(study.get_trials(deepcopy=False))
            again = optuna.trial.Trial(study, self._opened.trial_id(trial.number))
            return trial.number, {**self._propose(again), **trial.params}

    def _is_one_too_many(self, number: int) -> bool:
        """Whether the study had all its trials before one was taken.

        A sweep that stands still for longer than a journal's lock holds takes a trial when others have taken theirs.
        """
        from optuna.trial import TrialState

        trials = self._opened.study.get_trials(deepcopy=False)
        if self._retry and _is_given(trials[number]):
            return False
        before = sum(trial.number < number and trial.state != TrialState.WAITING for trial in trials)
        return bool(before >= self._settings.n_trials)

    def _check(self, trials: Sequence[FrozenTrial]) -> None:
        """Before a trial is made: one that cannot be given its values would be left behind, and count."""
        from optuna.distributions import check_distribution_compatibility

        for key, distribution in self._space.items():
            known = next((trial.distributions[key] for trial in trials if key in trial.distributions), distribution)
            try:
                check_distribution_compatibility(known, distribution)
            except ValueError as error:
                raise ConfigError(
                    f"{key}: the study {self._opened.study.study_name} has searched other values of it, {known}; "
                    f"search in another folder, or under another hydra.sweeper.study_name ({error})"
                ) from error

    def _seed(self, trials: Sequence[FrozenTrial]) -> int | None:
        """Seed the sampler as no other of the study is; return the seed the first time, if there is one."""
        from optuna.trial import TrialState

        if self._seeded or self._settings.seed is None:
            return None
        self._seeded = True
        taken = {trial.user_attrs.get(SEED) for trial in trials}
        # A sweep that goes on would otherwise propose what it has proposed before.
        seed = self._settings.seed + sum(trial.state != TrialState.WAITING for trial in trials)
        while seed in taken:
            seed += 1
        self._opened.study.sampler = sampler_of(self._settings, seed)
        return int(seed)

    def _propose(self, trial: optuna.Trial) -> dict[str, Any]:
        return {key: _suggest(trial, key, distribution) for key, distribution in self._space.items()}


def _is_given(trial: FrozenTrial) -> bool:
    return GIVEN in trial.system_attrs


def _suggest(trial: optuna.Trial, key: str, within: BaseDistribution) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(within, CategoricalDistribution):
        return trial.suggest_categorical(key, within.choices)
    if isinstance(within, IntDistribution):
        return trial.suggest_int(key, within.low, within.high, step=within.step, log=within.log)
    assert isinstance(within, FloatDistribution)
    return trial.suggest_float(key, within.low, within.high, step=within.step, log=within.log)


def _lock(opened: OpenStudy) -> Callable[[], AbstractContextManager[object]]:
    """Return what only one sweep of the study holds at a time, on whichever machine; it works where the storage does.

    A file beside SQLite's is locked by the system, which SQLite relies on too; beside a journal lies a link, as Optuna
    locks the journal itself; of a database on a server, a row is locked that Optuna only reads.
    """
    from optuna.storages import RDBStorage
    from optuna.storages.journal import JournalFileSymlinkLock

    storage = opened.storage
    if isinstance(storage, RDBStorage) and storage.engine.dialect.name != "sqlite":
        engine, study = storage.engine, storage.get_study_id_from_name(opened.study.study_name)
        return lambda: _row(engine, study)
    if opened.file is None:  # a database in memory
        return nullcontext
    place = Path(f"{opened.file}.claim")
    if isinstance(storage, RDBStorage):
        return lambda: FileLock(place)
    return lambda: _link(JournalFileSymlinkLock(str(place)), place)


@contextmanager
def _row(engine: sqlalchemy.Engine, study: int) -> Iterator[None]:
    import sqlalchemy

    directions = sqlalchemy.table("study_directions", sqlalchemy.column("study_id"), sqlalchemy.column("objective"))
    first = (directions.c.study_id == study) & (directions.c.objective == 0)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.select(directions).where(first).with_for_update()).one()
        yield


@contextmanager
def _link(lock: optuna.storages.journal.JournalFileSymlinkLock, target: Path) -> Iterator[None]:
    # A link whose target has not changed for half a minute is taken for that of a killed process, and removed.
    if not target.exists():
        target.touch()
    lock.acquire()
    target.touch()
    try:
        yield
    finally:
        with suppress(RuntimeError):  # this process itself stood still for so long
            lock.release()
