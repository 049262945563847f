"""Secrets stay out of everything a run leaves, and nothing is written through a link that lies in its folder."""

import os
import subprocess
import sys

import pytest

from tests.cli.test_evaluate import save_untrained
from tests.helpers.environment import ROOT
from tests.helpers.in_process import called
from tests.helpers.program import run
from tests.helpers.resuming import finish

IN_ENVIRONMENT, IN_OVERRIDE, IN_URL = "5ecret-of-the-environment", "5ecret-of-an-override", "5ecret:of/a@URL"
TINY = ["model=mlp", "debug=smoke", "data.image_size=8", "metrics=[]", "sample.count=4"]
ENVIRONMENT = {"WANDB_API_KEY": IN_ENVIRONMENT, "WANDB_MODE": "offline"}


def leaks(folder, *outputs):
    """Return where a secret stands: in a file's content or name, or in what was said."""
    texts = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    texts |= {f"output {number}": output.encode() for number, output in enumerate(outputs)}
    secrets = (IN_ENVIRONMENT, IN_OVERRIDE, IN_URL)
    return [place for place, text in texts.items() if any(s.encode() in text or s in place for s in secrets)]


def test_secrets_of_the_environment_are_written_nowhere(tmp_path, cache):
    given = ["tracker=[wandb]", f"tracker.wandb.notes=see {IN_ENVIRONMENT}", f"tracker.wandb.tags=[{IN_ENVIRONMENT}]"]
    done = run([*TINY, *given, f"hydra.run.dir={tmp_path}/run"], env=ENVIRONMENT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("run/wandb/*/*.wandb"))
    assert leaks(tmp_path, done.stdout, done.stderr) == []


@pytest.mark.parametrize("multirun", [[], ["-m"]])
@pytest.mark.parametrize("setting", ["+data.api_key", "+tracker.wandb.api_key", "+hydra.job.env_set.SOME_TOKEN"])
def test_a_setting_that_is_named_like_a_secret_is_refused_without_its_value(tmp_path, cache, multirun, setting):
    folders = [f"hydra.run.dir={tmp_path}/run", f"hydra.sweep.dir={tmp_path}/sweep"]
    done = run([*multirun, *TINY, "tracker=[wandb]", f"{setting}={IN_OVERRIDE}", *folders], cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert setting.lstrip("+") in done.stderr and "environment" in done.stderr
    assert leaks(tmp_path, done.stdout, done.stderr) == []


def test_a_file_of_settings_holds_no_secret_either(tmp_path, cache):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    settings = f"defaults:\n  - override /tracker: [wandb]\ntracker:\n  wandb:\n    password: {IN_OVERRIDE}\n"
    (tmp_path / "conf" / "experiment" / "ours.yaml").write_text(f"# @package _global_\n{settings}")
    given = ["experiment=ours", f"hydra.searchpath=[file://{tmp_path}/conf]", f"hydra.run.dir={tmp_path}/run"]
    done = run([*TINY, *given], cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "tracker.wandb.password" in done.stderr
    assert leaks(tmp_path / "run", done.stdout, done.stderr) == []


URL = f"postgresql://me:{IN_URL}@nowhere.invalid:1/db"
SWEEPERS = {
    "grid": ["seed=0,1"],
    "optuna": ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=1", "seed=0,1", "metrics=[fid]", "extractor=raw"],
}


@pytest.mark.parametrize("sweeper", ["grid", pytest.param("optuna", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "wrong", [[], pytest.param(["train.steps=-1"], marks=pytest.mark.slow), ["loss=nonexistent,hinge"]]
)
def test_neither_sweeper_writes_what_the_environment_or_a_url_holds(tmp_path, cache, sweeper, wrong):
    if sweeper == "optuna":
        pytest.importorskip("optuna", reason="needs the extra [optuna]")
    given = ["tracker=[wandb]", f"tracker.wandb.notes=see {IN_ENVIRONMENT}", f"tracker.wandb.tags=['{URL}']"]
    folder = f"hydra.sweep.dir={tmp_path}/sweep"
    done = run(["-m", *TINY, *SWEEPERS[sweeper], *given, folder, *wrong], env=ENVIRONMENT, cwd=tmp_path)
    assert done.returncode == (2 if wrong == ["loss=nonexistent,hinge"] else 1 if wrong else 0)
    if sweeper == "grid" or wrong != ["loss=nonexistent,hinge"]:  # the search is not begun
        record = (tmp_path / "sweep" / "multirun.yaml").read_text()
        assert "see ***" in record and "postgresql://me:***@nowhere.invalid:1/db" in record
    assert leaks(tmp_path, done.stdout, done.stderr) == []


@pytest.mark.parametrize("full", ["0", "1"])
def test_the_password_of_a_studys_database_reaches_it_and_nothing_else(tmp_path, cache, full):
    pytest.importorskip("optuna", reason="needs the extra [optuna]")
    given = [*SWEEPERS["optuna"], f"hydra.sweep.dir={tmp_path}/sweep"]
    (tmp_path / "psycopg2").mkdir()
    # What takes the place of the driver keeps what it is given, outside of what is looked at.
    driver = (
        "import pathlib\nparamstyle = 'pyformat'\n__version__ = '2.9.9'\nclass Error(Exception): pass\n"
        "def connect(*given, **named):\n"
        f"    pathlib.Path({str(tmp_path)!r}).with_suffix('.given').write_text(repr((given, named)))\n"
        "    raise Error('no connection with ' + str(named.get('password')))\n"
    )
    (tmp_path / "psycopg2" / "__init__.py").write_text(driver)
    (tmp_path / "psycopg2" / "extensions.py").write_text("")
    (tmp_path / "psycopg2" / "extras.py").write_text("")
    url = "postgresql+psycopg2://me:5ecret-in-a-url@nowhere.invalid:1/db"
    environment = {"PYTHONPATH": str(tmp_path), "HYDRA_FULL_ERROR": full, "SOME_TOKEN": IN_ENVIRONMENT}
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "-m", *TINY, *given, f"hydra.sweeper.storage={url}"],
        **{"env": {**os.environ, **environment}, "cwd": tmp_path, "capture_output": True, "text": True},
    )
    assert done.returncode != 0
    assert "5ecret-in-a-url" in tmp_path.with_suffix(".given").read_text()
    assert ("Traceback" in done.stderr) == (full == "1")
    assert "5ecret" not in done.stdout + done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"5ecret" in path.read_bytes()] == []


def test_a_traceback_is_masked(tmp_path, cache):
    given = [f"data.path=/nowhere/{IN_ENVIRONMENT}", f"hydra.run.dir={tmp_path}/run"]
    done = run([*TINY, "data=folder", *given], env={**ENVIRONMENT, "HYDRA_FULL_ERROR": "1"}, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" in done.stderr and "/nowhere/***" in done.stderr.splitlines()[-1]
    assert leaks(tmp_path, done.stdout, done.stderr) == []


def test_printed_settings_are_masked(tmp_path, cache):
    given = [f"tracker.wandb.notes=see {IN_ENVIRONMENT}", "tracker=[wandb]", f"tracker.wandb.group='{URL}'"]
    for what in ("job", "hydra", "all"):
        done = run([*TINY, *given, "--cfg", what], env=ENVIRONMENT, cwd=tmp_path)
        assert done.returncode == 0 and "***" in done.stdout
        assert leaks(tmp_path, done.stdout, done.stderr) == []


def test_what_evaluate_writes_and_prints_is_masked(tmp_path, cache, compose, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_API_KEY", IN_ENVIRONMENT)
    folder = save_untrained(compose(*TINY, "extractor=raw", "metrics=[fid]"), tmp_path / IN_ENVIRONMENT)
    given = ["evaluate", str(folder), "evaluate.samples=32", "--out", str(folder / "scores.json")]
    code = called(*given)
    printed = capsys.readouterr()
    assert code == 0, printed.err
    assert IN_ENVIRONMENT not in printed.out + printed.err and "***/scores.json" in printed.out
    assert IN_ENVIRONMENT not in (folder / "scores.json").read_text()
    assert '"evaluated": ' in (folder / "scores.json").read_text()


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text("untouched")
    return folder


def test_links_to_files_are_replaced_and_not_followed(tmp_path, cache, outside):
    folder = tmp_path / "run"
    (folder / "samples").mkdir(parents=True)
    (folder / "checkpoints").mkdir()
    names = ("metrics.jsonl", "summary.json", "config.yaml", "run.log", ".run_id", ".owner", "samples/step_0000002.png")
    for name in (*names, "checkpoints/step_0000002.pt", "checkpoints/last.pt", "checkpoints/.last.pt.link.part"):
        (folder / name).symlink_to(outside / "file")
    code, output = finish(folder, *TINY, "train.resume=null")
    assert code == 0, output
    assert (outside / "file").read_text() == "untouched"
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert not any((folder / name).is_symlink() for name in names)


@pytest.mark.parametrize("name", ["samples", "checkpoints", "wandb", ".lock"])
def test_a_folder_with_links_to_other_places_is_refused(tmp_path, cache, outside, name):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / name).symlink_to(outside / "file" if name == ".lock" else outside)
    code, output = finish(folder, *TINY)
    assert code == 2, output
    assert str(folder) in output.strip().splitlines()[-1]
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (outside / "file").read_text() == "untouched"
