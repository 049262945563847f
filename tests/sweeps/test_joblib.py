"""Runs side by side in joblib's workers: dying runs, dying workers, shared cores, one signal for all."""

import os
import signal
from pathlib import Path

import pytest

from gan_framework.sweeps.naming import cores
from tests.sweeps.conftest import gone, parent

pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra [joblib]")

LONG = "train.steps=100000"


@pytest.mark.slow
def test_neither_a_killed_run_nor_a_killed_worker_ends_the_sweep(sweep, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    one = sweep("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "train.steps=100000,3", "seed=0,1", "metrics=[]")
    other = one.pid(LONG, "seed=1", steps=3)
    os.kill(one.pid(LONG, "seed=0"), signal.SIGKILL)
    one.wait_for(lambda: one.statuses().count("finished") == 2)
    assert one.statuses() == ["failed", "finished", "finished"]

    os.kill(parent(other), signal.SIGKILL)
    one.wait_for(lambda: gone(other))
    one.wait_for(lambda: (one.run(LONG, "seed=1") / "run.log").read_text().count("resumed from") == 1)
    one.process.send_signal(signal.SIGTERM)
    assert one.end() == 3, one.output
    assert "a worker process died (attempt 1 of 3)" in one.output
    assert "[steps=100000,seed=1][" in one.output
    assert "[steps=" not in (one.run(LONG, "seed=1") / "run.log").read_text()
    assert one.summary(LONG, "seed=1")["status"] == "stopped"
    assert "the sweep was stopped by SIGTERM: 2 of 4 runs finished" in one.output.strip().splitlines()[-1]
    assert (
        one.output.count("device cpu, 1 CPU threads" if cores() < 4 else f"device cpu, {cores() // 2} CPU threads") == 5
    )


@pytest.mark.slow
def test_no_run_outlives_a_killed_sweep(sweep):
    one = sweep("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", LONG, "seed=0,1,2", "metrics=[]")
    runs = [one.pid(f"seed={seed}") for seed in (0, 1)]
    one.process.kill()
    one.process.wait()
    for run in runs:
        one.wait_for(lambda run=run: gone(run), running=False)
    assert one.run("seed=2") is None


@pytest.mark.slow
def test_no_idle_worker_outlives_a_killed_sweep(sweep):
    one = sweep("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "train.steps=3,100000", "seed=0", "metrics=[]")
    run = one.pid(LONG, "seed=0")
    one.wait_for(lambda: one.statuses() == ["finished"])
    workers = [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if parent_of(path) == one.process.pid
    ]
    assert len(workers) >= 2 and parent(run) in workers
    one.process.kill()
    one.process.wait()
    for worker in workers:
        one.wait_for(lambda worker=worker: gone(worker), running=False)


def parent_of(stat):
    """Return the parent of the process of a file of the system's, 0 if it is gone."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
