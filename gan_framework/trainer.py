"""The training loop."""

from __future__ import annotations

from torch import Tensor

from gan_framework import health, seeding
from gan_framework.errors import RunStopped
from gan_framework.health import NonFinite
from gan_framework.run import PRUNER, Run
from gan_framework.signals import StopRequest


def train(run: Run, stop: StopRequest) -> None:
    """Play the game to its last step, and do in between what is due.

    Raises:
        RunFailed: a loss was not finite, or a file could not be written.
        RunStopped: a stop was requested; the run has been saved and can be resumed.
    """
    game, clock, settings = run.game, run.clock, run.settings
    unchecked: list[dict[str, Tensor]] = []

    while clock.step < clock.steps and not stop.requested:
        # Everything random in a step follows from its number, so nothing in between can change it.
        seeding.reseed(run.seed, "step", clock.step, clock.rollbacks)
        measured = game.step(run.batches)
        clock.tick()
        unchecked.append(measured)

        log = clock.due(settings.log_every)
        sample = clock.due(settings.sample_every)
        evaluate = clock.due(run.evaluate_every)
        save = clock.due(settings.checkpoint_every)
        if not (log or sample or evaluate or save):
            continue

        # Reading a loss waits for the device, so losses are looked at only when something is due.
        try:
            run.check_finite(unchecked)
        except NonFinite as problem:
            run.roll_back(problem)
            continue
        finally:
            unchecked.clear()

        metrics: dict[str, float] = {}
        if log:
            metrics |= health.figures(measured) | health.gradient_norms(game)
        if sample:
            metrics |= run.draw_samples()
        if evaluate:
            metrics |= run.evaluate()
        if metrics:
            run.log(metrics)
        if save:
            run.save()
        if evaluate and run.is_hopeless():
            stop.request(PRUNER)
        clock.pause()

    if clock.step < clock.steps:
        run.check_finite(unchecked)
        run.save()
        raise RunStopped(f"stopped by {stop.reason} at step {clock.step}; the same command in the same folder resumes")
