"""Settings that name files mean the same wherever the configuration is read."""

from pathlib import Path

from gan_framework.config.compose import compose, plain
from gan_framework.config.paths import anchored


def test_files_of_a_section_that_refers_to_another_are_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    typed = ["data=npz", "data.path=mine.npz", "+sources.b=${data}", "networks.generator.from=runs/one"]
    config = plain(anchored(compose([*typed, "+networks.other=${networks.generator}"])))
    for section in (config["data"], config["sources"]["b"]):
        assert Path(section["path"]) == tmp_path / "mine.npz"
    for name in ("generator", "other"):
        assert Path(config["networks"][name]["from"]) == tmp_path / "runs/one"


def test_the_name_of_a_folder_is_no_reference(tmp_path, monkeypatch):
    folder = tmp_path / "${oc.env:HOME}"
    folder.mkdir()
    monkeypatch.chdir(folder)
    typed = ["data=npz", "data.path=mine.npz", "networks.generator.from=runs/one", "train.resume=last.pt"]
    config = plain(anchored(compose(typed)))
    assert config["data"]["path"] == str(folder / "mine.npz")
    assert config["networks"]["generator"]["from"] == str(folder / "runs/one")
    assert config["train"]["resume"] == str(folder / "last.pt")
