"""Secrets stay out of everything a run leaves, and nothing is written through a link that lies in its folder."""

import pytest

from tests.program import run
from tests.run.resuming import finish

IN_ENVIRONMENT, IN_OVERRIDE = "5ecret-of-the-environment", "5ecret-of-an-override"
TINY = ["model=mlp", "debug=smoke", "data.image_size=8", "metrics=[]", "sample.count=4"]
ENVIRONMENT = {"WANDB_API_KEY": IN_ENVIRONMENT, "WANDB_MODE": "offline"}


def leaks(folder, *outputs):
    """Return where a secret stands: in a file's content or name, or in what was said."""
    texts = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    texts |= {f"output {number}": output.encode() for number, output in enumerate(outputs)}
    secrets = (IN_ENVIRONMENT, IN_OVERRIDE)
    return [place for place, text in texts.items() if any(s.encode() in text or s in place for s in secrets)]


def test_secrets_are_written_nowhere(tmp_path, cache):
    given = [
        "tracker=[wandb]",
        f"tracker.wandb.notes=see {IN_ENVIRONMENT}",
        f"+hydra.job.env_set.SOME_TOKEN={IN_OVERRIDE}",
        f"tracker.wandb.tags=[{IN_OVERRIDE}]",
    ]
    done = run([*TINY, *given, f"hydra.run.dir={tmp_path}/run"], env=ENVIRONMENT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("run/wandb/*/*.wandb"))
    assert leaks(tmp_path, done.stdout, done.stderr) == []


@pytest.mark.parametrize("multirun", [[], ["-m"]])
def test_a_refused_request_gives_its_secrets_away_nowhere(tmp_path, cache, multirun):
    given = [f"+data.api_key={IN_OVERRIDE}", f"data.flip={IN_ENVIRONMENT}"]
    folders = [f"hydra.run.dir={tmp_path}/run", f"hydra.sweep.dir={tmp_path}/sweep"]
    done = run([*multirun, *TINY, *given, *folders], env=ENVIRONMENT, cwd=tmp_path)
    assert done.returncode == (1 if multirun else 2), done.stderr
    assert "api_key" in done.stderr
    assert leaks(tmp_path, done.stdout, done.stderr) == []


def test_a_sweeps_setting_without_a_sweep_gives_no_secret_away(tmp_path, cache):
    given = [f"+tracker.wandb.api_key={IN_OVERRIDE}", "tracker=[wandb]", "sweep.resume=somewhere"]
    done = run([*TINY, *given, f"hydra.run.dir={tmp_path}/run"], cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "sweep.resume=somewhere needs -m" in done.stderr
    assert leaks(tmp_path, done.stdout, done.stderr) == []


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
