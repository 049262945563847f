import pytest

from gan_framework.cli.resume import resume
from gan_framework.errors import ConfigError
from gan_framework.sweeps import again, ending


@pytest.fixture
def swept(tmp_path):
    hydra = "['hydra/launcher=joblib', hydra.mode=MULTIRUN, hydra.sweep.dir=elsewhere]"
    (tmp_path / "multirun.yaml").write_text(
        f"hydra: {{overrides: {{hydra: {hydra}, task: ['loss=hinge,minimax', 'seed=0,1', sweep.retry_failed=true]}}}}\n"
    )
    return tmp_path


def test_a_sweep_is_not_resumed_without_its_own_command(swept, monkeypatch):
    monkeypatch.setattr(ending, "TYPED", ["run.py", "-m", f"sweep.resume={swept}"])
    with pytest.raises(ConfigError) as refused:
        again.check(str(swept), [f"sweep.resume={swept}"])
    command = f"python run.py -m hydra/launcher=joblib loss=hinge,minimax seed=0,1 sweep.resume={swept}"
    assert str(refused.value).endswith(f"repeat the sweep's command, {command}")


def test_resume_of_a_sweeps_folder_gives_the_sweeps_command(swept, capsys):
    assert resume(swept, []) == 2
    command = f"gan-framework train -m hydra/launcher=joblib loss=hinge,minimax seed=0,1 sweep.resume={swept}"
    assert capsys.readouterr().err == f"error: {swept} is a sweep: it goes on by its own command, {command}\n"
    (swept / "multirun.yaml").rename(swept / "runs.json")
    assert resume(swept, []) == 2
    assert f"gan-framework train -m ... sweep.resume={swept}" in capsys.readouterr().err


def test_with_its_command_or_one_that_had_no_settings_it_is(swept):
    again.check(str(swept), ["seed=0,1,2", f"sweep.resume={swept}"])
    (swept / "multirun.yaml").write_text("hydra: {overrides: {task: []}}\n")
    again.check(str(swept), [f"sweep.resume={swept}"])
    (swept / "multirun.yaml").unlink()
    again.check(str(swept), [])


def test_the_folder_of_a_run_or_none_is_refused(tmp_path):
    (tmp_path / "config.yaml").touch()
    with pytest.raises(ConfigError, match=f"is the folder of a single run: `gan-framework resume {tmp_path}`"):
        again.check(str(tmp_path), ["seed=0,1"])
    with pytest.raises(ConfigError, match="no such folder"):
        again.check(str(tmp_path / "nowhere"), ["seed=0,1"])
