"""A run: a game, its data and its folder, and how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework.build import Assembly, Config
from gan_framework.core import distributed
from gan_framework.core.records import Batch, NextBatch
from gan_framework.data import encoded
from gan_framework.errors import ConfigError, NonFinite
from gan_framework.evaluation import inputs, latents
from gan_framework.evaluation.protocol import differences
from gan_framework.runs import captured, checkpoint, diagnostics, restore
from gan_framework.runs.best import Best
from gan_framework.runs.counters import Counters
from gan_framework.runs.held_out import HeldOut, read_for_scores
from gan_framework.runs.progress import Progress
from gan_framework.runs.tracking import Trackers
from gan_framework.runs.watch import Watch, diversity
from gan_framework.storage import files
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.lock import Hold
from gan_framework.weights.pretrained import without_pretrained

log = logging.getLogger(__name__)

Pruner = Callable[[int, float], bool]
"""Says of a step and the score reached there whether the run should be stopped early."""

OnLog = Callable[[Mapping[str, Any]], object]
"""Is given each line of `metrics.jsonl`; what is true of what it returns asks for a stop."""

ROLLBACKS = 3
"""How often a run goes back to its last checkpoint before it gives up."""


class Run:
    """A game, its data and its folder, and how far it is.

    Attributes:
        config: the resolved configuration.
        settings: its scalar settings as objects.
        folder: the run's folder.
        leads: whether this process writes files and logs; of several processes one does.
        game: the game.
        batches: the real batches.
        evaluator: scores the game; None if nothing is scored.
        assistant: extracts this process's share of the features that the first process scores; None in that.
        thawing: has players update what was frozen, once it is due.
        trackers: where the metrics go.
        progress: what is shown in the terminal.
        counters: how far the run is.
        metrics: the newest value of every metric.
        scored: the step at which the newest scores were measured; None before the first.
        best: the best score so far.
        protocol: what the newest scores were measured with.
        baselines: what real held-out samples and noise score, beside each of these.
        ended_early: why its last step is one before `train.steps`, by its own rule; None otherwise.
        begun: the metrics of a step after which the run was stopped while it was scored; None otherwise.
        pruner: asked after each evaluation whether the run should be stopped early.
        on_log: given each line of metrics; it can ask for a stop. None where nobody listens.
        hold: the folder as this process holds it; None where it writes nothing.
        probabilistic: whether the discriminator is trained to be a probability; else it is a critic.
        watch: names what goes wrong.
        grid: the latents of the grids of samples.
        step: plays a step of the game, given what draws its batches.
        held_out: asks the discriminator about samples that it is not trained on.
    """

    def __init__(
        self,
        config: Config,
        folder: Path,
        assembly: Assembly,
        trackers: Trackers,
        progress: Progress,
        leads: bool = True,
    ) -> None:
        self.config = config
        self.settings = assembly.settings
        self.folder = RunFolder(folder)
        self.leads = leads
        self.game = game = assembly.game
        self.batches = assembly.batches
        self.evaluator = assembly.evaluator
        self.assistant = assembly.assistant
        self.thawing = assembly.thawing
        self.trackers = trackers
        self.progress = progress
        self.seed = self.settings.seed
        self.symbols: tuple[str, ...] = tuple(config["data"].get("symbols") or ())
        self.counters = Counters(self.settings.train.steps)
        self.metrics: dict[str, float] = {}
        self.scored: int | None = None
        ranking = self.evaluator.higher_is_better if self.evaluator is not None else {}
        self.best = Best(ranking, self.settings.evaluate.best)
        self.protocol: dict[str, Any] = {}
        self.baselines: dict[str, Any] = {}
        self.ended_early: str | None = None
        self.begun: dict[str, float] | None = None
        self.pruner: Pruner | None = None
        self.on_log: OnLog | None = None
        self.hold: Hold | None = None
        for player in map(game.player, game.players):
            player.skip_nonfinite = self.settings.train.on_nonfinite == "skip"
        self._before = (0, 0)  # batches drawn and images seen until the last resume, perhaps of another size
        self.probabilistic = game.loss is not None and game.loss.probabilistic
        self.watch = Watch(self.counters.steps, self.probabilistic, self._generator_gradient_vanishes)
        if game.data.condition_dim and self.batches.data.labels is not None:
            game.keep_conditions(self.batches.data.labels)
        count = self.settings.sample.count
        self.grid = latents.fixed_latent(game, count, self.seed, inputs=self._first(count))
        self.data_diversity = self._data_diversity()
        if self.settings.train.cuda_graph:
            captured.check(game, self.settings.train.on_nonfinite == "skip")
        self.step = self._stepping()
        train = self.settings.train
        share = train.batch_size // distributed.world()
        held_out = partial(read_for_scores, self.evaluator)
        self.held_out = HeldOut(game, self.batches.data, held_out, share, self.seed, train.log_every)

    # -- how far it is ----------------------------------------------------------------------------

    @property
    def where(self) -> str:
        """How far the run is, for messages."""
        return f"at step {self.counters.step}"

    @property
    def updates(self) -> dict[str, int]:
        """How often each player has been updated."""
        return {name: self.game.player(name).updates for name in self.game.players}

    @property
    def images_seen(self) -> int:
        """The number of real images drawn so far."""
        drawn, seen = self._before
        return int(seen + (self.batches.drawn - drawn) * self.settings.train.batch_size)

    @property
    def images_per_second(self) -> float:
        """The number of real images per second of training."""
        return self.images_seen / max(self.counters.training_seconds, 1e-9)

    @cached_property
    def data_identity(self) -> dict[str, dict[str, Any]]:
        """By which the training data are known again, for each source by name; the first has none."""
        return self.batches.identities()

    def axes(self) -> dict[str, Any]:
        """Return what a line of metrics can be drawn over."""
        return {
            "step": self.counters.step,
            "images_seen": self.images_seen,
            "updates": self.updates,
            "seconds": round(self.counters.seconds, 3),
        }

    def said_of_held_out(self) -> dict[str, float]:
        """Return what the discriminator says of training and of held-out samples, where a look at these is due."""
        due = self.leads and self.counters.due(self.held_out.every)
        return self.held_out.figures(self.counters.step) if due else {}

    def report(self) -> dict[str, Any]:
        """Return what `summary.json` says of the run."""
        best = self.best.found
        # A resumed run may still have scores of metrics that it had before.
        ranking = {best["metric"]: best["higher_is_better"]} if best else {}
        return self.axes() | {
            "images_per_second": round(self.images_per_second, 1),
            "metrics": self.metrics,
            "warnings": self.watch.named,
            "best": best or None,
            "baselines": self.baselines or None,
            "protocol": self.protocol or None,
            "higher_is_better": ranking | (self.evaluator.higher_is_better if self.evaluator is not None else {}),
            **({"ended_early": self.ended_early} if self.ended_early is not None else {}),
        }

    def forget_scores(self) -> None:
        """Forget the newest scores: they are of an earlier step."""
        self.metrics = {name: value for name, value in self.metrics.items() if not name.startswith("eval/")}

    def take_up_protocol(self, protocol: dict[str, Any]) -> None:
        """Forget earlier scores, and the best if a resumed run measures in another way."""
        self.forget_scores()
        self.scored = self.counters.step
        fields = differences(self.protocol, protocol) if self.protocol else []
        if fields:
            log.warning(
                "the evaluation protocol has changed (%s): scores from here on are not comparable with earlier ones, "
                "and best.pt starts over",
                ", ".join(fields),
            )
            self.best.found = {}
        self.protocol = protocol

    # -- what a checkpoint holds ------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint holds; `restore` takes up the same list."""
        game, pretrained = without_pretrained(self.game)
        return {
            "config": self.config,
            "shape": self.game.data.plain(),
            "data": self.data_identity,
            "game": game,
            **({"pretrained": pretrained} if pretrained else {}),
            "clock": self.counters.state(),
            "batches": self.batches.drawn,
            "images_seen": self.images_seen,
            "best": self.best.found,
            "metrics": self.metrics,
            **({"scored": self.scored} if self.scored is not None else {}),
            "protocol": self.protocol,
            "baselines": self.baselines,
            "watch": self.watch.state(),
        }

    def restore(self, state: dict[str, Any], path: Path, best: bool = True) -> None:
        """Take up the state of a checkpoint, and drop the metric lines of later steps.

        Args:
            state: what the checkpoint holds.
            path: names it in messages.
            best: whether to take up the best score too; it stays the one of `best.pt` where a run goes back by itself.

        Raises:
            ConfigError: the checkpoint is of another architecture, or lacks what all of them have.
        """
        if lacking := {"batches", "best", "metrics", "protocol"} - state.keys():
            raise restore.Unfit(f"the checkpoint {path} lacks the fields {', '.join(sorted(lacking))}")
        restore.restore(self.game, state, path)
        self.step = self._stepping()  # a graph has the addresses of the state before
        self.counters.restore(state["clock"])
        self.batches.drawn = state["batches"]
        seen = state.get("images_seen", state["batches"] * self.settings.train.batch_size)
        self._before = (state["batches"], seen)
        self.metrics, self.protocol = state["metrics"], state["protocol"]
        self.scored = state.get("scored")
        self.baselines = state.get("baselines", {})
        if best:
            self.best.found = state["best"] if self._holds_best(state["best"]) else {}
        self.begun = state.get("begun")
        if state.get("watch"):
            self.watch.restore(state["watch"])
        if self.leads:
            # A step whose scores are still to come has no line yet; one written by an earlier resume comes again.
            self.trackers.truncate_after(self.counters.step - (self.begun is not None))

    def _holds_best(self, best: dict[str, Any]) -> bool:
        """Return whether `best.pt` is the checkpoint that the best score was reached by.

        It is not where the run goes on in another folder, or from an earlier step than that of `best.pt`: what reached
        its score comes again, or never comes.
        """
        if not self.leads or not best or not self.folder.best.exists():
            return False
        try:
            held = checkpoint.load(self.folder.best).get("best")
        except ConfigError as error:
            log.warning("%s; best.pt starts over", error)
            return False
        if held != best:
            log.info("best.pt is not of step %d, which had the best score until here: it starts over", best["step"])
        return bool(held == best)

    def save(self) -> None:
        """Write a numbered checkpoint, `last.pt`, and delete what is older than the newest few."""
        if self.leads:
            self.counters.pause()
            self.write(self.state())

    def write(self, state: dict[str, Any]) -> None:
        """Write a state as the checkpoint of the present step, and as `last.pt`.

        Raises:
            RunFailed: the folder is not the run's any more.
        """
        self.check_folder()
        path = self.folder.checkpoint(self.counters.step)
        checkpoint.save(path, state)
        files.link_or_copy(path, self.folder.last)
        checkpoint.prune(self.folder.checkpoints, self.settings.train.keep)

    def check_folder(self) -> None:
        """Raise RunFailed if the folder is not the run's any more: it was deleted, or another run is in its place."""
        if self.hold is not None:
            self.hold.check()

    def roll_back(self, problem: NonFinite) -> None:
        """Go back to the newest checkpoint and on from there with other batches.

        Raises:
            NonFinite: the run is to stop instead, or has gone back too often.
        """
        found = checkpoint.newest(self.folder.checkpoints)
        counters = self.counters
        if self.settings.train.on_nonfinite != "rollback" or found is None or counters.rollbacks >= ROLLBACKS:
            raise problem
        path, state = found
        drawn, rollbacks = self.batches.drawn, counters.rollbacks + 1
        self.restore(state, path, best=False)
        self.batches.drawn, counters.rollbacks = drawn, rollbacks
        log.warning("%s; back to %s (%d of %d times)", problem, path.name, rollbacks, ROLLBACKS)
        self.trackers.warn(f"not_finite: {problem}; back to {path.name}", self.axes())

    def _stepping(self) -> Callable[[NextBatch], dict[str, Tensor]]:
        return captured.CapturedSteps(self.game) if self.settings.train.cuda_graph else self.game.step

    # -- what is looked at ------------------------------------------------------------------------

    def _first(self, count: int) -> Batch | None:
        """Return the first real samples, for games that make samples of samples."""
        if self.game.generates_from is None:
            return None
        source = inputs.source_of_inputs(self.game)
        data = self.batches.data if source is None else self.batches.others[source].data
        indices = torch.arange(count) % len(data)
        return inputs.given_to(self.game, inputs.batch_of(data, indices, self.game.device))

    def _generator_gradient_vanishes(self) -> bool:
        return self.game.loss is not None and diagnostics.generator_gradient_vanishes(self.game.loss)

    def _data_diversity(self, count: int = 256) -> float:
        """Return the mean distance between real samples."""
        data = self.batches.data
        chosen = torch.linspace(0, len(data) - 1, min(count, len(data))).long()
        return diversity(encoded(data.read(chosen), data.vocabulary))
