"""One training run of a benchmark, in a process of its own that has imported everything already."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).parents[2]

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

MEASURED = "measured.json"
"""What a job's own measurement found, in the run's folder."""


_trained = threading.Event()


class Outcome(NamedTuple):
    """How a run ended.

    Attributes:
        status: `finished`, `failed`, `stopped` (by a limit of time) or `refused` (nothing was trained).
        scores: its last scores by name and what was measured of it; none unless it finished.
        cpu_seconds: of its process.
        folder: the run's; a temporary one is there only while the outcome is taken.
        output: the last of what it printed.
    """

    status: str
    scores: dict[str, float]
    cpu_seconds: float
    folder: Path
    output: str


@dataclass(frozen=True)
class Job:
    """A run that is to be made.

    Attributes:
        name: shown when it starts.
        overrides: what follows `python run.py`.
        take: is given the outcome, in the process that started the job.
        measure: returns further figures of a finished run, from its folder, in the run's process.
        folder: of the run; None for a temporary one.
        limit: seconds after which the run is asked to stop; None for no limit of its own.
        train_for: seconds after which it trains no further and is measured as it is, its process's own where there is
            no GPU, as processors are shared; None to train to its end.
    """

    name: str
    overrides: tuple[str, ...]
    take: Callable[[Outcome], None]
    measure: Callable[[Path], dict[str, float]] | None = None
    folder: Path | None = None
    limit: float | None = None
    train_for: float | None = None


class Started(NamedTuple):
    """A job whose process runs."""

    job: Job
    pid: int
    temporary: tempfile.TemporaryDirectory[str]
    began: float

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.job.folder or Path(self.temporary.name, "run")

    @property
    def printed(self) -> Path:
        """The file of what the process prints."""
        return Path(self.temporary.name, "output")


def prepare() -> None:
    """Import what runs need, once, so that it is no time of theirs; each of them has one thread."""
    os.environ.update(ONE_THREAD)
    import matplotlib.figure  # noqa: F401
    import torch._dynamo  # noqa: F401 (by far the slowest; optimizers import it)

    import gan_framework.cli.train
    import gan_framework.runs.launch  # noqa: F401

    for point in distribution("gan-framework").entry_points:
        if point.group.startswith("gan_framework.") and point.value.startswith("gan_zoo."):
            with contextlib.suppress(ImportError, AttributeError):  # of what nobody asks for
                point.load()


def start(job: Job, now: float) -> Started:
    """Start a job's process."""
    started = Started(job, 0, tempfile.TemporaryDirectory(ignore_cleanup_errors=True), now)
    pid = os.fork()
    if not pid:
        _train_here([*job.overrides, f"hydra.run.dir={started.run}"], started.printed, job, started.run)
    return started._replace(pid=pid)


def end(started: Started, code: int, cpu_seconds: float) -> None:
    """Have the outcome of a process that has ended taken, and drop its temporary folder."""
    with started.temporary:
        printed = started.printed.read_text(errors="replace") if started.printed.exists() else ""
        summary = _read(started.run / "summary.json", {"status": "refused"})
        status = summary["status"] if code == 0 or summary["status"] != "finished" else "failed"
        scores = {}
        if status == "finished":
            found = summary["metrics"].items()
            scores = {name.removeprefix("eval/"): value for name, value in found if name.startswith("eval/")}
        if code == 0:
            scores |= _read(started.run / MEASURED, {})
        started.job.take(Outcome(status, scores, round(cpu_seconds, 2), started.run, printed[-2000:]))


def _read(path: Path, otherwise: dict[str, Any]) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else otherwise


def _train_for(seconds: float) -> None:
    """Have this process asked to stop after so many seconds, unless it has trained by then."""
    import torch

    timed = torch.cuda.is_available()
    clock, ends = (signal.ITIMER_REAL, signal.SIGALRM) if timed else (signal.ITIMER_PROF, signal.SIGPROF)
    signal.signal(ends, lambda *_: signal.raise_signal(signal.SIGTERM) if not _trained.is_set() else None)
    signal.setitimer(clock, seconds)


def _train_here(arguments: list[str], printed: Path, job: Job, run: Path) -> NoReturn:
    code = 1
    try:
        with printed.open("wb") as file:
            os.dup2(file.fileno(), sys.stdout.fileno())
            os.dup2(file.fileno(), sys.stderr.fileno())
        from gan_framework.cli.train import train
        from gan_framework.errors import RunStopped

        os.chdir(ROOT)
        sys.argv = ["run.py", *arguments]
        if job.train_for is not None:
            _train_for(job.train_for)
        code = train()
        _trained.set()
        if code == RunStopped.exit_code and job.train_for is not None:
            code = 0
        if code == 0 and job.measure is not None:
            (run / MEASURED).write_text(json.dumps(job.measure(run)))
    except Exception:
        import traceback

        code = 1
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
