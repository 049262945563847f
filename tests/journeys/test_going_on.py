"""`gan-framework resume RUN` and `gan-framework train RUN/config.yaml`, with the real program."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.in_process import called, last_line
from tests.helpers.program import Program
from tests.helpers.resuming import count, difference, finish, lines, start, wait

SMALL = [
    "model=mlp",
    "loss=hinge",
    "strategy=[ema,lr_decay]",
    "data.image_size=16",
    "optimizer.generator.lr=0.001",
    "train.batch_size=16",
    "train.log_every=1",
    "train.checkpoint_every=3",
    "train.sample_every=4",
    "evaluate.every=4",
    "evaluate.samples=64",
    "extractor=raw",
    "metrics=[fid]",
    "tracker=[]",
]


def gan(*arguments, cwd=None):
    """Run the command in a process of its own; return its exit code and what it said."""
    process = Program(arguments, cwd, merged=True, command=True)
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


@pytest.fixture
def refused(capsys):
    """Run the command in this process, where it is refused; return its last line."""

    def call(*arguments):
        assert called(*arguments) == 2
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return last_line(said)

    return call


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, cache):
    folder = tmp_path_factory.mktemp("uninterrupted")
    code, output = finish(folder, *SMALL, "train.steps=40")
    assert code == 0, output
    return folder


@pytest.fixture(scope="module")
def short(tmp_path_factory, cache):
    """A run of two steps, for what is refused."""
    folder = tmp_path_factory.mktemp("short")
    code, output = finish(folder, *SMALL, "train.steps=2")
    assert code == 0, output
    return folder


def test_a_stopped_run_goes_on_from_its_folder_alone_and_ends_as_one_that_was_not(uninterrupted, tmp_path):
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    elsewhere.mkdir()
    process = start(run, *SMALL, "train.steps=40")
    wait(process, lambda: count(run) >= 5)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 3, output
    code, output = gan("resume", run, cwd=elsewhere)
    assert code == 0, output
    assert "resumed from" in output and "other settings" not in output
    assert difference(uninterrupted, run) == []
    assert (run / "config.yaml").read_text() == (uninterrupted / "config.yaml").read_text()
    log = (run / "run.log").read_text()
    assert log.count(f"run folder {run}; device cpu") == 2 and f"resumed from {run}" in log
    assert not list(elsewhere.iterdir())


def test_what_is_changed_is_said_and_what_follows_it_changes_too(short, tmp_path):
    run = copied(short, tmp_path)
    code, output = gan("resume", Path("run"), "train.steps=4", "optimizer.generator.lr=1e-4", cwd=tmp_path)
    assert code == 0, output
    said = "train.steps: 2 → 4; strategy.lr_decay.steps: 2 → 4; optimizer.generator.lr: 0.001 → 0.0001"
    assert said in output
    assert said in (run / "run.log").read_text()
    assert len(lines(run)) == 4
    summary = json.loads((run / "summary.json").read_text())
    assert summary["step"] == 4
    # What the run is by its whole command, each setting once.
    before = [*SMALL, "train.steps=2", f"hydra.run.dir={short}"]
    expected = [text for text in before if not text.startswith(("train.steps", "optimizer", "hydra"))]
    assert summary["overrides"] == [*expected, "train.steps=4", "optimizer.generator.lr=1e-4"]


def test_without_its_configuration_a_checkpoints_is_taken(short, tmp_path):
    run = copied(short, tmp_path)
    config = (run / "config.yaml").read_text()
    for damage in ("loss: [", None):
        (run / "config.yaml").unlink() if damage is None else (run / "config.yaml").write_text(damage)
        code, output = gan("resume", run)
        assert code == 0, output
        assert f"its configuration is taken from {run}/checkpoints/step_0000002.pt" in output
        assert "the run has finished: train.steps=N with N > 2 continues it" in output
        assert (run / "config.yaml").read_text() == config


def test_a_run_that_began_anew_is_not_begun_anew_again(tmp_path, cache):
    code, output = finish(tmp_path, *SMALL, "train.steps=3", "train.resume=null")
    assert code == 0, output
    code, output = gan("resume", tmp_path, "train.steps=5")
    assert code == 0, output
    assert "resumed from" in output
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["loss=wasserstein", "tracker=[wandb]"], "loss.name: hinge → wasserstein"),
        (["data.image_size=32"], "data.image_size: 16 → 32"),
        (["hydra.run.dir=x"], "hydra.run.dir=x: resume continues the run in its own folder"),
        (["model=dcgan"], "model=dcgan: an option of model says what differs from the defaults"),
        (["train.stepz=3"], "train.stepz: unknown setting; closest in train"),
        (["seed=1,2"], "a sweep, which needs -m"),
        (["+my_api_key=123"], "can hold no secret"),
    ],
)
def test_what_cannot_be_changed_is_refused(refused, short, overrides, reason):
    before = {path: path.read_bytes() for path in short.rglob("*") if path.is_file() and path.name != "run.log"}
    assert reason in refused("resume", short, *overrides)
    assert {path: path.read_bytes() for path in before} == before
    assert not (short / "wandb").exists(), "a record of what was refused"


def test_what_is_no_run_is_refused(refused, short, tmp_path):
    assert "there is no run" in refused("resume", tmp_path / "nothing")
    assert "is a file: name the run's folder" in refused("resume", short / "checkpoints" / "last.pt")
    assert "is not a run: it has neither a config.yaml" in refused("resume", tmp_path)
    (tmp_path / "checkpoints").mkdir()
    assert "no checkpoint in" in refused("resume", tmp_path)
    (tmp_path / "config.yaml").write_text("train: {}\ndata: {}\nnetworks: {}\ntracker: {a: {name: a, token: x}}\n")
    assert "tracker.a.token: a setting is stored with the run" in refused("resume", tmp_path)


def test_a_run_of_a_sweep_whose_command_is_not_known_is_left_to_the_sweep(refused, short, tmp_path):
    run = copied(short, tmp_path)
    (tmp_path / "multirun.yaml").touch()
    (run / "summary.json").unlink()
    assert f"sweep.resume={tmp_path}" in refused("resume", run)


def test_several_processes_go_on_together(short, tmp_path):
    run = copied(short, tmp_path)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, "-m", "gan_framework.cli.commands", "resume", run, "train.steps=4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "resumed from" in done.stdout + done.stderr
    assert json.loads((run / "summary.json").read_text())["step"] == 4


# -- train RUN/config.yaml ---------------------------------------------------------------------------


def test_a_configuration_given_back_trains_the_same_run(uninterrupted, tmp_path):
    code, output = gan("train", uninterrupted / "config.yaml", cwd=tmp_path)
    assert code == 0, output
    (again,) = (tmp_path / "outputs").glob("*/*")
    assert [text for text in difference(uninterrupted, again) if text != "summary.json: overrides"] == []
    assert (again / "config.yaml").read_text() == (uninterrupted / "config.yaml").read_text()
    assert f"with the configuration of {uninterrupted}/config.yaml" in (again / "run.log").read_text()


def test_it_can_be_swept_over(short, tmp_path):
    file = short / "config.yaml"
    overrides = ["loss=hinge,minimax", "data.image_size=16,32", f"hydra.sweep.dir={tmp_path}", "evaluate.samples=0"]
    process = Program([file, "-m", *overrides], merged=True)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    found = {path.parent.name: path.read_text() for path in tmp_path.glob("*/config.yaml")}
    assert len(found) == 4
    for name, text in found.items():
        assert ("name: hinge" in text) == ("loss=hinge" in name)
        assert text.count("image_size: 32") == (3 if "image_size=32" in name else 0)


def test_a_folder_or_what_is_no_configuration_is_refused(refused, short, tmp_path):
    assert f"`gan-framework resume {short}` resumes it" in refused("train", short)
    assert "there is no file" in refused("train", tmp_path / "none.yaml")
    assert "only one configuration file can be given" in refused("train", "a.yaml", "b.yaml")
    (tmp_path / "hinge.yaml").write_text("name: hinge\n")
    assert "is not the configuration of a run" in refused("train", "seed=1", tmp_path / "hinge.yaml")
    assert "experiment=wgan: an option of experiment" in refused("train", short / "config.yaml", "experiment=wgan")


# -- folders ------------------------------------------------------------------------------------------


def test_runs_that_start_at_once_get_folders_of_their_own(tmp_path, cache):
    overrides = ["debug=smoke", "model=mlp", "metrics=[]"]
    processes = [Program([*overrides, f"seed={seed}"], cwd=tmp_path, merged=True) for seed in range(4)]
    for process in processes:
        output, _ = process.communicate(timeout=200)
        assert process.returncode == 0, output
    summaries = [json.loads(path.read_text()) for path in (tmp_path / "outputs").glob("*/*/summary.json")]
    assert sorted(summary["seed"] for summary in summaries) == [0, 1, 2, 3]
    assert len(list((tmp_path / "outputs").glob("*/*"))) == 4


def copied(run, tmp_path):
    """Copy a run to `tmp_path`/run."""
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"
