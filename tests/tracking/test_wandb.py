"""W&B: what is recorded, read back from the record itself, and what trouble does."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf
from PIL import Image

from gan_framework.errors import ConfigError
from gan_framework.tracking import RunInfo, build_trackers
from tests.tracking.wandb_server import Server

KEY = "0123456789abcdef0123456789abcdef01234567"
SETTINGS = Path(__file__).parents[2] / "conf" / "tracker" / "wandb.yaml"
CONFIG = {
    "seed": 3,
    "loss": {"name": "nonsaturating"},
    "networks": {"generator": {"name": "dcgan", "width": 32}},
    "strategy": {"k_step": {"name": "k_step", "k": 2}, "ema": {"name": "ema", "decay": 0.999}},
    "metrics": {},
}
SUMMARY = {
    "status": "finished",
    "step": 20,
    "metrics": {"eval/fid_classifier": 9.0},
    "best": {"metric": "fid_classifier", "step": 10, "value": 7.5},
    "protocol": {"fid_classifier": {"samples": 1000}},
    "overrides": ["loss=nonsaturating"],
}


@pytest.fixture(autouse=True)
def wandb_at_home(tmp_path, monkeypatch):
    """Give W&B an empty home and no settings; end its service process afterwards."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("WANDB_HTTP_TIMEOUT", "1")
    yield
    import wandb

    wandb.teardown()


@pytest.fixture
def server(monkeypatch):
    with Server() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield server


@pytest.fixture(autouse=True)
def log_everything(caplog):
    caplog.set_level(logging.INFO)


def settings(**changed):
    return {**OmegaConf.to_container(OmegaConf.load(SETTINGS), resolve=True), **changed}


def record(step):
    return {
        "step": step,
        "images_seen": 64 * step,
        "updates": {"discriminator": 2 * step, "generator": step},
        "seconds": 0.5 * step,
        "metrics": {"train/generator/adversarial": 1.0 / (step + 1), "health/diversity": 0.5},
    }


def play(folder, steps=(0, 10, 20), config=CONFIG, summary=SUMMARY, run=None, **changed):
    """Do what a training run does with its trackers."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (folder / "checkpoints" / "last.pt").write_bytes(b"weights")
    grid = folder / "grid.png"
    Image.new("RGB", (8, 4), "red").save(grid)
    trackers = build_trackers({"wandb": settings(**changed)})
    trackers.start(RunInfo(folder, config, **(run or {})))
    for step in steps[:-1]:
        trackers.log(record(step))
    trackers.image("samples", grid, record(steps[-1]))
    trackers.log(record(steps[-1]))
    trackers.log({**record(steps[-1]), "metrics": {"eval/fid_classifier": 9.0}})
    trackers.finish(summary)


def read_back(folder):
    """Return the records of the newest W&B record in a run folder, by type."""
    from wandb.util import get_core_path

    newest = max(folder.glob("wandb/*run-*/*.wandb"), key=lambda path: path.stat().st_mtime)
    # What `wandb leet inspect` calls, without its second of start-up.
    command = [get_core_path(), "leet", "inspect", "--json", "--run-file", str(newest), str(newest.parent)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for entry in map(json.loads, lines):
        found.setdefault(entry["type"], []).append(entry[entry["type"]])
    return found


def history(found):
    return [{k: v for k, v in row["item"].items() if not k.startswith("_")} for row in found["history"]]


def said(caplog, level=logging.INFO):
    """Return what the framework logged; W&B's own log goes to a file."""
    ours = (entry for entry in caplog.records if entry.name.startswith("gan_"))
    return [entry.getMessage() for entry in ours if entry.levelno >= level]


def warnings(caplog):
    return said(caplog, logging.WARNING)


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


def test_with_a_key_the_run_is_online_and_the_key_is_written_nowhere(tmp_path, server, caplog, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run.py", f"+data.token={KEY}"])
    config = {**CONFIG, "data": {"url": f"https://{KEY}@example.org", "token": "hidden-all-the-same"}}
    run = tmp_path / "runs" / "a"
    play(run, config=config, summary={**SUMMARY, "overrides": [f"+data.token={KEY}"]})

    assert warnings(caplog) == []
    assert said(caplog) == [f"W&B: {server.url}/me/p/runs/{(run / '.run_id').read_text()}"]
    asked = [variables for operation, variables in server.asked if operation == "UpsertBucket"]
    sent = {key: value["value"] for key, value in json.loads(asked[0]["config"]).items()}
    assert sent["networks"] == CONFIG["networks"]
    assert sent["data"] == {"url": "https://***@example.org", "token": "***"}
    assert [row["step"] for row in server.history] == [0, 10, 20]

    folders = (run, tmp_path / "home")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in files)
    told = [path.read_bytes() for path in files] + [caplog.text.encode(), json.dumps(server.asked).encode()]
    assert not any(secret in text for text in told for secret in (KEY.encode(), b"hidden-all-the-same"))


@pytest.mark.parametrize("mode", ["auto", "online"])
def test_a_wrong_key_means_offline(tmp_path, server, caplog, mode):
    server.valid_key = False
    play(tmp_path / "a", mode=mode)
    assert warnings(caplog) == []
    assert "user is not logged in" in caplog.text
    assert "wandb sync" in caplog.text
    assert len(history(read_back(tmp_path / "a"))) == 3


def test_a_malformed_key_means_offline(tmp_path, server, caplog, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "not-a-key-at-all")
    play(tmp_path / "a")
    assert warnings(caplog) == []
    assert "WANDB_API_KEY invalid" in caplog.text
    assert "not-a-key-at-all" not in "".join(said(caplog))
    assert server.asked == []


def test_no_server_means_offline(tmp_path, server, caplog):
    server.__exit__()
    play(tmp_path / "a")
    assert warnings(caplog) == []
    assert "wandb sync" in caplog.text
    assert len(history(read_back(tmp_path / "a"))) == 3


@pytest.mark.parametrize("hanging", ["Viewer", "RunResumeStatus"])
def test_a_server_that_does_not_answer_means_offline(tmp_path, server, caplog, monkeypatch, hanging):
    monkeypatch.setattr("gan_zoo.trackers.wandb.INIT_TIMEOUT", 1.0)
    server.hanging = (hanging,)
    play(tmp_path / "a")
    assert warnings(caplog) == []
    assert "wandb sync" in caplog.text
    assert len(history(read_back(tmp_path / "a"))) == 3


def test_an_upload_that_hangs_ends_at_its_deadline_and_the_record_is_kept(tmp_path, server, caplog):
    server.hanging = ("file_stream",)
    began = time.monotonic()
    play(tmp_path / "a", finish_timeout=1.0)
    assert time.monotonic() - began < 15
    (warning,) = warnings(caplog)
    assert "Timed out" in warning
    assert Path(warning.rpartition("wandb sync ")[2].rstrip("`")).parent == tmp_path / "a" / "wandb"
    assert len(history(read_back(tmp_path / "a"))) == 3


def service():
    import wandb

    return wandb.setup()._connection._proc._process


def test_when_the_service_process_dies_the_run_and_the_next_one_go_on(tmp_path, caplog):
    (tmp_path / "a").mkdir()
    trackers = build_trackers({"wandb": settings()})
    trackers.start(RunInfo(tmp_path / "a", CONFIG))
    trackers.log(record(0))
    wait_for(lambda: "offline" in caplog.text)
    service().kill()
    wait_for(lambda: trackers.log(record(1)) or warnings(caplog))
    for step in range(2, 50):
        trackers.log(record(step))
    trackers.finish(SUMMARY)
    assert len(warnings(caplog)) == 1
    assert "the tracker wandb has failed" in caplog.text

    play(tmp_path / "b")
    assert len(warnings(caplog)) == 1
    assert len(history(read_back(tmp_path / "b"))) == 3


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


SCRIPT = """
import logging, os, resource, signal, sys, time
from pathlib import Path
from gan_framework import tracking
from gan_framework.tracking import RunInfo, build_trackers
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
folder = Path(sys.argv[1])
tracking.STOPPED_DEADLINE = 0.5
%(before)s
trackers = build_trackers({"wandb": %(settings)r})
trackers.start(RunInfo(folder, {"seed": 0}))
for step in range(%(steps)d):
    trackers.log({"step": step, "images_seen": step, "seconds": 1.0, "updates": {}, "metrics": {
        f"train/{i}": 0.123456789 * (i + step) for i in range(20)}})
%(trouble)s
trackers.finish({"status": %(status)r, "step": 1, "metrics": {}, "best": None})
print("trackers finished", flush=True)
"""


def run_script(folder, steps=10, before="", trouble="", status="finished", ends=0, **changed):
    """Play a run in a process of its own; return what it says and the seconds it takes to end."""
    folder.mkdir()
    parts = {"settings": settings(**changed), "steps": steps, "before": before, "trouble": trouble}
    script = SCRIPT % {**parts, "status": status}
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if line == "trackers finished\n":
            break
    finished = time.monotonic()
    said.append(process.stdout.read())
    assert process.wait(timeout=30) == ends, "".join(said)
    return "".join(said), time.monotonic() - finished


STARTED = """
while not list(folder.glob("wandb/*/*.wandb")):
    time.sleep(0.02)
began = time.monotonic()
record, = folder.glob("wandb/*/*.wandb")
while b"train/3" not in record.read_bytes() and time.monotonic() - began < 8:  # W&B writes once a second
    time.sleep(0.02)
"""
STOP_SERVICE = """
import wandb
os.kill(wandb.setup()._connection._proc._process.pid, signal.SIGSTOP)
"""
KILL_ALL = """
import wandb
os.kill(wandb.setup()._connection._proc._process.pid, signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_service_process_that_hangs_does_not_keep_a_run_from_ending(tmp_path):
    said, seconds = run_script(tmp_path / "a", trouble=STARTED + STOP_SERVICE, status="stopped")
    assert said.count("WARNING") == 1
    assert "has not finished within 0.5 s" in said
    assert "Traceback" not in said
    assert seconds < 8


def test_a_run_stopped_while_the_server_hangs_ends_soon(tmp_path, server):
    server.hanging = ("file_stream",)
    said, seconds = run_script(tmp_path / "a", trouble=STARTED, status="stopped")
    assert said.count("WARNING") == 1
    assert "has not finished within 0.5 s" in said
    assert "Traceback" not in said
    assert seconds < 8
    assert len(history(read_back(tmp_path / "a"))) >= 9  # the last row is open until the next one


def test_what_was_logged_seconds_before_a_kill_is_kept(tmp_path):
    run_script(tmp_path / "a", trouble=STARTED + KILL_ALL, ends=-signal.SIGKILL)
    assert len(history(read_back(tmp_path / "a"))) == 9


def test_a_record_that_could_not_be_written_is_said_to_be_lost(tmp_path):
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))"
    said, _ = run_script(tmp_path / "a", steps=75, before=limit)
    assert said.count("WARNING") == 1
    assert "File too large" in said


def test_a_home_that_cannot_be_written_is_no_trouble(tmp_path, caplog, capfd, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/no/home")
    play(tmp_path / "a")
    assert warnings(caplog) == []
    assert capfd.readouterr().err == ""
    assert (tmp_path / "a" / "wandb" / "cache").exists()


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_disabled_leaves_nothing_behind(tmp_path, monkeypatch, caplog, how):
    if how == "environment":
        monkeypatch.setenv("WANDB_MODE", "disabled")
        play(tmp_path / "a")
    else:
        play(tmp_path / "a", mode="disabled")
    assert not (tmp_path / "a" / "wandb").exists()
    assert said(caplog) == []


@pytest.mark.parametrize(("setting", "value"), [("mode", "sometimes"), ("finish_timeout", 0)])
def test_a_wrong_setting_is_found_before_training(setting, value):
    with pytest.raises(ConfigError, match=f"tracker.wandb.{setting}={value!r}"):
        build_trackers({"wandb": settings(**{setting: value})})


def test_project_and_entity_follow_the_environment(monkeypatch):
    assert (settings()["project"], settings()["entity"]) == ("gan-framework", None)
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    monkeypatch.setenv("WANDB_ENTITY", "us")
    assert (settings()["project"], settings()["entity"]) == ("mine", "us")
    assert "api_key" not in yaml.safe_load(SETTINGS.read_text())
