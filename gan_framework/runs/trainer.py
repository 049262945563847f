"""The training loop."""

from __future__ import annotations

from torch import Tensor

from gan_framework.core import distributed
from gan_framework.core.game import Game
from gan_framework.errors import NonFinite, RunStopped
from gan_framework.runs import diagnostics
from gan_framework.runs.run import PRUNER, Run
from gan_framework.runs.signals import StopRequest

GRACE = 5.0
"""Seconds that a step may take to end after a request to stop; then it is broken off and counts as never begun."""


def train(run: Run, stop: StopRequest) -> None:
    """Play the game to its last step, and do in between what is due.

    Raises:
        RunFailed: a loss was not finite, or a file could not be written.
        RunStopped: a stop was requested; the run has been saved and can be resumed.
        Interrupted: a stop was requested, and the step under way did not end soon enough to be saved.
    """
    with stop.within(GRACE):
        _play(run, stop)
    if run.clock.step < run.clock.steps:
        run.save()
        reason = stop.reason or "another process"
        raise RunStopped(f"stopped by {reason} {run.where}; the same command in the same folder resumes")


def _play(run: Run, stop: StopRequest) -> None:
    game, clock, settings = run.game, run.clock, run.settings
    unchecked: list[dict[str, Tensor]] = []
    if run.begun is not None:
        _attend(run, stop, run.begun)
        run.begun = None
        run.save()  # in the place of the checkpoint to which the scores were still to come

    while not distributed.stopping(stop.requested) and clock.step < clock.steps:
        # Everything random in a step follows from its number, so nothing in between can change it.
        distributed.reseed(run.seed, "step", clock.step, clock.rollbacks)
        unchecked.append(game.step(run.batches))
        clock.tick()

        log = clock.due(settings.log_every)
        often = (settings.sample_every, run.evaluate_every, settings.checkpoint_every)
        if not (log or any(map(clock.due, often))):
            continue

        # Reading a loss waits for the device, so losses are looked at only when something is due.
        history, unchecked = _of_all_processes(game, unchecked), []
        gradient_norms = diagnostics.gradient_norms(game)
        try:
            run.check_finite(history, gradient_norms)
        except NonFinite as problem:
            run.roll_back(problem)
            continue

        _attend(run, stop, diagnostics.figures(history[-1]) | gradient_norms if log else {})
    try:
        run.check_finite(_of_all_processes(game, unchecked), diagnostics.gradient_norms(game))
    except NonFinite as problem:
        run.roll_back(problem)


def _of_all_processes(game: Game, history: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Return what steps measured over all processes; from here on these have the buffers that the first one saves."""
    distributed.copy_from_first([*game.buffers()])
    return distributed.measured_by_all(history)


def _attend(run: Run, stop: StopRequest, metrics: dict[str, float]) -> None:
    """Do what is due after a step of which these figures are known."""
    clock, settings = run.clock, run.settings
    evaluate = clock.due(run.evaluate_every)
    if clock.due(settings.sample_every):
        metrics |= run.draw_samples()
    if evaluate:
        try:
            metrics |= run.evaluate(metrics, stop)
        except RunStopped:
            # The other processes have gone on, to where they ask whether to stop and to what follows then.
            distributed.stopping(True)
            _of_all_processes(run.game, [])
            raise
    if metrics:
        run.log(metrics)
    if clock.due(settings.checkpoint_every):
        run.save()
    if evaluate and run.is_hopeless():
        stop.request(PRUNER)
    clock.pause()
