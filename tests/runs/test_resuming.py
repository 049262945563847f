"""What a resumed run has otherwise than its checkpoint, and which of it is refused."""

import logging

import pytest

from gan_framework.config.compose import compose, plain
from gan_framework.config.scoring import rescored
from gan_framework.errors import ConfigError
from gan_framework.runs.resuming import check, differences, other_data

DATA = {"": {"content": "a" * 64, "samples": 10}}

OF_MODES = ["metrics=[mode_coverage]", "networks.generator.output=linear", "extractor=raw"]


def resume(before, now, data=DATA):
    check({"config": plain(compose(before)), "data": DATA}, compose(now), data, "last.pt")


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ([], ["loss=hinge"], "loss.name: nonsaturating → hinge"),
        (["model=mlp"], ["model=mlp", "networks.generator.hidden=[7]"], "networks.generator.hidden: "),
        ([], ["train.batch_size=32"], "train.batch_size: 64 → 32"),
        ([], ["strategy=[ema]"], "strategy.ema.name: none → ema"),
        (["strategy=[ema]"], [], "strategy.ema.name: ema → none"),
        (["strategy=[ema]"], ["strategy=[ema]", "strategy.ema.decay=0.5"], "strategy.ema.decay: "),
        (["term=[r1]"], ["term=[r1]", "+terms.r1.pair=main"], "terms.r1.pair: none → main"),
        ([], ["data.flip=true"], "data.flip: False → True"),
        (["prior=uniform"], ["prior=normal"], "prior.name: uniform → normal"),
    ],
)
def test_another_experiment_is_refused_by_name_unless_it_is_wanted(before, now, change, caplog):
    with pytest.raises(ConfigError, match="train.resume_changed=true") as refusal:
        resume(before, now)
    assert change in str(refusal.value)
    resume(before, [*now, "train.resume_changed=true"])
    assert change in caplog.text


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        ([], ["train.steps=9"], "train.steps: 700 → 9"),
        ([], ["optimizer.generator.lr=0.5"], "optimizer.generator.lr: 0.0002 → 0.5"),
        ([], ["seed=3"], "seed: 0 → 3"),
        ([], ["evaluate.samples=7"], "evaluate.samples: 1000 → 7"),
        (["strategy=[lr_decay]"], ["strategy=[lr_decay]", "train.steps=9"], "strategy.lr_decay.steps: 700 → 9"),
    ],
)
def test_what_leaves_the_experiment_as_it_is_is_said(before, now, change, caplog):
    with caplog.at_level(logging.WARNING):
        resume(before, now)
    assert change in caplog.text


def test_nothing_is_said_of_what_is_the_same_or_does_not_matter(caplog):
    resume([], ["train.device=cpu", "train.threads=1", "tracker=[]", "train.resume=null"])
    assert not caplog.records


def test_other_data_are_refused_with_what_is_known_of_both():
    now = {"": {"content": "b" * 64, "samples": 1200}}
    with pytest.raises(ConfigError, match=r"data: 10 training samples then, 1,200 now \(content aaaaaaaa then, bbbb"):
        resume([], [], now)
    assert other_data({}, now) == []  # a checkpoint of version 0.1
    assert other_data(DATA, {**DATA, "b": now[""]}) == []
    assert other_data({"b": DATA[""]}, {"b": now[""]})[0].startswith("sources.b: ")


def test_settings_that_an_older_version_had_not_are_no_change():
    now = plain(compose(["model=dcgan"]))
    before = plain(compose(["model=dcgan"]))
    del before["data"]["flip"], before["train"]["resume_changed"]
    del before["networks"]["generator"]["width"]
    assert [*differences(before, now)] == []


def test_other_names_of_classes_are_a_change_where_both_are_known():
    now = plain(compose([]))
    before = plain(compose([]))
    before["data"]["classes"], now["data"]["classes"] = ["apple", "berry"], ["berry", "cherry"]
    assert [str(change) for change in differences(before, now)] == [
        "data.classes: ['apple', 'berry'] → ['berry', 'cherry']"
    ]
    del before["data"]["classes"]
    assert [*differences(before, now)] == []


def test_what_looks_like_a_reference_in_a_checkpoint_is_text(monkeypatch):
    monkeypatch.setenv("OF_THE_USER", "private")
    config = plain(compose(["debug=smoke"]))
    config["data"]["classes"] = ["${oc.env:OF_THE_USER}", "a${b"]
    assert [*differences(config, config)] == []
    assert plain(rescored(config, ["evaluate.samples=7"]))["data"]["classes"] == config["data"]["classes"]


@pytest.mark.parametrize(
    ("overrides", "arrangement", "std"),
    [
        ([], "ring", 0.02),
        (["evaluate.samples=7"], "ring", 0.02),
        (["data.std=0.1"], "ring", 0.1),
        (["data=mixture", "data.arrangement=grid"], "grid", 0.02),
        (["data.std=0.1", "metrics.mode_coverage.std=0.3"], "ring", 0.3),
        (["data=digits"], "ring", 0.02),  # which says nothing of modes
        (["metrics=[mode_coverage]", "data.std=0.1"], "ring", 0.1),
    ],
)
def test_what_scores_know_of_the_data_follows_the_data_that_a_run_is_scored_against(overrides, arrangement, std):
    saved = plain(compose(["model=mlp", "data=mixture", "data.arrangement=ring", "data.std=0.02", *OF_MODES]))
    found = plain(rescored(saved, overrides))["metrics"]["mode_coverage"]
    assert (found["arrangement"], found["std"]) == (arrangement, std)
    typed = {**saved, "metrics": {"mode_coverage": {**saved["metrics"]["mode_coverage"], "std": 0.7}}}
    kept = plain(rescored(typed, [one for one in overrides if not one.startswith("metrics")]))["metrics"]
    assert kept["mode_coverage"]["std"] == 0.7


def test_the_interval_follows_the_statistics_of_fid_where_a_run_is_scored_anew():
    saved = plain(compose(["metrics=[fid,fid_interval]"]))
    found = plain(rescored(saved, ["metrics.fid.statistics=a.npz"]))["metrics"]
    assert found["fid_interval"]["statistics"] == "a.npz"
