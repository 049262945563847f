"""What is named as a run and is none is called what it is, and the run it belongs to is named."""

import numpy
import pytest

from gan_framework.errors import ConfigError
from gan_framework.runs import checkpoint
from gan_framework.runs.restore import load_game
from gan_framework.storage import no_run


@pytest.fixture
def sweep(tmp_path):
    """A sweep's folder with a run in it, of whose files none is a checkpoint."""
    run = tmp_path / "sweep" / "seed=0"
    for folder in ("samples", "checkpoints", "wandb/offline-run-1/files"):
        (run / folder).mkdir(parents=True)
    for name in ("config.yaml", "summary.json", "metrics.jsonl", "samples/step_0000001.png"):
        (run / name).write_text("{}")
    (run / "wandb/offline-run-1/files/config.yaml").write_text("{}")
    (tmp_path / "sweep" / "multirun.yaml").write_text("{}")
    return tmp_path / "sweep"


OF_WANDB = "wandb/offline-run-1/files/config.yaml"
OF_A_RUN = ["config.yaml", "summary.json", "metrics.jsonl", "samples/step_0000001.png", OF_WANDB]


@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_file_of_a_run_is_no_damaged_checkpoint(sweep, name):
    path = sweep / "seed=0" / name
    for read in (checkpoint.load, load_game):
        with pytest.raises(ConfigError) as refused:
            read(path)
        assert str(refused.value) == f"{path} is a file of a run: name the run's folder, {sweep / 'seed=0'}"


@pytest.mark.parametrize("name", ["samples", "checkpoints", "wandb", "wandb/offline-run-1"])
def test_a_folder_in_a_run_names_the_run(sweep, name):
    path = sweep / "seed=0" / name
    with pytest.raises(ConfigError, match="is a folder of a run") as refused:
        load_game(path)
    assert str(refused.value).endswith(f"name the run's folder, {sweep / 'seed=0'}")


def test_a_sweep_names_one_of_its_runs(sweep):
    with pytest.raises(
        ConfigError, match="is not a run but contains runs: name one of those that `gan-framework runs"
    ) as said:
        load_game(sweep)
    assert str(said.value).endswith(f"for example {sweep / 'seed=0'}")
    with pytest.raises(ConfigError, match=f"a file of a sweep: name one of the runs that `gan-framework runs {sweep}`"):
        load_game(sweep / "multirun.yaml")


def test_a_run_without_checkpoints_is_one(sweep):
    with pytest.raises(ConfigError, match="seed=0 holds no intact checkpoint in its folder `checkpoints`"):
        load_game(sweep / "seed=0")
    (sweep / "seed=0" / "summary.json").write_text('{"status": "failed", "error": "there are no\\nimages"}')
    with pytest.raises(ConfigError, match=r"folder `checkpoints`; the run failed: there are no\\nimages$"):
        load_game(sweep / "seed=0")


def test_what_is_of_no_run_is_said(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    numpy.savez(tmp_path / "arrays.npz", x=numpy.zeros(3))
    (tmp_path / "empty").mkdir()
    for name, said in (
        ("arrays.npz", "is neither the folder of a run nor a checkpoint"),
        ("photo.jpg", "is neither the folder of a run nor a checkpoint"),
        ("empty", "is not a run: it has neither a config.yaml nor a folder `checkpoints`"),
        ("nothing", "there is no checkpoint"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_game(tmp_path / name)


def test_a_damaged_checkpoint_is_still_called_damaged(tmp_path):
    (tmp_path / "last.pt").write_bytes(b"nothing of the kind")
    (tmp_path / "renamed").write_bytes(b"PK\x03\x04 cut off")
    for name in ("last.pt", "renamed"):
        with pytest.raises(ConfigError, match="is damaged or not a checkpoint"):
            checkpoint.load(tmp_path / name)


def test_looking_for_runs_ends(tmp_path, monkeypatch):
    """Below a large folder there may be anything; only so many folders are looked into."""
    monkeypatch.setattr(no_run, "FOLDERS", 3)
    for number in range(5):
        (tmp_path / str(number)).mkdir()
    (tmp_path / "4" / "config.yaml").write_text("{}")
    (tmp_path / "4" / "run.log").write_text("")
    assert "is not a run: it has" in no_run.said(tmp_path)
    monkeypatch.setattr(no_run, "FOLDERS", 6)
    assert "is not a run but contains runs" in no_run.said(tmp_path)
