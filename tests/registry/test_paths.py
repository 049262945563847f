"""Settings that name files mean the same from wherever a run is looked at."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gan_framework.config.compose import compose, plain
from gan_framework.config.paths import anchored
from gan_framework.registry import registry, typecheck
from gan_framework.registry.kinds import KINDS

NAMES_OF_FILES = ("path", "test_path", "root", "weights", "file", "folder")
"""What settings that name files are called in the zoo."""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    return tmp_path


@pytest.mark.parametrize(
    ("overrides", "setting"),
    [
        (["data=folder", "data.path={}"], "data.path"),
        (["data=folder", "data.path=x", "data.test_path={}"], "data.test_path"),
        (["data=npz", "data.path={}"], "data.path"),
        (["data=mnist", "data.root={}"], "data.root"),
        (["data=celeba", "data.root={}"], "data.root"),
        (["+data@sources.b=folder", "sources.b.path={}"], "sources.b.path"),
        (["extractor=inception", "extractor.weights={}"], "extractor.weights"),
        (["extractor=clip", "extractor.weights={}"], "extractor.weights"),
        (["train.resume={}"], "train.resume"),
    ],
)
@pytest.mark.parametrize(
    ("typed", "meant"),
    [("there/x", "{here}/there/x"), ("./x", "{here}/x"), ("~/x", "/home/somebody/x"), ("/abs/x", "/abs/x")],
)
def test_relative_paths_are_taken_from_where_the_run_was_started(here, overrides, setting, typed, meant):
    config = plain(anchored(compose([override.format(typed) for override in overrides])))
    for key in setting.split("."):
        config = config[key]
    assert config == meant.format(here=here)


def test_what_names_no_file_stays_as_it_is(here):
    config = compose(["data=mnist"])
    assert plain(anchored(config)) == plain(config)
    assert anchored(compose([])).train.resume == "auto"


def test_a_plugin_is_given_an_absolute_path(here):
    (here / "mine.npz").touch()
    settings = {"name": "folder", **plain(compose(["data=folder"]))["data"], "path": "nowhere"}
    with pytest.raises(ValueError, match=f"{here}/nowhere"):
        registry.build("datasets", {k: v for k, v in settings.items() if k not in KINDS["datasets"].reserved})


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_of_the_zoo_that_is_called_like_a_file_asks_for_a_path(kind):
    for plugin in registry.installed(kind):
        if plugin.distribution == "gan-framework":
            for name, wanted in typecheck.wanted(plugin.load()).items():
                several = getattr(wanted, "__origin__", None) in (Mapping, list)  # burn_in's weights of terms
                asks_for_a_path = Path in (wanted, *getattr(wanted, "__args__", ()))
                assert name not in NAMES_OF_FILES or asks_for_a_path or several, (plugin, name)


def test_what_may_be_a_name_is_a_path_where_there_is_one(here):
    (here / "saved").mkdir()
    for path, meant in (("saved", f"{here}/saved"), ("user/data", "user/data")):
        assert anchored(compose(["data=huggingface", f"data.path={path}"])).data.path == meant


def test_a_path_is_text_that_is_not_empty():
    assert typecheck.misfit("x", Path | None) is None
    assert typecheck.misfit(None, Path | None) is None
    assert typecheck.misfit("", Path) == "a path"
    assert typecheck.misfit(3, Path | None) == "a path or null"
