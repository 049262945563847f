"""Weights & Biases, online or offline."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from gan_framework.api import AXES, UPDATES, ConfigError, RunInfo, Tracker, columns, mask

logger = logging.getLogger(__name__)

MODES = ("auto", "online", "offline", "disabled")
INIT_TIMEOUT = 8.0
"""Seconds that a server may take to accept a run; the check of the API key takes up to 10 more."""

LONGEST_WAIT = 86_400
REFUSED_IN_PROJECTS = "/\\#?%:"

ROOM = 64 * 1024
"""Bytes that W&B writes at once, and so may lack without a word."""


class WandB(Tracker):
    """Logs a run to W&B: resolved configuration, metrics, sample grids, summary, final checkpoint.

    Without an API key, or without a server, the run is recorded offline in the run folder's `wandb/`.
    """

    def __init__(
        self,
        project: str | None,
        entity: str | None,
        group: str | None,
        tags: Sequence[str] | str,
        notes: str | None,
        mode: str,
        log_artifact: bool,
        finish_timeout: float,
    ) -> None:
        """Keep the settings.

        Args:
            project: the W&B project.
            entity: the user or team that owns it; None for the account's default.
            group: groups runs; None for the sweep's name.
            tags: labels of the run, or a single one.
            notes: a longer description of the run.
            mode: `online` and `auto` go on offline where they must (`auto` obeys WANDB_MODE);
                `offline` records for a later `wandb sync`; `disabled` does nothing.
            log_artifact: whether to upload the final checkpoint.
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
        self.finish_timeout = finish_timeout
        self.deadline = finish_timeout + 10
        self._settings: dict[str, Any] = {
            "project": project,
            "entity": entity,
            "tags": [tags] if isinstance(tags, str) else list(tags),
            "notes": notes,
            "group": group,
        }
        self._run: Any = None
        self._abandoned = False

    def start(self, run: RunInfo) -> None:
        """Begin or resume the W&B run of the same id, offline if it cannot be online."""
        self._folder = run.folder
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

    def log(self, record: Mapping[str, Any]) -> None:
        """Log the metrics of one step beside the axes and how often each player has been updated."""
        if self._run is not None:
            updates = {f"{UPDATES}{player}": n for player, n in record.get("updates", {}).items()}
            self._run.log({**self._axes(record), **updates, **record.get("metrics", {})}, step=record["step"])

    def image(self, name: str, path: Path, record: Mapping[str, Any]) -> None:
        """Log an image file."""
        if self._run is not None:
            import wandb

            # W&B names its copy after the step it is at, which the axes move on.
            self._run.log(self._axes(record), step=record["step"])
            self._run.log({name: wandb.Image(str(path))}, step=record["step"])

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Log the summary and, if asked for, the final checkpoint; then end the W&B run."""
        if self._run is None:
            return
        self._run.log({}, commit=True)  # else the last line, still open, would be summarised after the summary
        self._run.summary.update({key: value for key, value in summary.items() if key != "metrics"})
        best = summary.get("best") or {}
        if "metric" in best:
            self._run.summary[f"best/{best['metric']}"] = best["value"]
        checkpoint = self._folder / "checkpoints" / "last.pt"
        if self.log_artifact and checkpoint.exists():
            self._upload(checkpoint, summary)
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

        return wandb.init(
            **mask({**self._settings, "group": self._settings["group"] or run.sweep}),
            id=run.run_id,
            name=run.name,
            job_type=run.job_type,
            config=columns(run.config),
            dir=str(run.folder),
            mode=mode,
            resume="allow",
            # Another run of the same process, in a sweep, is never returned in this one's place.
            reinit="create_new",
            settings=self._quick_and_quiet(),
        )

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
            console="off",
            symlink=False,
            init_timeout=INIT_TIMEOUT,
            finish_timeout=self.finish_timeout,
            finish_timeout_raises=True,
            **{name: value for name, value in internal.items() if name in wandb.Settings.model_fields},
        )

    def _upload(self, checkpoint: Path, summary: Mapping[str, Any]) -> None:
        import wandb

        artifact = wandb.Artifact(f"checkpoint-{self._run.id}", type="model", metadata={"step": summary.get("step")})
        # Immutable: the file is read where it lies and not copied to a cache first.
        artifact.add_file(str(checkpoint), policy="immutable")
        self._run.log_artifact(artifact)

    def _record(self) -> Path:
        return Path(self._run.settings.sync_dir)

    def _axes(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {axis: record[axis] for axis in AXES if axis in record}


def prepare_environment(folder: Path) -> None:
    """Let W&B work where nothing answers and nothing can be written but the run's folder."""
    # W&B's telemetry would wait 20 s at exit for a server that does not answer.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    if not os.access(Path.home(), os.W_OK):
        os.environ.setdefault("WANDB_CACHE_DIR", str(folder.resolve() / "wandb" / "cache"))


def end_service() -> None:
    """Kill W&B's service process and forget it; the next run starts another."""
    import wandb

    # There is no public way to end a service that hangs.
    connection = getattr(wandb.setup(), "_connection", None)
    process = getattr(getattr(connection, "_proc", None), "_process", None)
    if process is not None:
        process.kill()
    with contextlib.suppress(Exception, SystemExit):  # the service is gone, as it should be
        wandb.teardown()


def check_room(record: Path) -> None:
    """Raise OSError if the disk has no room left for the record, which W&B itself keeps silent about."""
    written = sum(path.stat().st_size for path in record.glob("*.wandb"))
    with tempfile.TemporaryFile(dir=record) as probe:
        probe.seek(written)
        probe.write(bytes(ROOM))
