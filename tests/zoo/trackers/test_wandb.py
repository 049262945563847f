"""W&B: what is recorded, read back from the record itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gan_framework.errors import ConfigError
from gan_framework.runs.logs import LogPart
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
    assert (head["display_name"], head["tags"], head["notes"]) == (
        "sweep/0",
        ["a", "b", "dcgan", "nonsaturating", "k_step", "ema"],
        "why",
    )

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
    assert (rows[2]["samples_by_step._type"], rows[2]["samples_by_step.nrows"]) == ("table-file", 1)
    assert rows[2]["samples._type"] == "image-file"
    assert len(list(run.glob("wandb/*/files/media/images/samples_20_*.png"))) == 1

    summary = {}
    for entry in found["summary"]:
        summary |= entry["update"]
    assert summary["best/fid_classifier"] == 7.5
    assert summary["seconds"] == 99.5
    assert summary["best"] == {"metric": "fid_classifier", "step": 10, "value": 7.5}
    assert (summary["status"], summary["eval/fid_classifier"]) == ("finished", 9)
    table, best, last = found["artifact"]
    assert table["type"] == "run_table"
    for artifact, aliases, step, score, weights in (
        (best, {"best", "step-10", "latest"}, 10, 7.5, b"better weights"),
        (last, {"latest", "step-20"}, 20, 9.0, b"weights"),
    ):
        assert (artifact["name"], artifact["type"]) == (f"checkpoint-{head['run_id']}", "model")
        assert set(artifact["aliases"]) == aliases
        told = json.loads(artifact["metadata"])
        assert (told["step"], told["score"]) == (step, {"fid_classifier": score})
        assert told["config"] == CONFIG and told["protocol"] == SUMMARY["protocol"]
        (content,) = artifact["manifest"]["contents"]
        assert content["path"] == "checkpoint.pt"
        # The run may go on before the record is synced, and then has other checkpoints.
        assert Path(content["local_path"]).is_relative_to(run / "wandb")
        assert Path(content["local_path"]).read_bytes() == weights
    own = [path for path in (tmp_path / "home").rglob("*") if "staging" in path.parts and path.is_file()]
    assert own == []
    assert [end["exit_code"] for end in found["exit"]] == [0]


def test_the_best_checkpoint_is_uploaded_once_if_it_is_the_last(tmp_path):
    summary = {**SUMMARY, "best": {"metric": "fid_classifier", "step": 20, "value": 9.0}}
    play(tmp_path / "a", summary=summary, log_artifact=True)
    (artifact,) = [entry for entry in read_back(tmp_path / "a")["artifact"] if entry["type"] == "model"]
    assert set(artifact["aliases"]) == {"latest", "best", "step-20"}


def test_a_run_that_was_stopped_leaves_tables_and_checkpoints_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_framework.runs.background.STOPPED_DEADLINE", 60)  # a busy machine is not the question
    play(tmp_path / "a", summary={**SUMMARY, "status": "stopped"}, log_artifact=True)
    found = read_back(tmp_path / "a")
    assert "artifact" not in found
    summary = {key: value for entry in found["summary"] for key, value in entry["update"].items()}
    assert summary["status"] == "stopped" and summary["seconds"] == 99.5


def test_troubles_and_failures_are_alerts_and_what_was_said_is_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", KEY)
    (tmp_path / "a").mkdir()
    log = tmp_path / "a" / "run.log"
    log.write_text("of an earlier process\nthe data\n")
    trackers = build_trackers({"wandb": settings()})
    trackers.start(RunInfo(tmp_path / "a", CONFIG, log=LogPart(log, len("of an earlier process\n"))))
    trackers.log(record(0))
    with log.open("a") as file:
        file.write("the plan\n")
    trackers.warn(f"diversity_collapsed: alike {KEY}", record(10))
    trackers.log(record(10))
    with log.open("a") as file:
        file.write("more\nhalf a li")
    trackers.finish({**SUMMARY, "status": "failed", "error": f"at step 10 the loss is not finite {KEY}"})

    found = read_back(tmp_path / "a")
    assert [(entry["title"], entry["text"], entry["level"]) for entry in found["alert"]] == [
        ("diversity_collapsed", "step 10: alike ***", "WARN"),
        ("failed", "at step 10 the loss is not finite ***", "ERROR"),
    ]
    assert "".join(entry["line"] for entry in found["output_logger"]) == (
        "the data\nthe plan\nmore\nerror: at step 10 the loss is not finite ***\n"
    )


def test_alerts_can_be_left_out_and_never_are_many(tmp_path):
    for name, alerts in (("a", False), ("b", True)):
        (tmp_path / name).mkdir()
        trackers = build_trackers({"wandb": settings(alerts=alerts)})
        trackers.start(RunInfo(tmp_path / name, CONFIG))
        for step in range(100):
            trackers.warn("no_scores: why", record(step))
        trackers.finish({**SUMMARY, "status": "failed"})
    assert "alert" not in read_back(tmp_path / "a")
    assert len(read_back(tmp_path / "b")["alert"]) == 20


def test_source_code_is_saved_when_asked_for(tmp_path, caplog):
    play(tmp_path / "a", code=True)
    found = read_back(tmp_path / "a")
    (code,) = [entry for entry in found["artifact"] if entry["type"] == "code"]
    assert code["name"] == "source-gan-framework"
    saved = {entry["path"]: Path(entry["local_path"]).read_text() for entry in code["manifest"]["contents"]}
    for package, module in (("gan_framework", "runs/tracker.py"), ("gan_zoo", "trackers/wandb.py")):
        package_folder = Path(sys.modules[package].__path__[0])
        assert saved[f"{package}/{module}"] == (package_folder / module).read_text()
    assert all(name.endswith(".py") for name in saved)
    (told,) = [entry["update"]["_wandb"] for entry in found["config"]]
    assert told["code_path"].startswith("source-gan-framework")

    play(tmp_path / "b")
    assert [entry["type"] for entry in read_back(tmp_path / "b").get("artifact", [])] == ["run_table"], caplog.text


def test_tags_of_its_own_can_be_left_out(tmp_path):
    play(tmp_path / "a", tags="mine", auto_tags=False)
    play(tmp_path / "b", tags=["x" * 100, "ema", ""])
    assert read_back(tmp_path / "a")["run"][0]["tags"] == ["mine"]
    assert read_back(tmp_path / "b")["run"][0]["tags"] == ["x" * 64, "ema", "dcgan", "nonsaturating", "k_step"]


def test_online_the_log_the_table_and_the_checkpoints_arrive(tmp_path, server, caplog):
    (tmp_path / "a").mkdir()
    log = tmp_path / "a" / "run.log"
    log.write_text("the data\n")
    play(tmp_path / "a", run={"log": LogPart(log, 0)}, log_artifact=True, code=True)
    assert warnings(caplog) == []
    assert server.console.rstrip().endswith("the data")
    created = [variables["input"] for operation, variables in server.asked if operation == "CreateArtifact"]
    # W&B uploads several at a time, so their order is not known.
    assert sorted(one["artifactTypeName"] for one in created) == ["code", "model", "model", "run_table"]
    aliases = [{alias["alias"] for alias in one["aliases"]} for one in created if one["artifactTypeName"] == "model"]
    assert {"best", "step-10", "latest"} in aliases


@pytest.mark.slow
def test_what_was_recorded_offline_arrives_when_it_is_synced_though_the_run_has_gone_on(tmp_path, server, caplog):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "run.log").write_text("the data\n")
    told = LogPart(folder / "run.log", 0)
    failed = {**SUMMARY, "status": "failed", "error": "out of memory"}
    play(folder, summary=failed, run={"log": told}, mode="offline", log_artifact=True, code=True)
    assert server.asked == []
    (record,) = folder.glob("wandb/offline-run-*")
    for path in folder.glob("checkpoints/*.pt"):  # as a resumed run does
        path.unlink()
        path.write_bytes(b"later weights")
    command = [str(Path(sys.executable).with_name("wandb")), "sync", str(record)]
    synced = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert synced.returncode == 0, synced.stdout + synced.stderr
    assert warnings(caplog) == []
    created = [variables["input"] for operation, variables in server.asked if operation == "CreateArtifact"]
    assert sorted(one["artifactTypeName"] for one in created) == ["code", "model", "model", "run_table"]
    assert [row["step"] for row in server.history if "step" in row] == [0, 10, 20]
    said = [line.partition(" ")[2] for line in server.console.splitlines()]  # behind the time
    assert said == ["the data", "error: out of memory"]
    alerts = [variables for operation, variables in server.asked if operation == "NotifyScriptableRunAlert"]
    assert [alert["title"] for alert in alerts] == ["failed"]
    assert b"better weights" in server.uploaded and b"later weights" not in server.uploaded


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
