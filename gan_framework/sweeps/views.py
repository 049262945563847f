"""What Optuna itself draws and computes of a search: its history, the settings' importances, parallel coordinates.

The pictures are those of `optuna.visualization.matplotlib`. The same functions with Plotly would need its script in the
page: 4.8 MB from its package, more than twice what a page of a comparison may have (its smallest bundle, 1.2 MB, draws
them with Optuna 5, but not the parallel coordinates of Optuna 4, which need code that a page's policy forbids).
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_framework.errors import ConfigError
from gan_framework.storage.text import visible
from gan_framework.sweeps.naming import short_keys

if TYPE_CHECKING:
    import optuna

FEWEST = 2
"""Finished trials without which nothing can be said of importances."""

AXES = 12
"""Settings that parallel coordinates are drawn of, the most important ones."""

INCHES = (9, 5)
INCHES_OF_AN_AXIS = 1.4
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


class Search(NamedTuple):
    """What is said of a search.

    Attributes:
        views: pictures, for each objective.
        plain: the same as plain values: `study`, `trials`, `finished`, and for each of `objectives` its `direction`,
            its `best` value and the `importances` of settings, which are empty where nothing can be said of them.
    """

    views: list[View]
    plain: dict[str, Any]


def read(storage: str, name: str) -> Search:
    """Return what Optuna finds of a study, for each of its objectives.

    Args:
        storage: a SQLite file, a journal, or the URL of a database.
        name: the study that is taken where there are several.

    Raises:
        ConfigError: there is no such storage, or the study is not known; or Optuna is not installed.
    """
    study = load(storage, name)
    count = len(study.directions)
    drawn, objectives = [], []
    for number, direction in enumerate(study.directions):
        target = (lambda trial, i=number: trial.values[i]) if count > 1 else None
        shares = importances(study, target)
        drawn += _views(study, shares, target, f"objective {number + 1}" if count > 1 else "the score")
        values = [trial.values[number] for trial in _finished(study)]
        best = (min if direction.name == "MINIMIZE" else max)(values, default=None)
        objectives.append({"direction": direction.name.lower(), "best": best, "importances": shares})
    counts = {"trials": len(study.get_trials(deepcopy=False)), "finished": len(_finished(study))}
    return Search(drawn, {"study": study.study_name, **counts, "objectives": objectives})


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

    done = _finished(study)
    if len(done) < FEWEST or len({target(trial) if target else trial.value for trial in done}) < FEWEST:
        return {}
    return optuna.importance.get_param_importances(study, evaluator=_evaluator(), target=target)


def _finished(study: optuna.Study) -> list[Any]:
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]


def _views(study: optuna.Study, shares: dict[str, float], target: Callable[[Any], float] | None, of: str) -> list[View]:
    import optuna.visualization.matplotlib as drawing

    if not shares:
        return [View(f"History of {of}", f"fewer than {FEWEST} trials finished with different scores", None)]
    said = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    finished, shown = len(_finished(study)), list(shares)[:AXES]
    few = f"the {AXES} most important of {len(shares)} settings" if len(shares) > AXES else "each setting"
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
        View(
            f"Settings and {of}",
            f"a line for each trial that finished, an axis for {few}; the darker, the better",
            _png(lambda: _coordinates(study, shown, target, of)),
        ),
    ]


def _coordinates(study: optuna.Study, shown: list[str], target: Callable[[Any], float] | None, of: str) -> Any:
    """Return Optuna's parallel coordinates of some settings, with labels that fit and that can be told apart."""
    import optuna
    import optuna.visualization.matplotlib as drawing

    short = short_keys(shown)  # Optuna cuts names after 20 characters, where optimizer.generator.lr and .betas are one
    renamed = optuna.create_study(directions=study.directions)
    for trial in _finished(study):
        renamed.add_trial(
            optuna.trial.create_trial(
                values=trial.values,
                params={short[name]: value for name, value in trial.params.items() if name in short},
                distributions={short[name]: of_one for name, of_one in trial.distributions.items() if name in short},
            )
        )
    axes = drawing.plot_parallel_coordinate(renamed, target=target, target_name=of)
    figure: Any = axes.figure
    figure.set_size_inches(max(INCHES[0], INCHES_OF_AN_AXIS * (len(shown) + 2)), INCHES[1])
    for one in figure.axes:
        if one.get_yscale() == "log":
            one.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            one.yaxis.set_minor_formatter(lambda value, _: "")
        if one.get_label() == "<colorbar>":  # beside the labels of the last axis
            place = one.get_position()
            one.set_position((place.x0 + 0.06, place.y0, place.width, place.height))
    return axes


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
            width, _ = figure.get_size_inches()
            figure.set_size_inches(max(width, INCHES[0]), INCHES[1])
            figure.savefig(written, format="png", dpi=DOTS, bbox_inches="tight")
        finally:
            pyplot.close(figure)
    return written.getvalue()
