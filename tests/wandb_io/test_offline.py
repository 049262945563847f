"""Runs that only W&B knows are compared as their folders are."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from gan_framework.cli import sources
from gan_framework.compare import groups
from gan_framework.errors import ConfigError
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers
from gan_framework.wandb_io import offline, projects
from tests.helpers.comparing import make_run
from tests.helpers.wandb_home import wandb_at_home  # noqa: F401 (a fixture)
from tests.helpers.wandb_runs import settings


def essence(comparison):
    """Return all that a comparison shows."""
    return [
        {
            "settings": group.settings,
            "last": str(group.last),
            "best": str(group.best),
            "statement": comparison.statement(group),
            "failed": [run.why for run in group.others],
            "budgets": [group.budget(name) for name in ("images_seen", "seconds", "generator") if group.runs],
            "curves": sorted((run.curves for run in group.runs), key=lambda curves: curves["eval/fid_classifier"]),
            "grids": sorted([grid.step, grid.read()] for run in group.runs for grid in run.grids),
        }
        for group in comparison.groups
    ]


def test_records_of_the_tracker_compare_like_the_folders_of_the_same_runs(folders, recorded):
    truth = groups.compare(sources.read([folders]))
    found = groups.compare(sources.read([recorded]))
    assert [group.settings for group in truth.groups] == [
        {"loss.name": "hinge", "strategy": "none"},
        {"loss.name": "hinge", "strategy": "k_step ema"},
        {"loss.name": "minimax", "strategy": "none"},
    ]
    assert len(essence(truth)[0]["grids"]) == 6
    assert essence(found) == essence(truth)


def test_a_record_inside_a_run_folder_is_not_read_twice(folders, recorded, tmp_path):
    run = make_run(tmp_path / "run", "hinge", 0, [1.0])
    (run / "wandb").symlink_to(recorded / "a0" / "wandb")
    [found] = sources.read([tmp_path])
    assert found.place == str(run)


def test_folders_and_records_of_one_sweep_are_the_same_groups(folders, recorded, tmp_path):
    """Some runs in their folders, others in W&B's records, and one in both."""
    for name in ("a0", "b0", "c1"):
        shutil.copytree(folders / name, tmp_path / "here" / name)
    mixed = groups.compare(sources.read([tmp_path / "here", recorded]))
    whole = groups.compare(sources.read([folders]))
    assert [(group.name, group.last) for group in mixed.groups] == [(group.name, group.last) for group in whole.groups]


def line(step, value):
    return {"step": step, "images_seen": 8 * step, "seconds": 1.0, "updates": {}, "metrics": {"train/loss": value}}


@pytest.mark.usefixtures("wandb_at_home")
def test_the_records_of_a_resumed_run_are_one_run(tmp_path):
    for steps, resumed in ((range(5), False), (range(3, 8), True)):
        trackers = build_trackers({"wandb": settings()})
        trackers.start(RunInfo(tmp_path, {"loss": {"name": "hinge"}}, resumed=resumed))
        for step in steps:
            trackers.log(line(step, step + 0.5 * resumed))
        trackers.finish({"status": "finished" if resumed else "failed"})
        time.sleep(1)  # W&B names its records by the second
    assert len(offline.find_records(tmp_path)) == 2
    [run] = sources.read([tmp_path])
    assert run.finished
    assert [value for _, value in run.curves["train/loss"]] == [0, 1, 2, 3.5, 4.5, 5.5, 6.5, 7.5]


def test_a_record_that_is_no_record_is_named(tmp_path):
    folder = tmp_path / "wandb" / "offline-run-20260101_000000-x"
    folder.mkdir(parents=True)
    (folder / "run-x.wandb").write_bytes(b"nonsense" * 100)
    [damaged] = sources.read([tmp_path])
    assert damaged.place == str(folder)
    assert "run-x.wandb" in damaged.why
    with pytest.raises(ConfigError, match="none of the 1 runs can be read.*run-x.wandb"):
        groups.compare([damaged])


class Api:
    """Answers what `wandb.Api` does, from records on disk."""

    def __init__(self, sweep):
        self.asked = []
        self._runs = [self._run(path) for path in offline.find_records(sweep)]

    def runs(self, path, filters, lazy):
        self.asked.append((path, filters))
        if path != "team/digits":
            raise ValueError("Could not find project")
        return self._runs

    def _run(self, path):
        entries = offline.read_entries(path)
        summary = {key: value for entry in entries["summary"] for key, value in entry["update"].items()}

        def file(name):
            def download(root):
                (target := Path(root) / name).parent.mkdir(parents=True)
                target.write_bytes((path.parent / "files" / name).read_bytes())

            return SimpleNamespace(download=download)

        return SimpleNamespace(
            id=entries["run"][0]["run_id"], project="digits", state="finished", summary_metrics=summary, file=file,
            config=entries["run"][0]["config"]["update"], scan_history=lambda: map(nested, entries["history"]),
        )  # fmt: skip


def nested(entry):
    """Return a row of the history as the server gives it."""
    row = dict(entry["item"])
    if "samples.path" in row:
        row["samples"] = {"_type": row["samples._type"], "path": row["samples.path"]}
    return {key: value for key, value in row.items() if not key.startswith("samples.")}


def test_a_project_on_a_server_compares_like_the_folders_of_the_same_runs(folders, recorded):
    api = Api(recorded)
    found = groups.compare(projects.read_project("wandb:team/digits/night", api))
    assert essence(found) == essence(groups.compare(sources.read([folders])))
    assert api.asked == [("team/digits", {"jobType": "train", "group": "night"})]
    assert found.groups[0].runs[0].place.startswith("wandb:team/digits/")


def test_projects_that_cannot_be_read_are_refused(recorded, monkeypatch):
    with pytest.raises(ConfigError, match="wandb:team: write wandb:ENTITY/PROJECT"):
        sources.read(["wandb:team"])
    with pytest.raises(ConfigError, match="Could not find project"):
        projects.read_project("wandb:team/other", Api(recorded))


@pytest.mark.usefixtures("wandb_at_home")
def test_without_a_key_a_project_cannot_be_read():
    with pytest.raises(ConfigError, match="`wandb login`"):
        sources.read(["wandb:team/digits"])
