"""W&B: what is recorded, read back from the record itself."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from gan_framework.errors import ConfigError
from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers
from tests.helpers.wandb_runs import (
    CONFIG,
    KEY,
    SETTINGS,
    SUMMARY,
    history,
    play,
    read_back,
    record,
    said,
    settings,
    warnings,
)

pytestmark = pytest.mark.usefixtures("wandb_at_home")


def test_without_a_key_everything_is_recorded_offline(tmp_path, caplog):
    run = tmp_path / "sweep" / "0"
    play(run, run={"sweep": "night"}, tags=["a", "b"], notes="why", log_artifact=True)

    assert warnings(caplog) == []
    (line,) = said(caplog)
    assert "no API key" in line
    assert Path(line.rpartition("wandb sync ")[2]).parent == run / "wandb"

    found = read_back(run)
    (head,) = found["run"]
    config = head["config"]["update"]
    assert {key: config[key] for key in CONFIG} == CONFIG
    assert config["strategies"] == "k_step ema"
    assert (head["project"], head["run_group"], head["job_type"]) == ("gan-framework", "night", "train")
    assert (head["display_name"], head["tags"], head["notes"]) == ("sweep/0", ["a", "b"], "why")

    axes = {entry["name"] for entry in found["metric"] if "name" in entry}
    assert axes == {"images_seen", "step", "seconds"}
    plotted = {entry["glob_name"]: entry["step_metric"] for entry in found["metric"] if "glob_name" in entry}
    assert plotted == dict.fromkeys(("train/*", "eval/*", "health/*"), "images_seen")

    rows = history(found)
    assert [row["step"]["num"] for row in found["history"]] == [0, 10, 20]
    assert rows[1] == {
        "step": 10,
        "images_seen": 640,
        "seconds": 5,
        "updates/discriminator": 20,
        "updates/generator": 10,
        "train/generator/adversarial": pytest.approx(1 / 11),
        "health/diversity": 0.5,
    }
    assert rows[2]["eval/fid_classifier"] == 9
    assert rows[2]["samples._type"] == "image-file"
    assert len(list(run.glob("wandb/*/files/media/images/samples_20_*.png"))) == 1

    summary = {}
    for entry in found["summary"]:
        summary |= entry["update"]
    assert summary["best/fid_classifier"] == 7.5
    assert summary["seconds"] == 99.5
    assert summary["best"] == {"metric": "fid_classifier", "step": 10, "value": 7.5}
    assert (summary["status"], summary["eval/fid_classifier"]) == ("finished", 9)
    (artifact,) = found["artifact"]
    assert artifact["manifest"]["contents"][0]["local_path"] == str(run / "checkpoints" / "last.pt")
    assert [end["exit_code"] for end in found["exit"]] == [0]


def test_two_runs_of_one_process_do_not_merge_and_a_resumed_run_keeps_its_id(tmp_path):
    for seed in (1, 2):
        play(tmp_path / str(seed), steps=(seed,), config={"seed": seed})
    first, second = (read_back(tmp_path / str(seed)) for seed in (1, 2))
    for seed, found in ((1, first), (2, second)):
        assert found["run"][0]["config"]["update"]["seed"] == seed
        assert [row["step"] for row in history(found)] == [seed]
    assert first["run"][0]["run_id"] != second["run"][0]["run_id"]

    play(tmp_path / "1", steps=(7,), config={"seed": 1}, run={"resumed": True})
    again = read_back(tmp_path / "1")
    assert [row["step"] for row in history(again)] == [7]
    assert again["run"][0]["run_id"] == first["run"][0]["run_id"]
    assert again["run"][0]["resume"] is True


def test_an_unfinished_run_is_not_returned_in_the_next_ones_place(tmp_path):
    (tmp_path / "1").mkdir()
    crashed = build_trackers({"wandb": settings()})
    crashed.start(RunInfo(tmp_path / "1", {"seed": 1}))
    crashed.log(record(1))
    play(tmp_path / "2", steps=(2,), config={"seed": 2})
    found = read_back(tmp_path / "2")
    assert found["run"][0]["config"]["update"]["seed"] == 2
    assert [row["step"] for row in history(found)] == [2]
    crashed.finish({"status": "failed"})  # its thread would go on into the next test


def test_with_a_key_the_run_is_online_and_the_key_is_written_nowhere(tmp_path, server, caplog, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run.py", f"+data.note={KEY}"])
    config = {**CONFIG, "data": {"url": f"https://{KEY}@example.org", "note": f"with {KEY}"}}
    run = tmp_path / "runs" / "a"
    play(run, config=config, summary={**SUMMARY, "overrides": [f"+data.note={KEY}"]})

    assert warnings(caplog) == []
    assert said(caplog) == [f"W&B: {server.url}/me/p/runs/{(run / '.run_id').read_text()}"]
    asked = [variables for operation, variables in server.asked if operation == "UpsertBucket"]
    sent = {key: value["value"] for key, value in json.loads(asked[0]["config"]).items()}
    assert sent["networks"] == CONFIG["networks"]
    assert sent["data"] == {"url": "https://***@example.org", "note": "with ***"}
    assert [row["step"] for row in server.history] == [0, 10, 20]

    folders = (run, tmp_path / "home")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in files)
    told = [path.read_bytes() for path in files] + [caplog.text.encode(), json.dumps(server.asked).encode()]
    assert not any(KEY.encode() in text for text in told)


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_disabled_leaves_nothing_behind(tmp_path, monkeypatch, caplog, how):
    if how == "environment":
        monkeypatch.setenv("WANDB_MODE", "disabled")
        play(tmp_path / "a")
    else:
        play(tmp_path / "a", mode="disabled")
    assert not (tmp_path / "a" / "wandb").exists()
    assert said(caplog) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("mode", "sometimes"),
        ("finish_timeout", 0),
        ("finish_timeout", float("inf")),
        ("finish_timeout", float("nan")),
        ("project", "a/b"),
    ],
)
def test_a_wrong_setting_is_found_before_training(setting, value):
    with pytest.raises(ConfigError, match=f"{setting}={value!r}"):
        build_trackers({"wandb": settings(**{setting: value})})


def test_project_and_entity_follow_the_environment(monkeypatch):
    assert (settings()["project"], settings()["entity"]) == ("gan-framework", None)
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    monkeypatch.setenv("WANDB_ENTITY", "us")
    assert (settings()["project"], settings()["entity"]) == ("mine", "us")
    assert "api_key" not in yaml.safe_load(SETTINGS.read_text())
