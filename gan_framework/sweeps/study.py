"""Optuna's part of a search: the space, the study and its storage, and what prunes a run.

The study lives in its storage: every run opens it for itself, on whichever machine it is.
"""

from __future__ import annotations

import logging
import math
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hydra.core.override_parser.types import FloatRange, IntervalSweep, Override, RangeSweep
from omegaconf import DictConfig, OmegaConf

from gan_framework.errors import ConfigError
from gan_framework.sweeps.naming import sweep_name

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

log = logging.getLogger(__name__)

Chosen = TypeVar("Chosen")

LOCK_TIMEOUT = 60
"""Seconds that a run waits for another one's writing to the same SQLite file."""

ATTEMPTS = 10
"""How often a database is opened that others are just making."""


def split(overrides: Sequence[Override]) -> tuple[dict[str, BaseDistribution], list[str]]:
    """Return the search space by setting, and the overrides that all runs share.

    Values are given as in any sweep: `a,b` and `choice(a,b)`, `range(1,5)`, `interval(0.0,1.0)`,
    and `tag(log,interval(1e-5,1e-3))`; `int(interval(1,9))` holds integers.

    Raises:
        ConfigError: there is nothing to search.
    """
    space = {o.get_key_element(): _distribution(o) for o in overrides if o.is_sweep_override()}
    if not space:
        raise ConfigError("there is nothing to search: choose search=NAME, or write optimizer.generator.lr=a,b")
    fixed = [f"{o.get_key_element()}={o.get_value_element_as_str()}" for o in overrides if not o.is_sweep_override()]
    return space, fixed


def _distribution(override: Override) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    sweep = override.value()
    try:
        if isinstance(sweep, IntervalSweep):
            assert sweep.start is not None and sweep.end is not None
            logarithmic = "log" in sweep.tags
            if isinstance(sweep.start, int) and isinstance(sweep.end, int):
                return IntDistribution(sweep.start, sweep.end, log=logarithmic)
            return FloatDistribution(sweep.start, sweep.end, log=logarithmic)
        if isinstance(sweep, RangeSweep):
            values = sweep.range()
            if isinstance(values, FloatRange):
                return FloatDistribution(float(values.start), max(map(float, values)), step=float(values.step))
            return IntDistribution(values.start, max(values), step=values.step)
        return CategoricalDistribution(tuple(override.sweep_string_iterator()))
    except ValueError as error:
        raise ConfigError(f"{override.input_line}: {error}") from error


@dataclass(frozen=True)
class OpenStudy:
    """A study beside the storage it is in.

    Attributes:
        study: the study.
        storage: its storage.
        file: the file that the storage is, a SQLite database or a journal; None for a server or memory.
    """

    study: optuna.Study
    storage: optuna.storages.BaseStorage
    file: str | None = None

    def note(self, number: int, key: str, value: str) -> None:
        """Write a remark to a trial."""
        self.storage.set_trial_user_attr(self.trial_id(number), key, value)

    def give_back(self, number: int) -> None:
        """Have a trial wait for a sweep of more trials: it has neither been given settings nor run."""
        from optuna.trial import TrialState

        self.storage.set_trial_state_values(self.trial_id(number), TrialState.WAITING)

    def trial_id(self, number: int) -> int:
        """Return the storage's own id of a trial."""
        study = self.storage.get_study_id_from_name(self.study.study_name)
        return self.storage.get_trial_id_from_study_id_trial_number(study, number)


def open_study(sweeper: DictConfig, folder: Path) -> OpenStudy:
    """Open the study of a sweep; the first to come creates it.

    Args:
        sweeper: the settings under `hydra.sweeper`.
        folder: the sweep's folder, where the study is kept if no storage is named.

    Raises:
        ConfigError: the storage cannot be used, or holds a study with other objectives.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    directions = list(sweeper.objectives.values()) if sweeper.objectives else [sweeper.direction]
    name = sweeper.study_name or sweep_name(folder)
    storage, file = _storage(sweeper.storage or f"sqlite:///{folder.resolve()}/study.db")
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, directions=directions, load_if_exists=True, pruner=_pruner(sweeper)
        )
        study.sampler = sampler_of(sweeper, None)
    except ConfigError:
        raise
    except (ImportError, ValueError, TypeError) as error:
        raise ConfigError(f"hydra/sweeper=optuna: {' '.join(str(error).split())}") from error
    known = [direction.name.lower() for direction in study.directions]
    if known != directions:
        raise ConfigError(f"the study {name} is to {', '.join(known)}, not to {', '.join(directions)}")
    return OpenStudy(study, storage, file)


def pruner_of(sweeper: DictConfig, folder: Path, number: int) -> Callable[[int, float], bool] | None:
    """Return what reports the scores of a trial's run and says when it is to be pruned; None without a pruner."""
    if sweeper.pruner is None:
        return None
    opened = open_study(sweeper, folder)
    trial = opened.trial_id(number)

    def prune(step: int, score: float) -> bool:
        if math.isfinite(score):
            opened.storage.set_trial_intermediate_value(trial, step, score)
        return bool(opened.study.pruner.prune(opened.study, opened.storage.get_trial(trial)))

    return prune


def _storage(name: str) -> tuple[optuna.storages.BaseStorage, str | None]:
    """Return a storage and the file that it is, if it is one."""
    import optuna
    import sqlalchemy
    from optuna.storages.journal import JournalFileBackend

    if "://" not in name:
        # Absolute: Optuna locks the file by a link to it, which is looked up from the file's folder.
        place = os.path.abspath(name)
        if os.path.exists(place) and not os.path.isfile(place):  # to open a named pipe could take for ever
            raise ConfigError(f"hydra.sweeper.storage={name}: the file cannot be used: it is not a regular file")
        try:
            return optuna.storages.JournalStorage(JournalFileBackend(place)), place
        except OSError as error:
            raise ConfigError(f"hydra.sweeper.storage={name}: the file cannot be used: {error.strerror}") from error
    try:
        storage = _database(name)
        if storage.engine.dialect.name != "sqlite":
            return storage, None
        with storage.engine.connect() as connection:
            listed = {name: place for _, name, place in connection.exec_driver_sql("PRAGMA database_list")}
            return storage, listed["main"] or None
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise ConfigError(f"hydra.sweeper.storage: the database cannot be used: {error}") from error
    except ImportError as error:
        raise ConfigError(
            f"hydra.sweeper.storage: the driver of the database is not installed ({error.__cause__ or error}); "
            "for postgresql://: pip install 'gan-framework[postgres]'"
        ) from error


def _database(url: str) -> optuna.storages.RDBStorage:
    """Open a database, and make its tables if it is new; sweeps that start together may all try to."""
    import optuna

    arguments = {"connect_args": {"timeout": LOCK_TIMEOUT}} if url.startswith("sqlite") else {}
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return optuna.storages.RDBStorage(url, engine_kwargs=arguments)
        except Exception as error:
            if attempt == ATTEMPTS or not _made_by_others(error):
                raise
            time.sleep(random.uniform(0.05, 0.5))
    raise AssertionError


def _made_by_others(error: BaseException) -> bool:
    """Whether an error is of tables, types or rows that are there, but were not a moment ago."""
    import optuna
    import sqlalchemy

    if isinstance(error, optuna.exceptions.StorageInternalError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.ProgrammingError)):
        return True
    return isinstance(error, sqlalchemy.exc.OperationalError) and "already exists" in str(error)


def sampler_of(sweeper: DictConfig, seed: int | None) -> optuna.samplers.BaseSampler:
    """Return the sampler that is asked for under `hydra.sweeper`, seeded.

    Raises:
        ConfigError: there is no such sampler.
    """
    import optuna

    samplers: dict[str, Callable[..., optuna.samplers.BaseSampler]] = {
        "tpe": optuna.samplers.TPESampler,
        "random": optuna.samplers.RandomSampler,
        "cmaes": optuna.samplers.CmaEsSampler,
        "nsga2": optuna.samplers.NSGAIISampler,
    }
    settings = _settings(sweeper.samplers, sweeper.sampler)
    return _chosen("sampler", samplers, sweeper.sampler)(seed=seed, **settings)


def _pruner(sweeper: DictConfig) -> optuna.pruners.BasePruner:
    import optuna

    if sweeper.pruner is None:
        return optuna.pruners.NopPruner()
    pruners: dict[str, Callable[..., optuna.pruners.BasePruner]] = {
        "median": optuna.pruners.MedianPruner,
        "hyperband": optuna.pruners.HyperbandPruner,
    }
    if sweeper.objectives:
        raise ConfigError(f"hydra.sweeper.pruner={sweeper.pruner}: a search with several objectives cannot prune")
    return _chosen("pruner", pruners, sweeper.pruner)(**_settings(sweeper.pruners, sweeper.pruner))


def _chosen(kind: str, offered: dict[str, Chosen], name: str) -> Chosen:
    if name not in offered:
        raise ConfigError(f"hydra.sweeper.{kind}={name}: choose one of {', '.join(offered)}")
    return offered[name]


def _settings(of: DictConfig, name: str) -> dict[str, Any]:
    found = OmegaConf.to_container(of[name], resolve=True) if of.get(name) else {}
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}
