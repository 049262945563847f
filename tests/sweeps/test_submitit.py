"""Each run as a job of submitit's: on this machine, and requeued when its time is up."""

import os
import signal

import pytest

from tests.helpers.resuming import lines
from tests.sweeps.conftest import parent

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra [slurm]")


def requeued(log):
    return [path for path in log.glob(".submitit/*/*_log.out") if "Requeued job" in path.read_text()]


@pytest.mark.slow
def test_a_job_whose_time_is_up_saves_is_requeued_and_goes_on_exactly(sweep, tmp_path):
    request = ["hydra/launcher=submitit_local", "train.steps=400", "evaluate.every=100"]
    plain = sweep("train.steps=400", "evaluate.every=100", "seed=0", folder=tmp_path / "plain")
    assert plain.end() == 0, plain.output

    one = sweep(*request, "seed=0")
    one.pid("seed=0", steps=20)
    # The job's process is the parent of the run's: the signal goes where SLURM sends it.
    job = parent(int((one.run("seed=0") / ".owner").read_text().split()[1]))
    os.kill(job, signal.SIGUSR2)
    assert one.end() == 0, one.output
    assert len(requeued(one.folder)) == 1
    log = (one.run("seed=0") / "run.log").read_text()
    assert log.count("resumed from") == 1
    assert lines(one.run("seed=0")) == lines(plain.run("seed=0"))
    assert one.summary("seed=0")["best"] == plain.summary("seed=0")["best"]


@pytest.mark.slow
def test_a_killed_run_is_recorded_and_costs_no_other(sweep):
    one = sweep("hydra/launcher=submitit_local", "train.steps=100000,3", "seed=0", "metrics=[]")
    os.kill(one.pid("train.steps=100000"), signal.SIGKILL)
    assert one.end() == 1, one.output
    assert one.statuses() == ["failed", "finished"]
    assert "killed by SIGKILL" in one.summary("train.steps=100000")["error"]
    assert "error: 1 of 2 runs failed" in one.output
