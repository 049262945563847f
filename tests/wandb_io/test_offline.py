"""Runs that only W&B knows are compared as their folders are."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from gan_framework.cli import sources
from gan_framework.compare import groups
from gan_framework.compare.records import Damaged
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


def records(text):
    """Return what stands in for the program that W&B reads its records with, and says this of any."""
    return [sys.executable, "-c", f"import sys; sys.stdout.write({text!r})"]


def entry(kind, **content):
    return json.dumps({"type": kind, kind: content}) + "\n"


@pytest.fixture
def foreign_record(tmp_path, monkeypatch):
    """Return a function that reads a record with these rows, whose run may be given other values."""
    folder = tmp_path / "wandb" / "offline-run-20260101_000000-x"
    (folder / "files" / "media").mkdir(parents=True)
    (folder / "run-x.wandb").write_bytes(b"record")
    Image.new("L", (8, 8)).save(tmp_path / "private.png")
    Image.new("L", (8, 8)).save(folder / "files" / "media" / "own.png")
    (folder / "files" / "media" / "linked.png").symlink_to(tmp_path / "private.png")

    def read(rows, config=None, summary=None, run_id="x"):
        settings = {"loss": {"name": "hinge"}, "strategy": {}, "strategies": "none"} if config is None else config
        text = entry("run", run_id=run_id, config={"update": settings})
        text += "".join(entry("history", item=row) for row in rows)
        text += entry("summary", update={"status": "finished"} if summary is None else summary)
        original = subprocess.Popen
        monkeypatch.setattr(offline.subprocess, "Popen", lambda _, **more: original(records(text), **more))
        [found] = sources.read([tmp_path])
        return found

    return read


@pytest.mark.parametrize("path", ["/private.png", "../../../private.png", "media/../../../../private.png", 5, None])
def test_pictures_outside_the_run_are_not_read(foreign_record, tmp_path, path, capsys):
    path = str(tmp_path / "private.png") if path == "/private.png" else path
    found = foreign_record([{"_step": 1, "images_seen": 8, "samples._type": "image-file", "samples.path": path}])
    assert found.grids == []
    assert "leads out of the run's folder" in capsys.readouterr().err


def test_a_linked_picture_is_not_read(foreign_record):
    rows = [{"_step": step, "images_seen": 8, "samples.path": f"media/{name}.png"}
            for step, name in enumerate(("own", "linked", "missing"))]  # fmt: skip
    own, linked = foreign_record(rows).grids
    assert own.read().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match="linked.png is a symbolic link"):
        linked.read()


@pytest.mark.parametrize(
    ("row", "more", "why"),
    [
        ({}, {}, "_step is null"),
        ({"_step": "1"}, {}, '_step is "1"'),
        ({"_step": 1, "images_seen": "8", "a": 1}, {}, 'images_seen is "8"'),
        ({"_step": 1}, {"run_id": 5}, "run_id is 5"),
        ({"_step": 1}, {"config": []}, "config holds no settings"),
        ({"_step": 1}, {"config": {"strategy": {"ema": {}}, "strategies": "other"}}, "strategies is"),
        ({"_step": 1}, {"config": {"strategy": "x", "strategies": 3}}, "strategies is 3"),
        ({"_step": 1}, {"config": {"seed": [1]}}, "seed is a list"),
        ({"_step": 1}, {"summary": {"status": [1]}}, "status is a list"),
        ({"_step": 1}, {"summary": {"status": "finished", "best": {"metric": 3}}}, "updates is missing"),
    ],
)
def test_a_record_with_values_of_other_kinds_is_named(foreign_record, row, more, why):
    found = foreign_record([row], **more)
    assert isinstance(found, Damaged)
    assert found.place.endswith("offline-run-20260101_000000-x") and "run-x.wandb" in found.why and why in found.why


def test_figures_that_are_none_are_passed_over(foreign_record):
    rows = [{"_step": 1, "images_seen": 8, "flag": True, "huge": 10**400, "nan": "NaN", "train/loss": 2}]
    assert foreign_record(rows).curves == {"train/loss": [(8.0, 2.0)]}


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_record_that_is_no_regular_file_is_not_opened(tmp_path, kind):
    folder = tmp_path / "wandb" / "offline-run-20260101_000000-x"
    folder.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(folder / "run-x.wandb")
    else:
        (folder / "run-x.wandb").symlink_to("/etc/hostname")
    [found] = sources.read([tmp_path])
    assert "not a regular file" in found.why


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


def test_pictures_of_a_server_stay_in_their_folder(recorded, tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "private.png")

    class Hostile(Api):
        def _run(self, path):
            run = super()._run(path)
            rows = [{"_step": 1, "images_seen": 8, "samples": {"path": str(tmp_path / "private.png")}}]
            return SimpleNamespace(**{**vars(run), "scan_history": lambda: rows, "summary_metrics": {}})

    found = projects.read_project("wandb:team/digits", Hostile(recorded))
    assert all(run.grids == [] and "leads out" in run.passed_over[0] for run in found)


@pytest.mark.usefixtures("wandb_at_home")
def test_without_a_key_a_project_cannot_be_read():
    with pytest.raises(ConfigError, match="`wandb login`"):
        sources.read(["wandb:team/digits"])
