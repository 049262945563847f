"""W&B's service process and where it works: prepared, ended, and asked for its room."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

ROOM = 64 * 1024
"""Bytes that W&B writes at once, and so may lack without a word."""


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
