"""Contract suites find the small run that a plugin belongs into, and try it on what it is really given there."""

import math

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.testing import ContractBroken, check_plugin
from gan_framework.testing.samples import Samples
from gan_framework.testing.subject import Subject

PAPER = """
import torch
from torch import nn
from gan_framework.api import ConfigError, Discriminator, Game, Pair, Player, Term

class Joint(Discriminator):
    "A judge of (x, z)."
    def __init__(self, inputs):
        super().__init__()
        self.inner = nn.Linear(inputs, 8)
        self.output = nn.Linear(8, 1)
    def features(self, x, labels=None, *given):
        (z,) = given
        return (torch.tanh(self.inner(torch.cat([x.flatten(1), z], 1))),)

class Encoder(nn.Module):
    "An encoder."
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs)
    def forward(self, x):
        return self.layer(x.flatten(1))

class TwoWay(Game):
    "A game with an encoder."
    def make_players(self):
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("generator", "encoder"), "generator", "swapped"),
        ]
    def pair(self, batch, latent):
        code = self.network("encoder")(batch.samples)
        judge, made = self.judge("discriminator"), self.generate(latent)
        return Pair(judge, batch, latent, made, real_given=(code,), fake_given=(latent.z,))

class Bounded(Term):
    "Codes near the centre."
    def __init__(self):
        super().__init__()
    def check(self, game, player):
        if "encoder" not in player.networks:
            raise ConfigError("bounded needs a player that updates an encoder")
    def forward(self, pair, player):
        return pair.real_given[0].square().mean()
"""

EXPERIMENT = """# @package _global_
defaults:
  - override /model: null
  - override /discriminator: null
  - override /generator: mlp
  - override /prior: normal
  - override /game: null
  - override /metrics: []
prior: {dim: 4}
data: {image_size: 8}
game: {name: two_way}
networks:
  discriminator: {name: joint, inputs: 68}
  encoder: {name: coder, inputs: 64, outputs: 4}
terms:
  bounded: {name: bounded, player: generator, weight: 0.1}
train: {precision: bf16, accumulate: 2}
"""

POINTS = {
    "games": {"two_way": "paper.plugin:TwoWay"},
    "discriminators": {"joint": "paper.plugin:Joint"},
    "networks": {"coder": "paper.plugin:Encoder"},
    "terms": {"bounded": "paper.plugin:Bounded"},
    "configs": {"paper": "paper.conf"},
}


@pytest.fixture
def paper(install):
    """Install a system whose settings stand in an experiment: one Python file, one YAML."""

    def installed(**experiments):
        files = {f"paper/conf/experiment/{name}.yaml": text for name, text in experiments.items()}
        install("paper", POINTS, {"paper/__init__.py": "", "paper/plugin.py": PAPER, **files})

    return installed


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in POINTS for name in POINTS[kind] if kind != "configs"]
)
def test_a_plugin_whose_settings_stand_in_its_experiment_needs_no_yaml(paper, kind, name):
    paper(tutorial=EXPERIMENT)
    assert Subject(kind, name).surroundings.experiment == "tutorial"
    check_plugin(kind, name)


def test_the_experiment_is_made_small(paper):
    paper(tutorial=EXPERIMENT)
    train = Subject("games", "two_way").config["train"]
    assert [train[key] for key in ("steps", "batch_size", "device", "precision", "accumulate")] == [
        2,
        8,
        "cpu",
        "fp32",
        1,
    ]


def test_an_experiment_that_refuses_the_plugin_is_passed_over(paper):
    without = EXPERIMENT.replace("  encoder: {name: coder, inputs: 64, outputs: 4}\n", "")
    paper(a_first=without, b_second="# @package _global_\ntwo_way: [", c_third=EXPERIMENT)
    assert Subject("games", "two_way").surroundings.experiment == "c_third"


def test_what_the_experiments_say_is_told_where_none_will_do(paper):
    paper(tutorial=EXPERIMENT.replace("inputs: 68", "inputs: 67"))
    with pytest.raises(
        ContractBroken, match="no file game/two_way.yaml.*; and experiment=tutorial: the networks do not"
    ):
        check_plugin("games", "two_way")


def test_a_plugin_without_yaml_and_experiment_cannot_be_chosen(paper):
    paper(other="# @package _global_\ntrain: {steps: 3}")
    with pytest.raises(
        ContractBroken, match="no file game/two_way.yaml.*; and no experiment of its distribution build"
    ):
        check_plugin("games", "two_way")


def test_overrides_choose_the_experiment_and_settings_are_the_plugins(paper):
    paper(tutorial=EXPERIMENT, wider=EXPERIMENT.replace("inputs: 68", "inputs: 69").replace("dim: 4", "dim: 5"))
    overrides = ("experiment=wider", "networks.encoder.outputs=5")
    subject = Subject("discriminators", "joint", overrides=overrides)
    assert subject.own == {"name": "joint", "inputs": 69} and subject.surroundings.experiment == "wider"
    check_plugin("discriminators", "joint", overrides)


@pytest.mark.parametrize("name", ["hinge", "minimax"])
def test_the_plain_run_is_preferred(name):
    subject = Subject("losses", name)
    assert subject.surroundings.experiment is None
    assert subject.config["networks"]["generator"]["name"] == "mlp" and subject.config["data"]["name"] == "digits"


def test_a_metric_that_refuses_the_plain_game_is_tried_in_an_experiment():
    assert Subject("metrics", "mode_coverage").config["data"]["name"] == "mixture"


def test_a_network_is_given_what_the_game_gives_it(paper):
    paper(tutorial=EXPERIMENT)
    subject = Subject("discriminators", "joint")
    call = subject.call()
    x, labels, z = call.given
    assert call.network == "discriminator" and not call.sampled
    assert torch.equal(x, subject.batch().samples) and torch.equal(labels, subject.batch().labels)
    assert z.shape == (8, 4) and not z.requires_grad
    assert [len(part) for part in call.alone()] == [1, 1, 1]
    (first,) = Subject("networks", "coder").call().given
    assert torch.equal(first, x)


def test_a_game_that_never_asks_the_network_is_named():
    with pytest.raises(ContractBroken, match="Game never asks networks.encoder: try it elsewhere"):
        Subject("networks", "mlp_encoder", {"image_size": 8}, ("data.image_size=8",)).call()


# -- samples ----------------------------------------------------------------------------------------

DATA = """
import torch
from gan_framework.api import ConfigError, DataShape, DataSource, InMemory

class Words(DataSource):
    "Words."
    def __init__(self, samples):
        self.shape = DataShape((4, 6), vocabulary=6)
        self.samples = samples
    def load(self, split):
        words = torch.arange(4).repeat(self.samples, 1) + torch.arange(self.samples)[:, None] % 3
        length = torch.arange(self.samples)
        return InMemory(words, extra={"length": length}, vocabulary=6)

class Far(DataSource):
    "Far away."
    def __init__(self, download):
        self.shape = DataShape((1, 4, 4), 3, extra={"mask": (1, 4, 4)}, value_range=(2.0, 5.0))
        self.download = download
    def load(self, split):
        if self.download:
            raise RuntimeError("it was downloaded")
        raise ConfigError("far is not here")
"""


@pytest.fixture
def data(install):
    install("data", {"datasets": {"words": "made:Words", "far": "made:Far"}}, {"made.py": DATA})


def test_samples_are_the_datas_own_with_all_that_belongs_to_them(data):
    samples = Samples({"name": "words", "samples": 20}, {"b": {"name": "words", "samples": 9}})
    batch = samples.batch()
    assert batch.samples.shape == (8, 4, 6) and batch.samples.sum(2).eq(1).all()
    assert torch.equal(batch.samples.argmax(2)[:, 0], batch.index % 3)
    assert torch.equal(batch.extra["length"], batch.index)
    assert batch.others["b"].samples.shape == (8, 4, 6) and batch.others["b"].index.max() < 9
    assert samples.shape.vocabulary == 6 and samples.shape.size == 20 and samples.shape.others["b"].size == 9


def test_another_seed_gives_other_samples_and_the_same_seed_the_same(data):
    samples = Samples({"name": "words", "samples": 2000}, {})
    first, other, again = (samples.batch(20, seed) for seed in (0, 1, 0))
    assert len(first.samples) == len(first.index) == len(first.extra["length"]) == 20
    assert torch.equal(first.index, again.index) and not torch.equal(first.index, other.index)


def test_nothing_is_downloaded_and_noise_has_the_shape_and_the_range(data):
    samples = Samples({"name": "far", "download": True}, {"b": {"name": "words", "samples": 20}})
    batch = samples.batch(50)
    assert batch.samples.shape == (50, 1, 4, 4) and batch.samples.min() >= 2 and batch.samples.max() <= 5
    assert batch.samples.max() > 4 and batch.labels.unique().tolist() == [0, 1, 2]
    assert batch.extra["mask"].shape == (50, 1, 4, 4)
    assert batch.others["b"].samples.shape == (50, 4, 6) and batch.others["b"].samples.sum(2).eq(1).all()
    assert torch.equal(batch.samples, samples.batch(50).samples)
    assert not math.isclose(float(batch.samples.sum()), float(samples.batch(50, seed=1).samples.sum()))


def test_settings_that_the_dataset_refuses_are_told(data):
    with pytest.raises(ConfigError, match="does not accept 'size'"):
        Samples({"name": "words", "samples": 20, "size": 3}, {})
