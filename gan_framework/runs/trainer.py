"""The training loop, and all that is done in it when it is due: log, sample, evaluate, save."""

from __future__ import annotations

import logging
import math
from contextlib import suppress

from torch import Tensor

from gan_framework.core import distributed
from gan_framework.errors import NonFinite, RunStopped
from gan_framework.evaluation import drawing, latents
from gan_framework.evaluation.evaluator import Evaluation
from gan_framework.evaluation.stopping import stoppable
from gan_framework.runs import checkpoint, diagnostics, group, panel
from gan_framework.runs.run import Run
from gan_framework.runs.signals import Interrupted, StopRequest
from gan_framework.runs.watch import diversity
from gan_framework.storage import pictures
from gan_framework.storage.images import save_png
from gan_framework.storage.numbers import score

log = logging.getLogger(__name__)

PRUNER = "the sweep's pruner"
"""Who requests the stop that a pruner is for."""

CALLBACK = "on_log"
"""Who requests the stop that a callback asks for."""


def train(run: Run, stop: StopRequest) -> None:
    """Play the game to its last step, and do in between what is due; `train.patience` may end it before that.

    Raises:
        RunFailed: a loss was not finite, or a file could not be written.
        RunStopped: a stop was requested; the run has been saved and can be resumed.
    """
    if run.leads and run.counters.step == 0:
        panel.show_data(run)
    if run.begun is None and run.best.found:  # the checkpoint may have been the last thing before the end
        _end_if_worn_out(run, stop)
    _play(run, stop)
    if run.counters.step < run.counters.steps:
        run.save()
        if run.ended_early is not None and stop.reason == run.ended_early:  # and not a signal after it
            stop.withdraw()
            return
        reason = stop.reason or "another process"
        raise RunStopped(f"stopped by {reason} {run.where}; to resume: gan-framework resume {run.folder.path}")


def _play(run: Run, stop: StopRequest) -> None:
    counters, settings = run.counters, run.settings.train
    unchecked: list[dict[str, Tensor]] = []
    if run.begun is not None:
        _attend(run, stop, run.begun)
        run.begun = None
        run.save()  # in the place of the checkpoint to which the scores were still to come

    while not group.stopping(stop.requested) and counters.step < counters.steps:
        run.thawing.at(counters.step)
        # Everything random in a step follows from its number, so nothing in between can change it.
        distributed.reseed(run.seed, "step", counters.step, counters.rollbacks)
        unchecked.append(run.step(run.batches))
        counters.tick()

        log_is_due = counters.due(settings.log_every)
        often = (settings.sample_every, run.settings.evaluate.every, settings.checkpoint_every)
        if not (log_is_due or any(map(counters.due, often))):
            continue

        # Reading a loss waits for the device, so losses are looked at only when something is due.
        try:
            metrics, unchecked = _look(run, unchecked), []
        except NonFinite as problem:
            unchecked = []
            run.roll_back(problem)
            continue
        _attend(run, stop, metrics | run.said_of_held_out() if log_is_due else {})
    try:
        _look(run, unchecked)
    except NonFinite as problem:
        run.roll_back(problem)


def _look(run: Run, unchecked: list[dict[str, Tensor]]) -> dict[str, float]:
    """Return the metrics of the last step, over all processes.

    Raises:
        NonFinite: a loss in these steps, or a gradient of the last, was not finite, and such updates are not skipped.
    """
    game, step = run.game, run.counters.step
    history = _of_all_processes(run, unchecked)
    norms = diagnostics.gradient_norms(game)
    if not history:
        return {}
    if run.settings.train.on_nonfinite != "skip":
        diagnostics.require_finite(history, step)
        diagnostics.require_finite_gradients(game, norms, step)
    figures = diagnostics.figures(history[-1], run.probabilistic)
    return figures | norms | diagnostics.reported(game) | diagnostics.learning_rates(game)


def _of_all_processes(run: Run, history: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Return what steps measured over all processes; from here on these have the buffers that the first one saves."""
    distributed.copy_from_first([*run.game.buffers()])
    return group.measured_by_all(history)


def _attend(run: Run, stop: StopRequest, metrics: dict[str, float]) -> None:
    """Do what is due after a step of which these metrics are known."""
    counters, settings = run.counters, run.settings
    run.check_folder()
    evaluate = counters.due(settings.evaluate.every)
    if run.leads and counters.due(settings.train.sample_every):
        metrics |= _draw_samples(run)
    if evaluate and run.assistant is not None:
        with suppress(NonFinite):  # the first process says it
            run.assistant.assist(run.game)
    if evaluate:
        try:
            metrics |= _evaluate(run, metrics, stop)
        except RunStopped:
            # The other processes have gone on, to where they ask whether to stop and to what follows then.
            group.stopping(True)
            _of_all_processes(run, [])
            raise
    if run.leads and metrics:
        _log(run, metrics, stop)
    if counters.due(settings.train.checkpoint_every):
        run.save()
    if evaluate and _should_prune(run):
        stop.request(PRUNER)
    if evaluate:
        _end_if_worn_out(run, stop)
    counters.pause()


def _log(run: Run, metrics: dict[str, float], stop: StopRequest) -> None:
    """Write one line of metrics to the trackers and the progress bar; whoever listens to it may ask for a stop."""
    step = run.counters.step
    run.metrics |= metrics
    for trouble in run.watch.look(step, metrics, diagnostics.unreached(run.game)):
        log.warning("step %d: %s", step, trouble)
        run.trackers.warn(trouble, run.axes())
    record = {**run.axes(), "metrics": metrics}
    run.trackers.log(record, run.counters.training_seconds)
    run.progress.show(step, metrics, run.images_per_second)
    if run.on_log is not None and run.on_log(record):
        stop.request(CALLBACK)


def _draw_samples(run: Run) -> dict[str, float]:
    """Draw the grid of samples, from the same latents every time; return how diverse they are beside the data."""
    path = run.folder.picture("step", run.counters.step)
    with latents.drawing_from(run.seed, run.game.device):
        picture = drawing.draw(run.game, run.grid, run.settings.sample.columns, symbols=run.symbols)
    pictures.write(path, picture)
    run.trackers.image("samples", path, run.axes())
    if run.game.prior is None or len(run.grid.z) < 2 or not run.data_diversity:
        return {}
    return {"health/diversity": diversity(run.game.sample(run.grid)) / run.data_diversity}


def _evaluate(run: Run, metrics: dict[str, float], stop: StopRequest) -> dict[str, float]:
    """Score the game; the best checkpoint so far is kept as `best.pt`.

    Args:
        run: the run.
        metrics: what is known of the step already.
        stop: a request to stop breaks the evaluation off; the resumed run begins with it.

    Returns:
        The scores; none if the samples are not finite.

    Raises:
        RunStopped: a stop was requested; the run has been saved and can be resumed.
    """
    if run.evaluator is None:
        return {}
    run.counters.pause()
    state = {**run.state(), "begun": metrics}  # scoring changes none of it
    try:
        with stoppable(stop.check):
            evaluation = run.evaluator(run.game)
    except NonFinite as problem:  # whether the run goes on is for its losses to say (train.on_nonfinite)
        run.forget_scores()
        run.watch.note(run.counters.step, f"no_scores: {problem}")
        log.warning("step %d: no_scores: %s", run.counters.step, problem)
        run.trackers.warn(f"no_scores: {problem}", run.axes())
        return {}
    except Interrupted:
        run.write(state)
        raise RunStopped(
            f"stopped by {stop.reason} while the samples {run.where} were scored; "
            f"to resume: gan-framework resume {run.folder.path}"
        ) from None
    for warning in evaluation.warnings:
        log.warning(warning)
        run.watch.note_once(run.counters.step, f"scores: {warning}")
    for name, picture in evaluation.pictures.items():
        run.check_folder()  # scoring may have taken long
        path = run.folder.picture(name, run.counters.step)
        save_png(path, picture)
        run.trackers.image(name, path, run.axes())
    run.take_up_protocol(evaluation.protocol)
    _say_scores(run, evaluation)
    scores = {f"eval/{name}": value for name, value in evaluation.scores.items()}
    if run.best.consider(evaluation.scores, run.counters.step):
        run.check_folder()
        # With what is known of this step: the line is logged only after this.
        checkpoint.save(run.folder.best, {**run.state(), "metrics": run.metrics | metrics | scores})
    return scores


def _say_scores(run: Run, evaluation: Evaluation) -> None:
    """Log the scores, the first time beside what real samples and noise score."""
    baselines = {name: baseline.plain() for name, baseline in evaluation.baselines.items()}
    new, run.baselines = baselines != run.baselines, baselines
    said = []
    for name, value in evaluation.scores.items():
        beside = evaluation.baselines.get(name) if new and name in evaluation.higher_is_better else None
        said.append(f"{name} {score(value)}{f' ({beside})' if beside else ''}")
    log.info("step %d: %s", run.counters.step, ", ".join(said))
    if new:
        ranked = [evaluation.baselines[name] for name in evaluation.higher_is_better if name in baselines]
        for samples in dict.fromkeys(baseline.samples for baseline in ranked):
            log.info("compared with %s", samples)


def _end_if_worn_out(run: Run, stop: StopRequest) -> None:
    """Have a run end here if it has no better score for too long."""
    if (worn_out := _patience_is_over(run)) is not None:
        run.ended_early = worn_out
        stop.request(worn_out)


def _patience_is_over(run: Run) -> str | None:
    """Return why a run that is scored has no better score for too long; None if it may go on."""
    patience, best = run.settings.train.patience, run.best
    if patience is None or not run.leads:
        return None
    since = best.found.get("step", 0)
    if (run.counters.step - since) // run.settings.evaluate.every < patience:
        return None
    return f"train.patience={patience} (no better {best.metric} since step {since:,})"


def _should_prune(run: Run) -> bool:
    """Return whether the pruner would stop the run, given the newest value of the score that it ranks by."""
    if run.pruner is None or not run.best.found:
        return False
    return run.pruner(run.counters.step, run.metrics.get(f"eval/{run.best.metric}", math.nan))  # of broken samples none
