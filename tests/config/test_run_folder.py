"""Runs that start in the same second get a folder each."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from omegaconf import OmegaConf

from gan_framework.config.compose import compose
from gan_framework.config.run_folder import NewFolder, claimed, drop_refused


def test_every_one_of_many_gets_its_own(tmp_path):
    wanted = str(tmp_path / "day" / "12-00-00")
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: claimed(wanted), range(64)))
    assert sorted(got) == sorted([wanted, *(f"{wanted}-{number}" for number in range(2, 65))])
    assert {Path(folder).name for folder in got} == {path.name for path in (tmp_path / "day").iterdir()}


def test_where_none_can_be_made_the_wanted_one_is_left_to_fail(tmp_path):
    (tmp_path / "file").touch()
    assert claimed(str(tmp_path / "file" / "x" / "y")) == str(tmp_path / "file" / "x" / "y")
    assert claimed(str(tmp_path / "file" / "x")) == str(tmp_path / "file" / "x")


def test_only_a_start_claims_and_only_what_is_not_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = compose([], with_hydra=True)
    shown = [config.hydra.run.dir for _ in range(3)]
    assert shown[0].startswith("outputs/") and len({*shown}) == 1
    assert OmegaConf.to_container(config.hydra.run, resolve=True) == {"dir": shown[0]}
    assert not list(tmp_path.iterdir())

    (tmp_path / shown[0]).mkdir(parents=True)
    NewFolder().on_run_start(config)
    assert config.hydra.run.dir == f"{shown[0]}-2" and (tmp_path / f"{shown[0]}-2").is_dir()

    named = compose(["hydra.run.dir=mine"], with_hydra=True)
    NewFolder().on_run_start(named)
    assert named.hydra.run.dir == "mine" and not (tmp_path / "mine").exists()


def test_a_sweep_claims_a_folder_too_and_its_jobs_know_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = compose([], with_hydra=True)
    wanted = config.hydra.sweep.dir
    assert wanted.startswith("multirun/")
    (tmp_path / wanted).mkdir(parents=True)
    NewFolder().on_multirun_start(config)
    assert config.hydra.sweep.dir == f"{wanted}-2" and (tmp_path / f"{wanted}-2").is_dir()
    assert config.hydra.overrides.hydra[-1] == f"hydra.sweep.dir='{wanted}-2'"

    for asked, folder in (["sweep.resume=old"], "old"), (["hydra.sweep.dir=mine"], "mine"):
        named = compose(asked, with_hydra=True)
        NewFolder().on_multirun_start(named)
        assert named.hydra.sweep.dir == folder and not (tmp_path / folder).exists()


def test_a_refused_request_leaves_no_folder_and_one_that_has_begun_keeps_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused, begun = (compose([f"hydra.run.dir=${{new_folder:{name}/x/y}}"], with_hydra=True) for name in "ab")
    NewFolder().on_run_start(refused)
    NewFolder().on_run_start(begun)
    for name in ("run.log", "summary.json", ".lock"):
        (tmp_path / "a/x/y" / name).touch()
        (tmp_path / "b/x/y" / name).touch()
    (tmp_path / "b/x/y/metrics.jsonl").touch()
    drop_refused()
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert len(list((tmp_path / "b/x/y").iterdir())) == 4
