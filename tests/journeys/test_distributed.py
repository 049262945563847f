"""Several processes train one model as one process would, and end together."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import torch

from gan_framework.runs import checkpoint
from tests.helpers.program import ROOT, Program
from tests.helpers.resuming import wait

SMALL = [
    "model=mlp",
    "networks.discriminator.hidden=[16]",
    "optimizer=sgd",
    "train.batch_size=16",
    "train.log_every=1",
    "train.sample_every=0",
    "train.checkpoint_every=0",
    "metrics=[]",
    "tracker=[]",
]


class Ranks:
    """The processes of a run, as torchrun would start them, but without its agent."""

    def __init__(self, world, arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(world)}
        self.processes = [
            Program(arguments, env={**meeting, "RANK": str(n), "LOCAL_RANK": str(n)}, merged=True) for n in range(world)
        ]

    def end(self, timeout=150):
        """Return the exit code and the output of each."""
        deadline = time.monotonic() + timeout
        hanging = []
        for process in self.processes:
            try:
                process.wait(max(deadline - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                hanging.append(process.pid)
        for process in self.processes:
            process.kill()
        outputs = [process.communicate()[0] for process in self.processes]
        assert not hanging, outputs
        return [process.returncode for process in self.processes], outputs


@pytest.fixture
def run(cache, tmp_path):
    started = []

    def start(world, *arguments, folder=None):
        folder = folder or tmp_path / f"run{len(started)}"
        started.append(Ranks(world, [*SMALL, f"hydra.run.dir={folder}", *arguments]))
        started[-1].folder = folder
        return started[-1]

    yield start
    for ranks in started:
        for process in ranks.processes:
            process.kill()


def done(ranks):
    codes, outputs = ranks.end()
    assert codes == [0] * len(codes), outputs
    return ranks.folder


def records(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def wait_for(folder, lines):
    deadline = time.monotonic() + 60
    while not (folder / "metrics.jsonl").exists() or len(records(folder)) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def same(one, two, tolerance):
    """The figures of every step, and all weights at the end, are the same up to rounding."""
    for a, b in zip(records(one), records(two), strict=True):
        assert a["metrics"] == pytest.approx(b["metrics"], rel=tolerance, abs=tolerance)
        assert {**a, "metrics": 0, "seconds": 0} == {**b, "metrics": 0, "seconds": 0}
    a, b = (checkpoint.load(folder / "checkpoints" / "last.pt") for folder in (one, two))
    assert a["batches"] == b["batches"]
    weights = [name for name in a["game"] if name.startswith("networks.") and "extra" not in name]
    assert len(weights) >= 8
    for name in weights:
        torch.testing.assert_close(a["game"][name], b["game"][name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "overrides",
    [
        ["strategy=[ema,k_step]", "strategy.k_step.k=2"],
        ["strategy=[loss_gated]", "data.flip=true"],
    ],
    ids=" ".join,
)
def test_two_processes_do_what_one_does(run, overrides):
    one, two = (run(world, "train.steps=3", *overrides) for world in (1, 2))
    same(done(one), done(two), 1e-5)


def test_a_sweep_goes_through_its_runs_with_all_processes(run, tmp_path):
    folder = tmp_path / "sweep"
    done(run(2, "train.steps=3", "seed=0,1", f"hydra.sweep.dir={folder}", "hydra.sweep.subdir=${seed}", "--multirun"))
    for seed in ("0", "1"):
        same(done(run(1, "train.steps=3", f"seed={seed}")), folder / seed, 1e-5)
        assert (folder / seed / "run.log").read_text().count("CPU threads") == 1


def test_a_signal_to_one_stops_both_and_any_number_of_processes_goes_on(run):
    stopped = run(2, "train.steps=400")
    wait_for(stopped.folder, 5)
    os.kill(stopped.processes[1].pid, signal.SIGTERM)
    (code, _), outputs = stopped.end()
    assert code == 3 and "stopped: another process at step" in outputs[0], outputs
    step = json.loads((stopped.folder / "summary.json").read_text())["step"]
    assert step < 400
    steps = f"train.steps={step + 20}"
    same(done(run(1, steps, folder=stopped.folder)), done(run(1, steps)), 1e-3)


@pytest.mark.slow
def test_a_signal_during_scoring_stops_both_and_the_scores_are_made_up_for(run):
    scored = ["extractor=raw", "metrics=[fid]", "train.steps=8", "evaluate.every=4", "evaluate.samples=20000"]
    scored += ["evaluate.batch_size=50", "train.sample_every=4"]
    stopped = run(2, *scored)
    wait(stopped.processes[0], (stopped.folder / "samples" / "step_0000004.png").exists)  # drawn before they are scored
    before = time.monotonic()
    for process in stopped.processes:  # as torchrun sends it to all
        process.send_signal(signal.SIGTERM)
    (code, _), outputs = stopped.end()
    assert time.monotonic() - before < 10
    assert code == 3 and "while the samples at step 4 were scored" in outputs[0], outputs
    assert len(records(stopped.folder)) == 3
    same(done(run(2, *scored, folder=stopped.folder)), done(run(2, *scored)), 1e-5)


@pytest.mark.slow
def test_when_one_dies_the_other_ends_and_says_so(run):
    ranks = run(2, "train.steps=1000000")
    wait_for(ranks.folder, 5)
    ranks.processes[1].kill()
    codes, outputs = ranks.end(timeout=30)
    assert codes == [1, -signal.SIGKILL]
    assert outputs[0].strip().splitlines()[-1].startswith("error: another process of the run died")
    assert json.loads((ranks.folder / "summary.json").read_text())["status"] == "failed"


def test_a_wrong_request_is_said_once(run):
    (code, other), (output, silence) = run(2, "train.batch_size=15").end()
    assert (code, other, silence) == (2, 0, "")
    assert "train.batch_size=15 cannot be shared out evenly among 2 processes; use 14" in output
    (code, _), (output, _) = run(2, "train.sync_batch_norm=true").end()
    assert code == 2 and "train.sync_batch_norm=true works between GPUs only" in output


@pytest.mark.slow
def test_torchrun(cache, tmp_path):
    command = ["-m", "torch.distributed.run", "--nproc-per-node=2", str(ROOT / "run.py"), *SMALL, "train.steps=2"]
    done = subprocess.run(
        [sys.executable, *command, f"hydra.run.dir={tmp_path}"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [record["images_seen"] for record in records(tmp_path)] == [16, 32]
    assert json.loads((tmp_path / "summary.json").read_text())["status"] == "finished"


@pytest.mark.slow
def test_no_process_outlives_a_killed_torchrun_for_long_and_what_they_did_is_saved(cache, tmp_path):
    command = ["-m", "torch.distributed.run", "--nproc-per-node=2", str(ROOT / "run.py"), *SMALL]
    agent = subprocess.Popen(
        [sys.executable, *command, "train.steps=1000000", f"hydra.run.dir={tmp_path}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 240
        while not (tmp_path / "metrics.jsonl").exists() or len(records(tmp_path)) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        agent.kill()
        agent.wait()
    deadline = time.monotonic() + 60
    while not (tmp_path / "summary.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert json.loads((tmp_path / "summary.json").read_text())["status"] == "stopped"


@pytest.mark.slow
def test_two_processes_score_what_one_does_each_a_share_of_the_samples(run):
    """In rounds of batches of 30, of which the second process has three and the first four."""
    scored = ["data=digits", "extractor=classifier", "metrics=[fid,inception_score]", "evaluate.baselines=false"]
    scored += [
        "evaluate.samples=200",
        "evaluate.batch_size=30",
        "evaluate.seeds=2",
        "train.steps=2",
        "evaluate.every=1",
    ]
    one, two = (done(run(world, *scored)) for world in (1, 2))
    found = [json.loads((folder / "summary.json").read_text())["metrics"] for folder in (one, two)]
    names = [name for name in found[0] if name.startswith("eval/")]
    assert len(names) >= 2
    for name in names:
        assert found[1][name] == pytest.approx(found[0][name], rel=1e-4)
