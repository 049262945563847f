"""Sweeps of the real program: failures stay where they are, and what was interrupted goes on."""

import os
import signal
import time

import pytest
from omegaconf import OmegaConf

from gan_framework.errors import ConfigError
from gan_framework.sweeps.driver import require
from tests.helpers.resuming import lines
from tests.sweeps.conftest import gone

LONG = "train.steps=100000"
SMOOTHED = "strategy=[one_sided_label_smoothing]"


def test_failed_and_killed_runs_cost_no_other_and_finished_ones_are_not_run_again(sweep):
    first = sweep("loss=wasserstein", "train.steps=100000,3", f"strategy=[],{SMOOTHED[9:]}")
    os.kill(first.pid(LONG, "strategy=[]"), signal.SIGKILL)
    assert first.end() == 1, first.output
    assert first.statuses() == ["failed", "failed", "failed", "finished"]
    killed = first.summary(LONG, "strategy=[]")
    assert killed["status"] == "failed" and "killed by SIGKILL" in killed["error"]
    assert "killed by SIGKILL" in (first.run(LONG, "strategy=[]") / "run.log").read_text()
    assert "has no effect on Wasserstein" in first.summary("train.steps=3", SMOOTHED)["error"]
    table = first.output[first.output.index("Runs that did not finish") :]
    assert table.count("failed ") == 3 and "killed by SIGKILL" in table
    last = first.output.strip().splitlines()[-1]
    assert last.startswith("error: 3 of 4 runs failed") and "'strategy=[],[one_sided_label_smoothing]'" in last
    assert last.endswith("sweep.retry_failed=true") and "run.py -m model=mlp" in last
    assert "Traceback" not in first.output

    finished = first.run("train.steps=3", "strategy=[]") / "summary.json"
    before = finished.stat().st_mtime_ns
    second = sweep("loss=wasserstein", "train.steps=3", "strategy=[],[ema]", f"sweep.resume={first.folder}")
    assert second.end() == 0, second.output
    assert finished.stat().st_mtime_ns == before
    assert second.statuses() == ["failed", "failed", "failed", "finished", "finished"]
    assert "2 of 2 runs finished" in second.output
    assert "fid_raw was measured in different ways (ema): the 2 runs are not ranked" in second.output
    assert second.output.strip().endswith(f"next: gan-framework compare {first.folder}")


def test_a_sweep_killed_as_a_whole_goes_on_where_it_was(sweep):
    request = ["train.steps=300", "seed=0,1"]
    first = sweep(*request)
    run = first.pid("seed=0", steps=20)
    first.process.kill()
    first.end()
    first.wait_for(lambda: gone(run), running=False)
    done = len(lines(first.run("seed=0")))
    assert 20 <= done < 300
    assert first.run("seed=1") is None

    second = sweep(*request, f"sweep.resume={first.folder}")
    assert second.end() == 0, second.output
    resumed_at = int(second.output.split("at step ")[1].split()[0])
    assert done - 2 <= resumed_at
    for seed in (0, 1):
        steps = [record["step"] for record in lines(second.run(f"seed={seed}"))]
        assert steps == list(range(1, 301))


def test_a_signal_saves_the_current_run_and_starts_no_other(sweep):
    one = sweep(LONG, "seed=0,1,2")
    run = one.pid("seed=0", steps=3)
    begun = time.monotonic()
    one.process.send_signal(signal.SIGINT)
    assert one.end() == 3, one.output
    assert time.monotonic() - begun < 20
    assert one.output.strip().splitlines()[-1].startswith("stopped: the sweep was stopped by SIGINT: 0 of 1")
    assert one.statuses() == ["stopped"]
    assert one.summary("seed=0")["step"] >= 3
    assert gone(run)
    assert not (one.folder / ".stop").exists()


def test_two_sweeps_do_not_share_a_folder_and_requests_that_cannot_be_end_with_code_2(sweep, tmp_path):
    one = sweep(LONG, "seed=0,1")
    one.wait_for(lambda: (one.folder / ".owner").exists())
    two = sweep(LONG, "seed=0,1")
    assert two.end() == 2
    assert f"in use by pid {one.process.pid}" in two.output.strip().splitlines()[-1]
    for wrong, why in [
        (["sweep.resume=nowhere", "seed=0,1"], "sweep.resume=nowhere: no such folder"),
        (["loss=hinge,no_such_loss"], "no_such_loss"),
        (["seed=glob(*)"], "seed=glob(*): there is nothing to sweep over"),
    ]:
        other = sweep(*wrong, folder=tmp_path / "other")
        assert other.end() == 2, other.output
        assert why in other.output.strip().splitlines()[-1], other.output
        assert not list((tmp_path / "other").glob("*/summary.json"))


@pytest.mark.parametrize(("name", "extra"), [("ray", "ray"), ("submitit_slurm", "slurm")])
def test_a_launcher_that_is_not_installed_is_named_with_its_extra(name, extra):
    launcher = {"_target_": "hydra_plugins.not_installed.launcher.Launcher"}
    config = OmegaConf.create({"hydra": {"runtime": {"choices": {"hydra/launcher": name}}, "launcher": launcher}})
    with pytest.raises(ConfigError, match=rf"hydra/launcher={name} .* pip install 'gan-framework\[{extra}\]'"):
        require(config, "launcher")
