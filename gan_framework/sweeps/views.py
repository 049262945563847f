"""What Optuna itself draws and computes of a search: its history and the settings' importances."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_framework.errors import ConfigError
from gan_framework.storage.text import visible

if TYPE_CHECKING:
    import optuna

FEWEST = 2
"""Finished trials without which nothing can be said of importances."""

INCHES = (9, 5)
DOTS = 110


class View(NamedTuple):
    """A picture of a search.

    Attributes:
        title: what it shows.
        said: the same in words.
        png: the picture; None where it cannot be drawn, for which `said` is the reason.
    """

    title: str
    said: str
    png: bytes | None


def views(storage: str, name: str) -> list[View]:
    """Return the pictures of a study, for each of its objectives.

    Args:
        storage: a SQLite file, a journal, or the URL of a database.
        name: the study that is taken where there are several.

    Raises:
        ConfigError: there is no such storage, or the study is not known; or Optuna is not installed.
    """
    study = load(storage, name)
    objectives = len(study.directions)
    found = []
    for number in range(objectives):
        target = (lambda trial, i=number: trial.values[i]) if objectives > 1 else None
        found += _views(study, target, f"objective {number + 1}" if objectives > 1 else "the score")
    return found


def load(storage: str, name: str) -> optuna.Study:
    """Return the study in a storage, the only one or the one of a name; nothing is written.

    Raises:
        ConfigError: there is no such storage or study; or Optuna is not installed.
    """
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend
    except ImportError as error:
        raise ConfigError(f"--study {visible(storage)} needs Optuna: pip install 'gan-framework[optuna]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = storage.removeprefix("sqlite:///")
    if "://" not in file and not os.path.isfile(file):
        raise ConfigError(
            f"--study {visible(storage)}: there is no such file; a search keeps its study in DIR/study.db, or where "
            "hydra.sweeper.storage says"
        )
    try:
        place: Any = storage
        if "://" not in file:
            is_database = Path(file).read_bytes()[:15] == b"SQLite format 3"
            place = f"sqlite:///{os.path.abspath(file)}" if is_database else None
            place = place or optuna.storages.JournalStorage(JournalFileBackend(os.path.abspath(file)))
        names = optuna.get_all_study_names(place)
        if not names:
            raise ConfigError(f"--study {visible(storage)} holds no study")
        if len(names) != 1 and name not in names:
            raise ConfigError(
                f"--study {visible(storage)} holds {len(names)} studies and none of the sweep's name {visible(name)}: "
                f"{visible(', '.join(names[:10]))}"
            )
        return optuna.load_study(study_name=names[0] if len(names) == 1 else name, storage=place)
    except ConfigError:
        raise
    except Exception as error:  # a file that is something else can make a driver raise anything
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"--study {visible(storage)} cannot be read: {visible(reason)}") from error


def importances(study: optuna.Study, target: Callable[[Any], float] | None = None) -> dict[str, float]:
    """Return each setting's share in the variance of the scores by Optuna's fANOVA, the largest first.

    Empty where fewer than two trials finished, or all have one score.
    """
    import optuna

    done = [trial for trial in study.get_trials(deepcopy=False) if trial.state == optuna.trial.TrialState.COMPLETE]
    if len(done) < FEWEST or len({target(trial) if target else trial.value for trial in done}) < FEWEST:
        return {}
    return optuna.importance.get_param_importances(study, evaluator=_evaluator(), target=target)


def _views(study: optuna.Study, target: Callable[[Any], float] | None, of: str) -> list[View]:
    import optuna.visualization.matplotlib as drawing

    shares = importances(study, target)
    if not shares:
        return [View(f"History of {of}", f"fewer than {FEWEST} trials finished with different scores", None)]
    said = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    finished = sum(trial.state.name == "COMPLETE" for trial in study.get_trials(deepcopy=False))
    return [
        View(
            f"History of {of}",
            f"{finished} of {len(study.trials)} trials finished; the line is the best so far",
            _png(lambda: drawing.plot_optimization_history(study, target=target, target_name=of)),
        ),
        View(
            f"What {of} depends on",
            f"importance of each setting, its share in the variance of {of} (fANOVA): {said}",
            _png(
                lambda: drawing.plot_param_importances(
                    study, evaluator=_evaluator(), params=list(shares), target=target, target_name=of
                )
            ),
        ),
    ]


def _evaluator() -> Any:
    """Return what finds importances, the same for numbers and pictures."""
    import optuna

    return optuna.importance.FanovaImportanceEvaluator(seed=0)


def _png(draw: Callable[[], Any]) -> bytes:
    """Return what Optuna draws with matplotlib as a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    written = io.BytesIO()
    with warnings.catch_warnings(), matplotlib.rc_context({"text.parse_math": False}):  # a dollar sign is one
        warnings.simplefilter("ignore")  # that these functions may change is known
        axes = draw()
        figure = axes.figure
        try:
            figure.set_size_inches(*INCHES)
            figure.savefig(written, format="png", dpi=DOTS, bbox_inches="tight")
        finally:
            pyplot.close(figure)
    return written.getvalue()
