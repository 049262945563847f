"""The contract of trackers and `metrics.jsonl`."""

import json
import logging
import os
import resource
import threading
import time
import tracemalloc

import pytest

from gan_framework.errors import ConfigError, RunFailed
from gan_framework.runs.logs import RunLog
from gan_framework.runs.tracker import RunInfo, Tracker
from gan_framework.runs.tracking import Trackers, build_trackers


def record(step, **metrics):
    return {
        "step": step,
        "images_seen": 64 * step,
        "updates": {"generator": step},
        "seconds": 0.5 * step,
        "metrics": metrics or {"train/generator/adversarial": 1.0 / (step + 1)},
    }


def lines(folder):
    return [json.loads(line, parse_constant=pytest.fail) for line in (folder / "metrics.jsonl").open()]


class Recorder(Tracker):
    deadline = 5.0

    def __init__(self):
        self.calls = []

    def start(self, run):
        self.calls.append(("start", run))

    def log(self, record):
        self.calls.append(("log", record))

    def image(self, name, path, record):
        self.calls.append(("image", name, path, record))

    def warn(self, trouble, record):
        self.calls.append(("warn", trouble, record))

    def finish(self, summary):
        self.calls.append(("finish", summary))


def test_every_record_is_a_line_in_the_file_at_once(tmp_path):
    trackers = Trackers({})
    trackers.start(RunInfo(tmp_path, {}))
    for step in range(3):
        trackers.log(record(step))
        assert lines(tmp_path) == [record(i) for i in range(step + 1)]
    trackers.finish({})


def test_numbers_that_are_not_finite_are_null(tmp_path):
    trackers = Trackers({})
    trackers.start(RunInfo(tmp_path, {}))
    trackers.log(record(0, a=float("nan"), b=float("inf"), c=-float("inf"), d=2.5, e=[float("nan"), 1]))
    assert lines(tmp_path)[0]["metrics"] == {"a": None, "b": None, "c": None, "d": 2.5, "e": [None, 1]}


def test_a_resumed_run_goes_on_after_its_checkpoint(tmp_path):
    first = Trackers({})
    first.start(RunInfo(tmp_path, {}))
    for step in range(0, 60, 10):
        first.log(record(step))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 60, "images_se')  # what a kill leaves

    second = Trackers({})
    second.start(RunInfo(tmp_path, {}, resumed=True))
    assert [line["step"] for line in lines(tmp_path)] == [0, 10, 20, 30, 40, 50]
    second.truncate_after(30)
    second.log(record(40))
    assert lines(tmp_path) == [record(step) for step in (0, 10, 20, 30, 40)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".run_id", "metrics.jsonl"]


def test_a_last_line_without_its_end_is_dropped_even_if_it_reads_well(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}')
    trackers = Trackers({})
    trackers.start(RunInfo(tmp_path, {}, resumed=True))
    trackers.log({"step": 2})
    assert lines(tmp_path) == [{"step": 1}, {"step": 2}]


def test_a_run_from_the_start_does_not_keep_the_lines_of_another(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n')
    Trackers({}).start(RunInfo(tmp_path, {}))
    assert lines(tmp_path) == []


def test_a_full_disk_ends_the_run_with_a_reason(tmp_path):
    trackers = Trackers({})
    trackers.start(RunInfo(tmp_path, {}))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(RunFailed, match=r"metrics\.jsonl cannot be written: File too large"):
            trackers.log(record(0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    trackers.finish({})


def test_a_file_that_is_deleted_or_replaced_ends_the_run(tmp_path):
    trackers = Trackers({})
    trackers.start(RunInfo(tmp_path, {}))
    trackers.log(record(0))
    (tmp_path / "metrics.jsonl").unlink()
    with pytest.raises(RunFailed, match=r"metrics\.jsonl cannot be written: No such file"):
        trackers.log(record(1))
    (tmp_path / "metrics.jsonl").write_text("another run's\n")
    with pytest.raises(RunFailed, match=r"metrics\.jsonl was replaced"):
        trackers.log(record(1))
    assert (tmp_path / "metrics.jsonl").read_text() == "another run's\n"


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("make", [os.symlink, os.link, lambda precious, path: os.mkfifo(path)])
def test_nothing_is_written_through_what_lies_in_its_place(tmp_path, resumed, make):
    precious, folder = tmp_path / "precious", tmp_path / "run"
    folder.mkdir()
    precious.write_text('{"step": 9}\n')
    make(precious, folder / "metrics.jsonl")
    trackers = Trackers({})
    trackers.start(RunInfo(folder, {}, resumed=resumed))
    trackers.truncate_after(3)
    trackers.log(record(4))
    assert lines(folder) == [record(4)]
    assert precious.read_text() == '{"step": 9}\n'


@pytest.mark.parametrize("length", [10, 100_000, 300_000])
def test_only_the_end_of_a_long_file_is_read(tmp_path, length):
    padding = "x" * length
    count = 5_000_000 // length
    with (tmp_path / "metrics.jsonl").open("w") as file:
        file.writelines(f'{{"step": {step}, "padding": "{padding}"}}\n' for step in range(count))
    trackers = Trackers({})
    tracemalloc.start()
    trackers.start(RunInfo(tmp_path, {}, resumed=True))
    trackers.truncate_after(count - 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
    last = lines(tmp_path)[-1]
    assert last["step"] == count - 3 and last["padding"] == padding


def test_a_link_planted_in_the_folder_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.jsonl").symlink_to(victim)
    trackers = Trackers({})
    trackers.start(RunInfo(run, {}))
    trackers.log(record(0))
    assert victim.read_text() == "precious"
    assert lines(run) == [record(0)]


@pytest.mark.parametrize("kind", ["pipe", "link", "no text", "escapes", "huge"])
def test_what_is_no_id_is_replaced_by_one(tmp_path, kind):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / ".run_id"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "victim")
    else:
        path.write_bytes({"no text": b"\xff\xfe", "escapes": b"x\x1b[2J", "huge": b"x" * 10_000}[kind])
    found = RunInfo(tmp_path / "run", {}).run_id
    assert found.startswith("run-") and path.read_text() == found and not path.is_symlink()
    assert (tmp_path / "victim").read_text() == "precious"


def test_a_run_keeps_its_id_and_has_one_of_its_own(tmp_path):
    (tmp_path / "a run").mkdir()
    (tmp_path / "b").mkdir()
    first = RunInfo(tmp_path / "a run", {}).run_id
    assert RunInfo(tmp_path / "a run", {}, resumed=True).run_id == first
    assert first.startswith("a-run-")
    assert RunInfo(tmp_path / "b", {}).run_id != first


def test_a_tracker_is_told_everything_in_order(tmp_path):
    recorder = Recorder()
    trackers = Trackers({"recorder": recorder})
    run = RunInfo(tmp_path, {"seed": 0}, sweep="s")
    trackers.start(run)
    trackers.log(record(1))
    trackers.image("samples", tmp_path / "x.png", record(1))
    trackers.warn("mode_collapse: alike", record(1))
    trackers.log(record(2))
    trackers.finish({"status": "finished"})
    assert recorder.calls == [
        ("start", run),
        ("log", record(1)),
        ("image", "samples", tmp_path / "x.png", record(1)),
        ("warn", "mode_collapse: alike", record(1)),
        ("log", record(2)),
        ("finish", {"status": "finished"}),
    ]


def test_trackers_get_the_speed_since_the_last_record_and_the_file_does_not(tmp_path):
    recorder = Recorder()
    trackers = Trackers({"recorder": recorder})
    trackers.start(RunInfo(tmp_path, {}))
    for step, seconds in ((1, 2.0), (3, 3.0), (2, 2.5), (4, 3.0)):  # the third after a way back to a checkpoint
        trackers.log(record(step), seconds)
    trackers.finish({})
    told = [call[1]["metrics"].get("train/images_per_second") for call in recorder.calls if call[0] == "log"]
    assert told == [32.0, 128.0, None, 256.0]
    assert lines(tmp_path) == [record(step) for step in (1, 3, 2, 4)]


def test_a_resumed_run_has_no_speed_before_its_second_record(tmp_path):
    recorder = Recorder()
    trackers = Trackers({"recorder": recorder})
    trackers.start(RunInfo(tmp_path, {}, resumed=True))
    trackers.log(record(50), 100.0)
    trackers.log(record(51), 101.0)
    trackers.finish({})
    told = [call[1]["metrics"].get("train/images_per_second") for call in recorder.calls if call[0] == "log"]
    assert told == [None, 64.0]


def test_a_tracker_that_knows_no_warnings_goes_on(tmp_path, caplog):
    class Plain(Tracker):
        def start(self, run):
            pass

        def log(self, record):
            pass

    trackers = Trackers({"plain": Plain()})
    trackers.start(RunInfo(tmp_path, {}))
    trackers.warn("mode_collapse: alike", record(1))
    trackers.finish({})
    assert caplog.text == ""


def test_the_run_of_an_agent_has_the_id_that_it_was_given(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("WANDB_RUN_ID", "planned1")
    assert RunInfo(tmp_path / "a", {}).run_id.startswith("a-")  # every run of a shell would be the same one
    monkeypatch.setenv("WANDB_SWEEP_ID", "s")
    assert RunInfo(tmp_path / "b", {}).run_id == "planned1"
    monkeypatch.setenv("WANDB_RUN_ID", "../x")
    assert RunInfo(tmp_path / "c", {}).run_id.startswith("c-")


def test_the_log_that_a_tracker_is_told_of_begins_with_this_process(tmp_path):
    path = tmp_path / "run.log"
    path.write_text("of an earlier process\n")
    assert RunInfo(tmp_path, {}).log is None
    handler = RunLog(path)
    logging.getLogger().addHandler(handler)
    try:
        told = RunInfo(tmp_path, {}).log
        assert RunInfo(tmp_path / "other", {}, run_id="x").log is None
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    assert told is not None and told.path == path
    assert told.begins == len("of an earlier process\n")


@pytest.mark.parametrize("method", ["start", "log", "image", "warn", "finish"])
def test_a_failing_tracker_is_left_out_after_one_warning(tmp_path, caplog, method):
    broken, healthy = Recorder(), Recorder()
    broken.kept = "the rest is in a drawer"
    abandoned = threading.Event()
    broken.abandon = abandoned.set

    def fail(*arguments):
        raise SystemExit("no luck")

    setattr(broken, method, fail)
    trackers = Trackers({"broken": broken, "healthy": healthy})
    trackers.start(RunInfo(tmp_path, {}))
    for step in range(3):
        trackers.log(record(step))
        trackers.image("samples", tmp_path / "x.png", record(step))
        trackers.warn("a: b", record(step))
    trackers.finish({"status": "finished"})
    warnings = [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert all(part in warnings[0] for part in ("broken", method, "no luck", "the rest is in a drawer"))
    assert abandoned.is_set()
    assert [call[0] for call in healthy.calls] == ["start", *["log", "image", "warn"] * 3, "finish"]
    assert len(lines(tmp_path)) == 3


def test_a_tracker_that_hangs_neither_slows_the_run_nor_outlasts_its_deadline(tmp_path, caplog):
    hanging = Recorder()
    hanging.deadline = 0.3
    release = threading.Event()
    hanging.log = lambda record: release.wait(30)
    trackers = Trackers({"hanging": hanging})
    began = time.monotonic()
    trackers.start(RunInfo(tmp_path, {}))
    for step in range(200):
        trackers.log(record(step))
    assert time.monotonic() - began < 5
    trackers.finish({"status": "finished"})
    assert time.monotonic() - began < 10
    release.set()
    assert [r.getMessage() for r in caplog.records] == [
        "the tracker hanging has failed and is left out from now on "
        "(it has not finished within 0.3 s); metrics.jsonl in the run's folder has everything"
    ]
    assert len(lines(tmp_path)) == 200


def test_what_a_hanging_tracker_is_sent_does_not_pile_up(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("gan_framework.runs.background.WAITING_RECORDS", 5)
    hanging = Recorder()
    release = threading.Event()
    hanging.start = lambda run: release.wait(30)
    trackers = Trackers({"hanging": hanging})
    trackers.start(RunInfo(tmp_path, {}))
    for step in range(20):
        trackers.log(record(step))
    assert len(caplog.records) == 1
    assert "5 calls wait" in caplog.text
    began = time.monotonic()
    trackers.finish({"status": "finished"})
    assert time.monotonic() - began < 5
    release.set()


def test_a_run_stopped_by_a_signal_waits_only_briefly(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_framework.runs.background.STOPPED_DEADLINE", 0.1)
    hanging = Recorder()
    release = threading.Event()
    hanging.finish = lambda summary: release.wait(30)
    trackers = Trackers({"hanging": hanging})
    trackers.start(RunInfo(tmp_path, {}))
    began = time.monotonic()
    trackers.finish({"status": "stopped"})
    assert time.monotonic() - began < 10
    release.set()


def test_an_unknown_tracker_is_a_wrong_request():
    with pytest.raises(ConfigError, match="trackers.*wandb"):
        build_trackers({"x": {"name": "wandbb"}})
