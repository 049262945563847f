"""What the W&B tracker gathers: the log, the source code, the samples by step."""

import json
import sys
import types

import pytest

from gan_zoo.trackers import run_log, samples_by_step, source_code
from gan_zoo.trackers.run_log import RunLog
from gan_zoo.trackers.samples_by_step import SamplesByStep

# -- the log ------------------------------------------------------------------------------------------


def test_only_whole_lines_that_are_new_are_read(tmp_path):
    path = tmp_path / "run.log"
    path.write_text("old\nfirst\nsec")
    log = RunLog(path, 4)
    assert log.new() == "first\n"
    assert log.new() == ""
    with path.open("a") as file:
        file.write("ond\nthird\n")
    assert log.new() == "second\nthird\n"


def test_a_log_that_is_gone_or_a_link_says_nothing(tmp_path):
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    assert RunLog(tmp_path / "none", 0).new() == ""
    assert RunLog(tmp_path / "link", 0).new() == ""


def test_a_huge_log_is_read_in_parts_and_not_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(run_log, "AT_ONCE", 1000)
    monkeypatch.setattr(run_log, "MOST", 5000)
    path = tmp_path / "run.log"
    path.write_text("x" * 2500 + "\n" + "line\n" * 5000)
    log = RunLog(path, 0)
    assert log.new() == "x" * 1000  # a line without an end is no reason to stop
    rest = log.rest()
    assert 4000 <= len(rest) <= 5100
    assert rest.endswith("(the log goes on in run.log of the run's folder)\n")
    assert log.rest() == ""


# -- the source code ----------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A loaded package with source, data, outputs, a link, a secret and what is too large."""
    folder = tmp_path / "mine"
    (folder / "parts").mkdir(parents=True)
    (folder / "outputs" / "night").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("__init__.py", "parts/loss.py", "outputs/night/copy.py", ".git/hook.py", "data.npz", "notes.txt"):
        (folder / name).write_text("a = 1\n")
    (folder / "key.py").write_text('key = "0123456789abcdef0123"\n')
    (folder / "large.py").write_text("#" * (source_code.LARGEST + 1))
    (tmp_path / "private.py").write_text("private")
    (folder / "link.py").symlink_to(tmp_path / "private.py")
    module = types.ModuleType("mine")
    module.__path__ = [str(folder)]
    monkeypatch.setitem(sys.modules, "mine", module)
    monkeypatch.setattr(source_code, "_packages", lambda: {"mine"})
    monkeypatch.setenv("MY_API_KEY", "0123456789abcdef0123")
    return folder


def copied(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    left_out = source_code.copy_sources(target)
    return {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*.py")}, left_out


def test_source_is_copied_without_data_outputs_links_and_secrets(package, tmp_path):
    found, left_out = copied(tmp_path)
    found = {name: text for name, text in found.items() if name.startswith("mine/")}
    assert found == {"mine/__init__.py": "a = 1\n", "mine/parts/loss.py": "a = 1\n", "mine/key.py": 'key = "***"\n'}
    assert left_out == ["mine/large.py has more than 1,048,576 bytes"]


def test_no_more_than_so_much_source_is_copied(package, tmp_path, monkeypatch):
    monkeypatch.setattr(source_code, "MOST_FILES", 1)
    found, left_out = copied(tmp_path)
    assert len(found) == 1
    assert any("more than 1 files" in what for what in left_out)


def test_the_packages_are_those_that_have_plugins_and_are_loaded():
    assert {"gan_framework", "gan_zoo"} <= source_code._packages()
    assert not {"torch", "numpy"} & source_code._packages()


# -- the samples by step ------------------------------------------------------------------------------


def line(step, **metrics):
    return {"step": step, "images_seen": 8 * step, "updates": {}, "seconds": 1.0, "metrics": metrics}


def picture(folder, step, size=10):
    (folder / "samples").mkdir(exist_ok=True)
    path = folder / "samples" / f"step_{step:07d}.png"
    path.write_bytes(bytes(size))
    return path


def test_rows_have_the_grids_with_the_scores_of_their_step(tmp_path):
    samples = SamplesByStep()
    for step in (10, 20, 30):
        samples.image(picture(tmp_path, step), line(step))
        samples.log(line(step, **{"train/loss": 1.0} | ({"eval/fid": step / 2} if step != 20 else {})))
    samples.log(line(25, **{"eval/fid": 3.0}))
    (tmp_path / "samples" / "step_0000010.png").unlink()
    rows = samples.rows(last=30)
    assert [(row.step, row.images_seen, row.scores) for row in rows] == [(20, 160, {}), (30, 240, {"fid": 15.0})]
    assert [row.step for row in samples.rows(last=29)] == [20]


def test_a_resumed_run_has_the_rows_of_before(tmp_path):
    for step in (10, 20, 40):
        picture(tmp_path, step)
    with (tmp_path / "metrics.jsonl").open("w") as file:
        for step in range(1, 41):
            scores = {"eval/fid": float(step)} if step == 20 else {"train/loss": 0.5}
            file.write(json.dumps(line(step, **scores)) + "\n")
    samples = SamplesByStep()
    samples.recall(tmp_path)
    samples.image(picture(tmp_path, 30), line(30))
    rows = samples.rows(last=30)
    assert [(row.step, row.images_seen, row.scores) for row in rows] == [
        (10, 80, {}), (20, 160, {"fid": 20.0}), (30, 240, {}),
    ]  # fmt: skip


def test_rows_are_few_and_have_the_first_the_best_and_the_last(tmp_path):
    samples = SamplesByStep()
    for step in range(1, 1001):
        samples.image(picture(tmp_path, step), line(step))
    steps = [row.step for row in samples.rows(last=1000, best=777)]
    assert len(steps) == samples_by_step.ROWS
    assert {1, 777, 1000} <= {*steps}
    assert [row.step for row in samples.rows(last=1000)][::31] == [1, 1000]


@pytest.mark.parametrize(("size", "count"), [(3 * 1024 * 1024, 5), (20 * 1024 * 1024, 0)])
def test_the_pictures_of_a_table_have_a_size(tmp_path, size, count):
    samples = SamplesByStep()
    for step in range(20):
        samples.image(picture(tmp_path, step, size), line(step))
    rows = samples.rows(last=20)
    assert len(rows) == count
    assert sum(row.picture.stat().st_size for row in rows) <= samples_by_step.BYTES
