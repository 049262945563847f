"""One sweep twice: as run folders, and as what the real tracker has recorded of them."""

import json

import pytest
import yaml

from gan_framework.compare.folder import find_runs
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers
from tests.helpers.comparing import make_run
from tests.helpers.wandb_runs import settings

STACKED = {"k_step": {"name": "k_step", "k": 2}, "ema": {"name": "ema", "decay": 1.0, "betas": [0.0, 0.9]}}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    sweep = tmp_path_factory.mktemp("sweeps") / "night"
    for seed in range(2):
        make_run(sweep / f"a{seed}", "hinge", seed, [4.0 + seed, 3.0 + seed], grid=True)
        make_run(sweep / f"b{seed}", "hinge", seed, [7.0 - seed, 8.0 + seed], grid=True, strategy=STACKED)
        make_run(sweep / f"c{seed}", "minimax", seed, [14.0 + seed], status="finished" if seed else "failed")
    for run in find_runs(sweep):
        (run / ".run_id").write_text(f"{run.name}-id")
    return sweep


@pytest.fixture(scope="session")
def recorded(folders, tmp_path_factory):
    """The same runs in W&B's records alone."""
    sweep = tmp_path_factory.mktemp("wandb") / "night"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        for run in find_runs(folders):
            record(run, sweep / run.name)
        import wandb

        wandb.teardown()
    return sweep


def record(run, target):
    """Have the real tracker record a run again, into a folder that is no run's."""
    target.mkdir(parents=True)
    trackers = build_trackers({"wandb": settings(project="digits")})
    trackers.start(RunInfo(target, yaml.safe_load((run / "config.yaml").read_text()), sweep="night"))
    for text in (run / "metrics.jsonl").read_text().splitlines():
        line = json.loads(text)
        trackers.log(line)
        if (grid := run / "samples" / f"step_{line['step']:07d}.png").exists():
            trackers.image("samples", grid, line)
    trackers.finish(json.loads((run / "summary.json").read_text()))
