"""Runs as tasks of a Ray cluster of this machine."""

import os
import signal

import pytest

pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="needs the extra [ray], which is large")


def test_a_killed_run_costs_no_other_on_ray(sweep):
    cluster = "+hydra.launcher.ray.init.num_cpus=2"
    one = sweep("hydra/launcher=ray", cluster, "train.steps=100000,3", "seed=0,1", "metrics=[]")
    for seed in (0, 1):
        os.kill(one.pid("train.steps=100000", f"seed={seed}"), signal.SIGKILL)
    assert one.end() == 1, one.output
    assert one.statuses() == ["failed", "failed", "finished", "finished"]
    assert "killed by SIGKILL" in one.summary("train.steps=100000", "seed=0")["error"]
    assert "error: 2 of 4 runs failed" in one.output
