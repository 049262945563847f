"""An experiment that is chosen by the data: what is typed wins, and the run's configuration has what was chosen."""

import logging

import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from gan_framework import train
from gan_framework.build import build_game
from gan_framework.cli.hydra_arguments import with_chosen
from gan_framework.config.compose import compose, plain
from gan_framework.errors import ConfigError
from gan_framework.runs import choosing
from gan_framework.runs.choosing import completed

SMALL = ["data=digits", "data.image_size=16", "train.device=cpu"]


def made(*typed):
    overrides = ["experiment=auto", *SMALL, *typed]
    return completed(compose(overrides), overrides)


def test_the_configuration_has_what_was_chosen_and_the_log_says_why(caplog):
    with caplog.at_level(logging.INFO):
        found = made()
    config = plain(found.composed)
    assert config["networks"]["generator"]["name"] == "dcgan" and config["networks"]["discriminator"]["norm"] == "none"
    assert [*config["strategy"]] == ["ada", "ema"] and [*config["terms"]] == ["r1"]
    assert config["terms"]["r1"]["weight"] == 0.0016 and config["train"]["batch_size"] == 32
    assert config["strategy"]["ema"]["batch_size"] == 32
    assert found.sources.shape.size == 1442
    assert "experiment=auto: terms.r1.weight=0.0016 terms.r1.every=16 (0.0002 times 16x16 pixels" in caplog.text
    assert "term=[r1] strategy=[ada,ema] strategy.ada.images=106666 (1,442 images are few" in caplog.text


def test_what_is_typed_wins_and_what_follows_from_it_follows(caplog):
    with caplog.at_level(logging.INFO):
        found = made(
            "train.batch_size=64",
            "strategy=[diff_augment]",
            "generator=resnet",
            "networks.generator.width=8",
            "loss=hinge",
        )
    config = plain(found.composed)
    assert config["train"]["batch_size"] == 64 and config["terms"]["r1"]["weight"] == 0.0008
    assert [*config["strategy"]] == ["diff_augment"]
    assert config["networks"]["generator"]["name"] == "resnet" and config["networks"]["generator"]["width"] == 8
    assert config["networks"]["discriminator"]["name"] == "dcgan" and config["loss"]["name"] == "hinge"
    assert "experiment=auto leaves strategy.ema.half_life, strategy.ema.batch_size, strategy.ema.ramp" in caplog.text


@pytest.mark.slow
def test_what_is_shown_is_what_would_be_chosen_and_what_is_odd_is_said(tmp_path, caplog):
    for number in range(9):
        Image.new("RGB", (47, 33), (20 * number, 5, 9)).save(tmp_path / f"{number}.png")
    typed = ["data=folder", f"data.path={tmp_path}", "train.device=cpu", "data.test_share=0"]
    with caplog.at_level(logging.INFO):
        shown = with_chosen(["--cfg", "job", "experiment=auto", *typed])
    assert shown == ["--cfg", "job", "experiment=_chosen", *typed]
    assert compose(shown[2:]).train.batch_size == 8
    assert "experiment=auto: (33x47 is made as 40x48 and cut; 'data.image_size=[32,40]' would" in caplog.text
    assert with_chosen(["--cfg", "job", "experiment=dcgan"]) == ["--cfg", "job", "experiment=dcgan"]


@pytest.mark.slow
def test_a_typed_model_brings_its_networks_and_other_experiments_are_complete():
    assert plain(made("model=mlp").composed)["networks"]["generator"]["name"] == "mlp"
    composed = compose(["experiment=dcgan"])
    assert completed(composed, ["experiment=dcgan"]) == (composed, ["experiment=dcgan"], None)


@pytest.mark.slow
def test_what_is_chosen_for_a_gpu_is_a_game(monkeypatch):
    monkeypatch.setattr(choosing, "choose_device", lambda *_: torch.device("cuda"))
    narrow = [f"networks.{name}.base=64" for name in ("generator", "discriminator")]
    found = made(*narrow, "networks.generator.style_size=8", "prior.dim=8", "terms.r1.weight=3")
    assert plain(found.composed)["terms"]["r1"]["weight"] == 3
    game = build_game(plain(found.composed), found.sources.shape, torch.device("cpu"))
    assert {*game.player("generator").terms} == {"path_length"} and {*game.player("discriminator").terms} == {
        "ada",
        "r1",
    }


def test_data_that_cannot_be_had_are_said_to_be(tmp_path):
    overrides = ["experiment=auto", "data=folder", f"data.path={tmp_path}/none"]
    with pytest.raises(ConfigError, match="none"):
        completed(compose(overrides), overrides)


@pytest.mark.slow
def test_a_run_goes_on_and_can_be_repeated_from_its_configuration(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, size in enumerate([(20, 24), (24, 20), (20, 20)] * 4):
        Image.new("RGB", size, (20 * number, 5, 9)).save(photos / f"{number}.png")
    typed = ["experiment=auto", "data=folder", f"data.path={photos}", "data.image_size=16", "data.test_share=0"]
    small = ["networks.generator.width=4", "networks.discriminator.width=4", "metrics=[]", "tracker=[]"]
    common = [*typed, *small, "train.device=cpu", "train.threads=1", "train.sample_every=0"]
    first = train([*common, "train.steps=1"], tmp_path / "run", show=False)
    config = OmegaConf.to_container(OmegaConf.load(first.folder / "config.yaml"))
    assert config["train"]["batch_size"] == 8 and config["terms"]["r1"]["weight"] == 0.0064
    assert first.summary["overrides"] == [*common, "train.steps=1"]
    assert train([*common, "train.steps=2"], tmp_path / "run", show=False).summary["step"] == 2
    log = (first.folder / "run.log").read_text()
    assert "resumed from" in log and "with other settings: train.steps: 1 → 2" in log
    assert torch.load(first.folder / "checkpoints" / "last.pt", weights_only=True)["config"]["train"]["batch_size"] == 8
