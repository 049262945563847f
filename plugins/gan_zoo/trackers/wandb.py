"""Weights & Biases, online or offline."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from gan_framework.api import AXES, RESOLVED, UPDATES, ConfigError, RunInfo, Tracker, columns, mask, tags_of
from gan_zoo.trackers.run_log import RunLog
from gan_zoo.trackers.samples_by_step import Row, SamplesByStep
from gan_zoo.trackers.source_code import copy_sources
from gan_zoo.trackers.wandb_service import check_room, end_service, prepare_environment

logger = logging.getLogger(__name__)

MODES = ("auto", "online", "offline", "disabled")
INIT_TIMEOUT = 8.0
"""Seconds that a server may take to accept a run; the check of the API key takes up to 10 more."""

LONGEST_WAIT = 86_400
REFUSED_IN_PROJECTS = "/\\#?%:"

MOST_ALERTS = 20
"""Alerts that one process sends."""

LONGEST_TAG = 64
"""Characters that W&B takes of a tag."""

SHADOWED = Path("wandb", ".shadowed")
"""A file of the run's folder that names the groups of settings that are in the column `resolved`."""

STEP = re.compile(r"step_(\d+)\.pt")
"""The name of a numbered checkpoint."""


class WandB(Tracker):
    """Logs a run to W&B: resolved configuration, metrics, samples, log, alerts, summary; if asked checkpoints and code.

    Without an API key, or without a server, the run is recorded offline in the run folder's `wandb/`.
    """

    def __init__(
        self,
        project: str | None,
        entity: str | None,
        group: str | None,
        tags: Sequence[str] | str,
        auto_tags: bool,
        notes: str | None,
        mode: str,
        log_artifact: bool,
        code: bool,
        alerts: bool,
        finish_timeout: float,
    ) -> None:
        """Keep the settings.

        Args:
            project: the W&B project.
            entity: the user or team that owns it; None for the account's default.
            group: groups runs; None for the sweep's name.
            tags: labels of the run, or a single one.
            auto_tags: whether it is also tagged with what it is made of: data, generator, loss, terms, strategies.
            notes: a longer description of the run.
            mode: `online` and `auto` go on offline where they must (`auto` obeys WANDB_MODE);
                `offline` records for a later `wandb sync`; `disabled` does nothing.
            log_artifact: whether to upload the last and the best checkpoint, as versions of one artifact.
            code: whether to upload the source code of the framework and of the packages whose plugins are loaded.
            alerts: whether to alert when a trouble begins and when the run fails.
            finish_timeout: seconds that a finished run waits for its upload.

        Raises:
            ConfigError: a value that W&B would refuse later.
        """
        if mode not in MODES:
            raise ConfigError(f"tracker.wandb.mode={mode!r} is none of {', '.join(MODES)}")
        if not 0 < finish_timeout <= LONGEST_WAIT:
            raise ConfigError(f"tracker.wandb.finish_timeout={finish_timeout} is not between 0 and {LONGEST_WAIT} s")
        if project and any(character in REFUSED_IN_PROJECTS for character in project):
            raise ConfigError(f"tracker.wandb.project={project!r} must hold none of {REFUSED_IN_PROJECTS}")
        if mode == "auto":
            mode = {"offline": "offline", "dryrun": "offline", "disabled": "disabled"}.get(
                os.environ.get("WANDB_MODE", ""), mode
            )
        self.mode = mode
        self.log_artifact = log_artifact
        self.code = code
        self.auto_tags = auto_tags
        self.finish_timeout = finish_timeout
        self.deadline = finish_timeout + 10
        self._settings: dict[str, Any] = {
            "project": project,
            "entity": entity,
            "tags": [tags] if isinstance(tags, str) else list(tags),
            "notes": notes,
            "group": group,
        }
        self._alerts_left = MOST_ALERTS if alerts else 0
        self._run: Any = None
        self._run_log: RunLog | None = None
        self._samples = SamplesByStep()
        self._abandoned = False

    def start(self, run: RunInfo) -> None:
        """Begin or resume the W&B run of the same id, offline if it cannot be online."""
        self._folder = run.folder
        self._config = run.config
        if self.mode == "disabled":
            return
        prepare_environment(run.folder)
        why = "as configured" if self.mode == "offline" else self._log_in()
        if why is None:
            try:
                self._run = self._init(run, "online")
            except Exception as error:
                if self._abandoned:
                    raise
                end_service()
                why = mask(str(error))
        if why is not None:
            self._run = self._init(run, "offline")
        sync = f"wandb sync {self._record()}"
        self.kept = f"what was logged so far is kept for `{sync}`"
        if why is None:
            logger.info("W&B: %s", self._run.url)
        else:
            logger.info("W&B is offline (%s); to upload the run later: %s", why, sync)
        for axis in AXES:
            self._run.define_metric(axis)
        for prefix in ("train/*", "eval/*", "health/*"):
            self._run.define_metric(prefix, step_metric=AXES[0])
        if run.log is not None:
            self._run_log = RunLog(*run.log)
        if run.resumed:
            self._samples.recall(run.folder)
        if self.code:
            with self._said_if_lost("the source code"):
                self._log_code()

    def log(self, record: Mapping[str, Any]) -> None:
        """Log the metrics of one step beside the axes and how often each player has been updated."""
        if self._run is not None:
            updates = {f"{UPDATES}{player}": n for player, n in record.get("updates", {}).items()}
            self._run.log({**self._axes(record), **updates, **record.get("metrics", {})}, step=record["step"])
            self._samples.log(record)
            self._follow_log()

    def image(self, name: str, path: Path, record: Mapping[str, Any]) -> None:
        """Log an image file."""
        if self._run is not None:
            import wandb

            # W&B names its copy after the step it is at, which the axes move on.
            self._run.log(self._axes(record), step=record["step"])
            self._run.log({name: wandb.Image(str(path))}, step=record["step"])
            if name == "samples":
                self._samples.image(path, record)
            self._follow_log()

    def warn(self, trouble: str, record: Mapping[str, Any]) -> None:
        """Alert whoever has asked W&B for it."""
        if self._run is not None:
            name, _, what = trouble.partition(": ")
            self._alert(name, f"step {record['step']}: {what or name}", "WARN")

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Log the samples by step, the summary and, if asked for, checkpoints; then end the W&B run.

        A run that was stopped is to be resumed, which may be soon: what takes long is left to its end.
        """
        if self._run is None:
            return
        over = summary.get("status") != "stopped"
        self._summarise(summary)  # at once: the server may let what follows wait until nobody waits for it any more
        if over:
            with self._said_if_lost("the table of samples"):
                self._log_table(summary)
        self._run.log({}, commit=True)  # else the last line, still open, would be summarised after the summary
        self._summarise(summary)
        if self.log_artifact and over:
            with self._said_if_lost("the checkpoints"):
                self._upload(summary)
        if summary.get("status") == "failed":
            self._alert("failed", str(summary.get("error")), "ERROR")
        self._follow_log(to_the_end=True, then=str(summary.get("error") or ""))
        self._run.finish(exit_code=int(summary.get("status") == "failed"))
        try:
            check_room(self._record())
        except OSError:
            self.kept = f"the record in {self._record()} is cut off; metrics.jsonl in the run's folder has everything"
            raise

    def abandon(self) -> None:
        """End the service process at once: it may hang, and would then keep this process from ending."""
        self._abandoned = True
        end_service()

    def _log_in(self) -> str | None:
        """Return why the server cannot be used, or None if it can."""
        import wandb

        wandb.setup(wandb.Settings(silent=True, show_warnings=False, show_info=False, show_errors=False))
        try:
            if wandb.login(prompt=False, verify=True):
                return None
        except wandb.errors.Error as error:
            return str(mask(str(error)))
        return "there is no API key: see `wandb login`"

    def _init(self, run: RunInfo, mode: Literal["online", "offline"]) -> Any:
        import wandb

        own = {**self._settings, "group": self._settings["group"] or run.sweep, "tags": self._tags(run.config)}
        configuration = columns(run.config)
        begun = wandb.init(
            **mask(own),
            id=run.run_id,
            name=run.name,
            job_type=run.job_type,
            config=configuration,
            dir=str(run.folder),
            mode=mode,
            resume="allow",
            # Another run of the same process, in a sweep, is never returned in this one's place.
            reinit="create_new",
            settings=self._quick_and_quiet(),
        )
        # A sweep that the server plans has columns of its own, named as what is typed: `loss: hinge`.
        shadowed = {
            key: value
            for key, value in configuration.items()
            if isinstance(value, Mapping) and not isinstance(begun.config.get(key, value), Mapping)
        }
        if shadowed:
            begun.config.update({RESOLVED: shadowed})
            with contextlib.suppress(OSError):  # only a dashboard of the run's folder asks for it
                place = run.folder / SHADOWED
                place.unlink(missing_ok=True)  # a link in its place is not followed
                with place.open("x") as file:
                    file.write(" ".join(sorted(shadowed)))
        return begun

    def _tags(self, config: Mapping[str, Any]) -> list[str]:
        own = [*self._settings["tags"]] + (tags_of(config) if self.auto_tags else [])
        return [*dict.fromkeys(tag[:LONGEST_TAG] for tag in own if tag)]

    def _quick_and_quiet(self) -> Any:
        import wandb

        internal = {
            # What is on disk survives a kill.
            "x_transaction_log_flush_interval": 1.0,
            # The metadata hold the command line.
            "x_disable_meta": mask(sys.argv) != sys.argv,
        }
        return wandb.Settings(
            silent=True,
            # The run's log is sent in its place: the console has a moving bar, and what was said before this line not.
            console="off",
            symlink=False,
            init_timeout=INIT_TIMEOUT,
            finish_timeout=self.finish_timeout,
            finish_timeout_raises=True,
            **{name: value for name, value in internal.items() if name in wandb.Settings.model_fields},
        )

    def _summarise(self, summary: Mapping[str, Any]) -> None:
        self._run.summary.update({key: value for key, value in summary.items() if key != "metrics"})
        best = summary.get("best") or {}
        if "metric" in best:
            self._run.summary[f"best/{best['metric']}"] = best["value"]

    def _follow_log(self, to_the_end: bool = False, then: str = "") -> None:
        """Send what is new in `run.log` to the run's Logs tab."""
        if self._run_log is None:
            return
        text = self._run_log.rest() if to_the_end else self._run_log.new()
        text += f"error: {mask(then)}\n" if then else ""
        if text:
            self._run.write_logs(text)

    def _alert(self, title: str, text: str, level: str) -> None:
        if self._alerts_left:
            self._alerts_left -= 1
            self._run.alert(title=str(mask(title)), text=str(mask(text)), level=level)

    def _log_code(self) -> None:
        project = re.sub(r"[^A-Za-z0-9_.-]", "_", self._run.project or "run")[:64]
        with tempfile.TemporaryDirectory() as folder, self._staging():
            for what in copy_sources(Path(folder)):
                logger.warning("not among the source code that W&B is given: %s", what)
            self._run.log_code(folder, f"source-{project}", lambda path: True, lambda path: False)

    def _log_table(self, summary: Mapping[str, Any]) -> None:
        import wandb

        rows = self._samples.rows(summary.get("step", 0), (summary.get("best") or {}).get("step"))
        if not rows:
            return
        scores = sorted({name for row in rows for name in row.scores})
        table = wandb.Table(columns=["step", "images_seen", "samples", *scores], allow_mixed_types=True)
        for row in rows:
            table.add_data(*self._cells(row, scores))
        with self._staging():
            self._run.log({"samples_by_step": table}, commit=False)

    def _cells(self, row: Row, scores: list[str]) -> list[Any]:
        import wandb

        return [row.step, row.images_seen, wandb.Image(str(row.picture)), *map(row.scores.get, scores)]

    def _upload(self, summary: Mapping[str, Any]) -> None:
        """Upload the best and the last checkpoint as versions of one artifact, or as one version if they are one."""
        folder = self._folder / "checkpoints"
        numbered = [int(found[1]) for path in folder.glob("step_*.pt") if (found := STEP.fullmatch(path.name))]
        last = max(numbered, default=summary.get("step", 0))
        best = summary.get("best") or {}
        metric = best.get("metric")
        score = summary.get("metrics", {}).get(f"eval/{metric}")
        if (folder / "best.pt").exists() and best.get("step") not in (None, last):
            self._log_checkpoint(folder / "best.pt", ["best"], best["step"], {str(metric): best["value"]}, summary)
        if (folder / "last.pt").exists():
            aliases = ["latest", *(["best"] if best.get("step") == last else [])]
            self._log_checkpoint(folder / "last.pt", aliases, last, {metric: score} if metric else {}, summary)

    def _log_checkpoint(
        self, path: Path, aliases: list[str], step: int, score: Mapping[str, Any], summary: Mapping[str, Any]
    ) -> None:
        import wandb

        metadata = {
            "step": step,
            "score": score,
            "protocol": summary.get("protocol"),
            "status": summary.get("status"),
            "versions": summary.get("versions"),
            "config": self._config,
        }
        artifact = wandb.Artifact(f"checkpoint-{self._run.id}", type="model", metadata=writable(metadata))
        # Immutable: the file is read where it lies and not copied to a cache first.
        artifact.add_file(str(self._own(path)), name="checkpoint.pt", policy="immutable")
        self._run.log_artifact(artifact, aliases=[*aliases, f"step-{step}"])

    def _own(self, path: Path) -> Path:
        """Return a name of a checkpoint in the record itself, which still has it when the run has gone on."""
        own = self._record() / "checkpoints" / path.name
        try:
            own.parent.mkdir(exist_ok=True)
            os.link(path, own)
        except OSError:  # the disk knows no second names
            return path
        return own

    @contextlib.contextmanager
    def _staging(self) -> Iterator[None]:
        """Have W&B keep copies of what it has still to upload in the record, not in the home folder."""
        if "WANDB_DATA_DIR" in os.environ:
            yield
            return
        os.environ["WANDB_DATA_DIR"] = str(self._record())
        try:
            yield
        finally:
            del os.environ["WANDB_DATA_DIR"]

    @contextlib.contextmanager
    def _said_if_lost(self, what: str) -> Iterator[None]:
        """Go on without something that the run's figures do not need."""
        try:
            yield
        except Exception as error:
            if self._abandoned:
                raise
            logger.warning("W&B does not get %s (%s: %s)", what, type(error).__name__, mask(str(error)))

    def _record(self) -> Path:
        return Path(self._run.settings.sync_dir)

    def _axes(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {axis: record[axis] for axis in AXES if axis in record}


def writable(value: Any) -> Any:
    """Return plain data as strict JSON can hold them: numbers that are not finite become text."""
    if isinstance(value, Mapping):
        return {str(key): writable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [writable(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
