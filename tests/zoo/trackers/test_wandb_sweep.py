"""A sweep that the W&B server plans, with W&B's own agents: several at once, on the configuration that we ship."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gan_framework.cli import sources
from gan_framework.compare import groups
from gan_framework.compare.folder import read_run
from gan_framework.wandb_io import offline
from gan_framework.wandb_io.offline import read_entries
from tests.helpers.environment import ROOT

SHIPPED = yaml.safe_load((ROOT / "wandb_sweep.yaml").read_text())
SMALL = {
    "model": "mlp", "train.steps": 4, "train.batch_size": 8, "train.log_every": 2, "train.sample_every": 2,
    "evaluate.every": 2, "evaluate.samples": 64, "evaluate.baselines": False, "extractor": "raw",
    "metrics": "[fid]", "train.threads": 1,
}  # fmt: skip


def arguments(strategy, run):
    """Return what the server tells an agent to run: a value of each parameter."""
    chosen = {name: plan.get("value", plan.get("values", [plan.get("min")])[-1])
              for name, plan in SHIPPED["parameters"].items()}  # fmt: skip
    values = {**chosen, **SMALL, "strategy": strategy}
    args = {name: {"value": value} for name, value in values.items()}
    return [{"type": "run", "run_id": run, "program": SHIPPED["program"], "args": args}]


def test_what_is_shipped_searches_no_seeds_and_stops_by_a_score_that_is_logged_on_the_way():
    parameters = SHIPPED["parameters"]
    assert parameters["seed"] == {"value": 0}
    assert parameters["evaluate.every"]["value"] > 0
    assert SHIPPED["early_terminate"]["type"] == "hyperband"
    assert all(isinstance(value, str) for value in parameters["strategy"]["values"])


@pytest.mark.slow
def test_two_agents_at_once_have_runs_of_their_own(tmp_path, server):
    shutil.copy(ROOT / SHIPPED["program"], tmp_path)
    server.sweep = yaml.safe_dump(SHIPPED)
    chosen = {"first": SHIPPED["parameters"]["strategy"]["values"][-1], "second": ["ema", "k_step"]}
    server.commands = [arguments(strategy, run) for run, strategy in chosen.items()]
    path = f"{Path(sys.executable).parent}"
    agents = [
        subprocess.Popen(
            [f"{path}/wandb", "agent", "--count", "1", "me/p/s"], cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in chosen
    ]  # fmt: skip
    said = [agent.communicate(timeout=300)[0] for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], said

    folders = sorted(path.parent for path in tmp_path.glob("outputs/*/*/summary.json"))
    assert len(folders) == 2, "\n".join(said)
    assert {(folder / ".run_id").read_text() for folder in folders} == {"first", "second"}
    upserted = [variables for what, variables in server.asked if what == "UpsertBucket"]
    assert {variables["name"] for variables in upserted} == {"first", "second"}

    for folder in folders:
        (record,) = folder.glob("wandb/run-*")
        shutil.copytree(record, tmp_path / "records" / record.name)
        (file,) = record.glob("*.wandb")
        lines = "".join(entry["line"] for entry in read_entries(file)["output_logger"]).splitlines()
        # The Logs tab ends as the run does, but for what a tracker that began late says of itself.
        finished, following = [line for line in lines if "gan_zoo.trackers" not in line][-2:]
        assert "finished 4 steps in" in finished and "fid_raw" in finished
        assert "next: gan-framework sample" in following
    records = assert_read_back(tmp_path / "records")
    for folder in folders:  # a dashboard of the folders names the same columns as one of the records
        run = read_run(folder)
        assert {"loss", "strategy"} <= run.shadowed == records[run.run_id].shadowed


def assert_read_back(records):
    """W&B's columns are the sweep's, as its planner needs them; what is compared are the runs' own settings."""
    columns = [read_entries(path)["run"][0]["config"]["update"] for path in offline.find_records(records)]
    assert {column["loss"] for column in columns} == {"relativistic"}
    found = {run.run_id: run for run in sources.read([records])}
    assert {name: [*run.config["strategy"]] for name, run in found.items()} == {
        "first": ["ema", "spectral_norm"],
        "second": ["ema", "k_step"],
    }
    assert {run.config["loss"]["name"] for run in found.values()} == {"relativistic"}
    assert all(run.config["optimizer"]["generator"]["lr"] == 0.00005 for run in found.values())
    ranked = groups.compare([*found.values()])
    assert {name for group in ranked.groups for name in group.settings} == {"strategy"}
    return found


@pytest.fixture
def server(wandb_at_home, monkeypatch, server):
    monkeypatch.setenv("WANDB_HTTP_TIMEOUT", "20")
    return server
