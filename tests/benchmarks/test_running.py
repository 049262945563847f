"""Jobs run several at once, until a time, whatever becomes of them."""

import os
import time
from pathlib import Path

import pytest
from evidence import job as jobs
from evidence import running
from evidence.job import Job


@pytest.fixture
def program(monkeypatch):
    """In the place of a training run: what a job's first override says, in its process."""

    def child(arguments, printed, job, run):
        run.mkdir(parents=True)
        (run / "summary.json").write_text('{"status": "finished", "metrics": {"eval/fid": 2.5, "train/x": 1}}')
        seconds, code = arguments[0].split()
        time.sleep(float(seconds))
        os._exit(int(code))

    monkeypatch.setattr(jobs, "_train_here", child)
    monkeypatch.setattr(running, "prepare", lambda: None)
    monkeypatch.setattr(running, "GRACE", 0.2)


def made(names, seconds="0", code=0, **settings):
    outcomes = {}
    return outcomes, [
        Job(name, (f"{seconds} {code}",), lambda outcome, name=name: outcomes.update({name: outcome}), **settings)
        for name in names
    ]


def test_all_jobs_end_and_temporary_folders_are_gone(program):
    outcomes, planned = made("abc")
    assert running.run_all(planned, at_once=2) == []
    assert {name: outcome.scores for name, outcome in outcomes.items()} == dict.fromkeys("abc", {"fid": 2.5})
    assert not any(outcome.folder.exists() for outcome in outcomes.values())


def test_so_many_run_at_once(program, monkeypatch):
    running_now, most = 0, 0
    start, end = running.start, running.end

    def counted(*given):
        nonlocal running_now, most
        running_now += 1
        most = max(most, running_now)
        return start(*given)

    def counted_end(*given):
        nonlocal running_now
        running_now -= 1
        end(*given)

    monkeypatch.setattr(running, "start", counted)
    monkeypatch.setattr(running, "end", counted_end)
    _, planned = made("abcdef", "0.05")
    running.run_all(planned, at_once=3)
    assert (most, running_now) == (3, 0)


def test_when_the_time_is_over_what_runs_is_stopped_and_nothing_starts(program):
    outcomes, planned = made("abc", "60")
    began = time.monotonic()
    left = running.run_all(planned, at_once=2, seconds=1)
    assert time.monotonic() - began < 10
    assert [job.name for job in left] == ["c"] and outcomes.keys() == {"a", "b"}
    assert {outcome.status for outcome in outcomes.values()} == {"failed"}  # it was stopped as its summary says not


def test_a_job_that_takes_longer_than_its_own_limit_is_stopped(program):
    outcomes, planned = made("a", "60", limit=0.2)
    more, others = made("b")
    assert running.run_all([*planned, *others]) == []
    assert outcomes["a"].status == "failed" and more["b"].status == "finished"


def test_a_run_that_ends_with_an_error_has_no_scores(program):
    outcomes, planned = made("a", code=1)
    running.run_all(planned)
    assert outcomes["a"].status == "failed" and not outcomes["a"].scores


def test_a_folder_of_its_own_stays(program, tmp_path):
    outcomes, planned = made("a", folder=tmp_path / "run")
    running.run_all(planned)
    assert outcomes["a"].folder == tmp_path / "run"
    assert Path(tmp_path, "run", "summary.json").exists()


def test_a_job_that_trains_for_so_long_is_measured_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "prepare", lambda: None)
    monkeypatch.setattr("gan_framework.cli.train.train", until_stopped)
    outcomes = {}

    def job(name, train_for):
        return Job(name, (), lambda found: outcomes.update({name: found}), measured, tmp_path / name, None, train_for)

    running.run_all([job("stopped", 0.2)])
    running.run_all([job("other", None)], seconds=0.2)
    assert (outcomes["stopped"].status, outcomes["stopped"].scores) == ("stopped", {"x": 1.5})
    assert outcomes["other"].scores == {}


def until_stopped():
    """Train until it is asked to stop, as a run does, and not for ever."""
    import signal
    import sys

    began = time.monotonic()
    folder = Path(sys.argv[-1].partition("=")[2])
    folder.mkdir()
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    while not stopped and time.monotonic() < began + 30:
        pass
    (folder / "summary.json").write_text('{"status": "stopped", "metrics": {}}')
    return 3 if stopped else 1


def measured(run):
    return {"x": 1.5}
