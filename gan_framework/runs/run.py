"""A run: a game, its data and its folder, and what is done when something is due."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from gan_framework.build import Config
from gan_framework.core.game import Game
from gan_framework.data import Batches
from gan_framework.errors import NonFinite, RunStopped
from gan_framework.evaluation import drawing, latents
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.protocol import differences
from gan_framework.runs import checkpoint, diagnostics, restore
from gan_framework.runs.counters import Clock
from gan_framework.runs.progress import Progress
from gan_framework.runs.signals import Interrupted, StopRequest
from gan_framework.runs.tracking import Trackers
from gan_framework.runs.watch import Watch, diversity
from gan_framework.storage import files, pictures
from gan_framework.storage.images import save_png

log = logging.getLogger(__name__)

Judge = Callable[[int, float], bool]
"""Says of a step and the score reached there whether the run should be stopped early."""

PRUNER = "the sweep's pruner"
"""Who requests the stop that a judge is for."""

ROLLBACKS = 3
"""How often a run goes back to its last checkpoint before it gives up."""


class Run:
    """A game, its data and its folder, and what is done when something is due.

    Attributes:
        settings: the settings under `train`.
        evaluate_every: steps between scores; 0 means only at the end.
        metrics: the newest value of every figure.
        best: the best score so far: `metric`, `step`, `value` and `higher_is_better`.
        protocol: what the newest scores were measured with.
        begun: the figures of a step after which the run was stopped while it was scored; None otherwise.
        judge: asked after each evaluation whether the run should be stopped early.
        watch: names what goes wrong.
    """

    def __init__(
        self,
        config: Config,
        folder: Path,
        game: Game,
        batches: Batches,
        evaluator: Evaluator | None,
        trackers: Trackers,
        progress: Progress,
    ) -> None:
        self.config = config
        self.folder = folder
        self.game = game
        self.batches = batches
        self.evaluator = evaluator
        self.trackers = trackers
        self.progress = progress
        self.seed: int = config["seed"]
        self.settings = SimpleNamespace(**config["train"])
        self.evaluate_every: int = config["evaluate"]["every"]
        self.clock = Clock(self.settings.steps)
        self.metrics: dict[str, float] = {}
        self.best: dict[str, Any] = {}
        self.protocol: dict[str, Any] = {}
        self.begun: dict[str, float] | None = None
        self.judge: Judge | None = None
        for player in map(game.player, game.players):
            player.skip_nonfinite = self.settings.on_nonfinite == "skip"
        self._before = (0, 0)  # batches drawn and images seen until the last resume, perhaps of another size
        self.watch = Watch(self.settings.steps, game.loss is not None and game.loss.probabilistic)
        if game.data.condition_dim and batches.data.labels is not None:
            game.keep_conditions(batches.data.labels)
        self._grid = latents.fixed_latent(game, config["sample"]["count"], self.seed)
        self._data_diversity = _data_diversity(batches)

    # -- what the trainer asks for ----------------------------------------------------------------

    def check_finite(self, history: list[dict[str, Tensor]], gradient_norms: dict[str, float]) -> None:
        """Raise NonFinite if a loss in the steps since the last check, or a gradient of the last, was not finite.

        Where such moves are skipped there is nothing to raise for.
        """
        if history and self.settings.on_nonfinite != "skip":
            diagnostics.require_finite(history, self.clock.step)
            diagnostics.require_finite_gradients(self.game, gradient_norms, self.clock.step)

    def log(self, metrics: dict[str, float]) -> None:
        """Write one line of figures to the trackers and the progress bar."""
        self.metrics |= metrics
        for trouble in self.watch.look(self.clock.step, metrics):
            log.warning("step %d: %s", self.clock.step, trouble)
        self.trackers.log({**self._axes(), "metrics": metrics})
        self.progress.show(self.clock.step, metrics, self.images_per_second)

    def draw_samples(self) -> dict[str, float]:
        """Draw the grid of samples, from the same latents every time; return how diverse they are beside the data."""
        path = self.folder / "samples" / f"step_{self.clock.step:07d}.png"
        pictures.write(path, drawing.draw(self.game, self._grid, self.config["sample"]["columns"]))
        self.trackers.image("samples", path, self._axes())
        if self.game.prior is None or len(self._grid.z) < 2 or not self._data_diversity:
            return {}
        return {"health/diversity": diversity(self.game.sample(self._grid)) / self._data_diversity}

    def evaluate(self, figures: dict[str, float], stop: StopRequest) -> dict[str, float]:
        """Score the game; the best checkpoint so far is kept as `best.pt`.

        Args:
            figures: what is known of the step already.
            stop: a request to stop breaks the evaluation off; the resumed run begins with it.

        Raises:
            RunStopped: a stop was requested; the run has been saved and can be resumed.
        """
        if self.evaluator is None:
            return {}
        self.clock.pause()
        state = {**self._state(), "begun": figures}  # scoring changes none of it
        try:
            with stop.within(0):
                evaluation = self.evaluator(self.game)
        except Interrupted:
            self._write(state)
            raise RunStopped(
                f"stopped by {stop.reason} while the samples {self.where} were scored; "
                "the same command in the same folder resumes"
            ) from None
        for warning in evaluation.warnings:
            log.warning(warning)
        for name, picture in evaluation.pictures.items():
            path = self.folder / "samples" / f"{name}_{self.clock.step:07d}.png"
            save_png(path, picture)
            self.trackers.image(name, path, self._axes())
        self._forget_what_cannot_be_compared(evaluation.protocol)
        self.protocol = evaluation.protocol
        scores = ", ".join(f"{name} {value:.4g}" for name, value in evaluation.scores.items())
        log.info("step %d: %s", self.clock.step, scores)
        self._keep_best(evaluation.scores)
        return {f"eval/{name}": value for name, value in evaluation.scores.items()}

    def is_hopeless(self) -> bool:
        """Return whether the judge would stop the run, given the newest value of the score that it ranks by."""
        if self.judge is None or not self.best:
            return False
        return self.judge(self.clock.step, self.metrics[f"eval/{self.best['metric']}"])

    def save(self) -> None:
        """Write a numbered checkpoint, `last.pt`, and delete what is older than the newest few."""
        self.clock.pause()
        self._write(self._state())

    def _write(self, state: dict[str, Any]) -> None:
        folder = self.folder / "checkpoints"
        path = checkpoint.step_path(folder, self.clock.step)
        checkpoint.save(path, state)
        files.link_or_copy(path, folder / "last.pt")
        checkpoint.prune(folder, self.settings.keep)

    def roll_back(self, problem: NonFinite) -> None:
        """Go back to the newest checkpoint and on from there with other batches.

        Raises:
            NonFinite: the run is to stop instead, or has gone back too often.
        """
        found = checkpoint.newest(self.folder / "checkpoints")
        if self.settings.on_nonfinite != "rollback" or found is None or self.clock.rollbacks >= ROLLBACKS:
            raise problem
        path, state = found
        drawn, rollbacks, best = self.batches.drawn, self.clock.rollbacks + 1, self.best
        self.restore(state, path)
        self.best = best  # which best.pt holds
        self.batches.drawn, self.clock.rollbacks = drawn, rollbacks
        log.warning("%s; back to %s (%d of %d times)", problem, path.name, rollbacks, ROLLBACKS)

    # -- what starting and ending a run ask for ---------------------------------------------------

    def restore(self, state: dict[str, Any], path: Path) -> None:
        """Take up the state of a checkpoint, and drop the metric lines of later steps.

        Raises:
            ConfigError: the checkpoint is of another architecture.
        """
        restore.restore(self.game, state["game"], path)
        self.clock.restore(state["clock"])
        self.batches.drawn = state["batches"]
        self._before = (state["batches"], state.get("images_seen", state["batches"] * self.settings.batch_size))
        self.best, self.metrics, self.protocol = state["best"], state["metrics"], state["protocol"]
        if not (self.folder / "checkpoints" / "best.pt").exists():
            self.best = {}  # it was in another folder
        self.begun = state.get("begun")
        if "watch" in state:
            self.watch.restore(state["watch"])
        # A step whose scores are still to come has no line yet; one written by an earlier resume comes again.
        self.trackers.truncate_after(self.clock.step - (self.begun is not None))

    @property
    def where(self) -> str:
        """How far the run is, for messages."""
        return f"at step {self.clock.step}"

    @property
    def updates(self) -> dict[str, int]:
        """How often each player has moved."""
        return {name: self.game.player(name).updates for name in self.game.players}

    @property
    def images_seen(self) -> int:
        """The number of real images drawn so far."""
        drawn, seen = self._before
        return int(seen + (self.batches.drawn - drawn) * self.settings.batch_size)

    @property
    def images_per_second(self) -> float:
        """The number of real images per second of training."""
        return self.images_seen / max(self.clock.training_seconds, 1e-9)

    def _axes(self) -> dict[str, Any]:
        return {
            "step": self.clock.step,
            "images_seen": self.images_seen,
            "updates": self.updates,
            "seconds": round(self.clock.seconds, 3),
        }

    def _state(self) -> dict[str, Any]:
        return {
            "config": self.config,
            "shape": self.game.data.plain(),
            "game": self.game.state_dict(),
            "clock": self.clock.state(),
            "batches": self.batches.drawn,
            "images_seen": self.images_seen,
            "best": self.best,
            "metrics": self.metrics,
            "protocol": self.protocol,
            "watch": self.watch.state(),
        }

    def _forget_what_cannot_be_compared(self, protocol: dict[str, Any]) -> None:
        """Forget earlier scores where a resumed run measures in another way."""
        self.metrics = {name: value for name, value in self.metrics.items() if not name.startswith("eval/")}
        fields = differences(self.protocol, protocol) if self.protocol else []
        if fields:
            log.warning("scores are measured in another way from here on: %s; the best begins anew", ", ".join(fields))
            self.best = {}

    def _keep_best(self, scores: dict[str, float]) -> None:
        assert self.evaluator is not None
        ranking = self.evaluator.higher_is_better
        name = self.config["evaluate"]["best"] or next(iter(ranking), None)
        if name is None:
            return
        value = scores[name]
        if self.best and self.best["metric"] != name:
            self.best = {}
        before = self.best.get("value", value)
        better = not self.best or (value > before if ranking[name] else value < before)
        if better and value == value:
            self.best = {
                "metric": name,
                "step": self.clock.step,
                "value": value,
                "higher_is_better": ranking[name],
            }
            checkpoint.save(self.folder / "checkpoints" / "best.pt", self._state())


def _data_diversity(batches: Batches, count: int = 256) -> float:
    """Return the mean distance between real samples."""
    samples = batches.data.read(torch.linspace(0, len(batches.data) - 1, min(count, len(batches.data))).long())
    scale = 127.5 if samples.dtype == torch.uint8 else 1.0
    return diversity(samples.float() / scale)
