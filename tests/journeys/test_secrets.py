"""Secrets stay out of everything a run leaves, and nothing is written through a link that lies in its folder."""

import pytest

from tests.helpers.program import run
from tests.helpers.resuming import finish

IN_ENVIRONMENT, IN_OVERRIDE = "5ecret-of-the-environment", "5ecret-of-an-override"
TINY = ["model=mlp", "debug=smoke", "data.image_size=8", "metrics=[]", "sample.count=4"]
ENVIRONMENT = {"WANDB_API_KEY": IN_ENVIRONMENT, "WANDB_MODE": "offline"}


def leaks(folder, *outputs):
    """Return where a secret stands: in a file's content or name, or in what was said."""
    texts = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    texts |= {f"output {number}": output.encode() for number, output in enumerate(outputs)}
    secrets = (IN_ENVIRONMENT, IN_OVERRIDE)
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
