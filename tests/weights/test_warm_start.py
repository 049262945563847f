"""Networks that start from trained weights, and parameters that are left alone."""

import json
import logging

import numpy as np
import pytest
import torch

from gan_framework.build import build_game
from gan_framework.config.compose import compose, plain
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError, RunStopped
from gan_framework.runs import checkpoint
from gan_framework.runs.launch import launch
from gan_framework.runs.restore import load_game
from gan_framework.runs.signals import StopRequest
from gan_framework.runs.trained import warm_start
from gan_framework.storage.layout import RunFolder
from gan_framework.weights.freezing import Thawing
from gan_framework.weights.settings import weight_settings
from tests.helpers.resuming import differing

SMALL = [
    *("model=mlp", "data.image_size=8", "networks.generator.hidden=[16,24]", "networks.discriminator.hidden=[24,16]"),
    *("evaluate.samples=0", "tracker=[]", "train.batch_size=16", "train.log_every=1", "train.sample_every=0"),
    *("train.checkpoint_every=2", "data.flip=false"),
]
RBM = ["data.image_size=8", "networks.autoencoder.activation=tanh", "networks.autoencoder.output=tanh"]
SHAPE = DataShape((1, 8, 8), 10)


def run(folder, *overrides, steps=4):
    launch(compose([*SMALL, f"train.steps={steps}", *overrides]), folder, [*overrides])
    return checkpoint.load(RunFolder(folder).last)


def build(*overrides, config=None):
    config = config or plain(compose([*SMALL, *overrides]))
    start = warm_start(config)
    game = build_game(config, SHAPE, torch.device("cpu"), start)
    return game, start.report(game.networks) if start is not None else []


def weights(network):
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def same(one, other):
    return {name for name in one if torch.equal(one[name], other[name])}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "run"
    run(folder, "strategy=[ema]", "strategy.ema.decay=0.5")
    return folder


def test_networks_start_from_a_run_the_generator_from_its_average(source):
    trained, _ = load_game(source)
    assert same(weights(trained.generator), weights(trained.networks["generator_ema"])) == set()
    game, said = build(f"networks.generator.from={source}", f"networks.discriminator.from={source}")
    assert len(same(weights(game.generator), weights(trained.networks["generator_ema"]))) == len(
        weights(game.generator)
    )
    assert len(same(weights(game.discriminator), weights(trained.discriminator))) == len(weights(game.discriminator))
    assert [line.partition(":")[0] for line in said] == [
        f"networks.{name} starts from {of} of {source}/checkpoints/step_0000004.pt (step 4)"
        for name, of in (("generator", "generator_ema"), ("discriminator", "discriminator"))
    ]
    assert all(line.endswith(" tensors fit") for line in said)


def test_the_weights_that_are_not_averaged_are_taken_where_they_are_named(source):
    trained, _ = load_game(source)
    game, _ = build(f"networks.generator.from={source}", "networks.generator.from_network=generator")
    assert len(same(weights(game.generator), weights(trained.generator))) == len(weights(game.generator))


def test_a_checkpoint_is_a_source_too_and_other_networks_are_as_they_were(source):
    alone, _ = build()
    game, _ = build(f"networks.generator.from={source}/checkpoints/step_0000002.pt")
    earlier, _ = load_game(source / "checkpoints/step_0000002.pt")
    assert same(weights(game.generator), weights(earlier.networks["generator_ema"])) == weights(game.generator).keys()
    assert same(weights(game.discriminator), weights(alone.discriminator)) == weights(alone.discriminator).keys()


def test_what_fits_is_taken_and_what_does_not_is_named(source):
    trained, _ = load_game(source)
    other = "networks.generator.hidden=[16,20]"
    drawn, _ = build(other)
    game, (said,) = build(other, f"networks.generator.from={source}")
    own, there = weights(game.generator), weights(trained.networks["generator_ema"])
    fitting = {name for name in own if name in there and own[name].shape == there[name].shape}
    assert fitting and fitting < own.keys()
    for name in own:
        assert torch.equal(own[name], (there if name in fitting else weights(drawn.generator))[name]), name
    left, unused = said.partition("; not used: ")[::2]
    left = left.partition("left as drawn: ")[2]
    for name in own.keys() - fitting:
        assert f"{name} {tuple(own[name].shape)}" in left and f"{name} {tuple(there[name].shape)}" in unused


def test_an_average_starts_from_the_weights_too(source):
    game, _ = build("strategy=[ema]", f"networks.generator.from={source}")
    own = weights(game.generator)
    assert same(own, weights(game.networks["generator_ema"])) == own.keys()


@pytest.mark.parametrize("first", [True, False])
def test_weights_go_into_and_come_out_of_spectral_norm(first, source, tmp_path):
    normed = tmp_path / "normed"
    run(normed, "strategy=[spectral_norm]", steps=2)
    of, into = (normed, []) if first else (source, ["strategy=[spectral_norm]"])
    trained, _ = load_game(of)
    game, _ = build(f"networks.discriminator.from={of}", *into)
    own, there = (
        [n.weight for n in net.modules() if isinstance(n, torch.nn.Linear)]
        for net in (game.discriminator, trained.discriminator)
    )
    ratios = [(a / b).flatten() for a, b in zip(own, there, strict=True)]
    for ratio in ratios:  # normed on one side: the same up to its scale
        assert torch.allclose(ratio, ratio[0].expand_as(ratio), rtol=1e-3)


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["networks.generator.from=nowhere"], "networks.generator.from=nowhere: there is no such run's folder"),
        (["networks.generator.from=SOURCE", "networks.generator.from_network=g"], "no network g, but generator, disc"),
        (["networks.generator.from_network=g"], "set that too"),
        (["networks.generator.from=3"], "networks.generator.from=3 must be a text or null"),
        (["networks.generatr.from=SOURCE"], "there is no network generatr, but generator, discriminator"),
        (["networks.generator.freeze=layers.77"], r"freeze=layers.77 fits no parameter; its layers are "),
        (["networks.generator.freeze=['*']"], "freezes all of it, and generator would have nothing to update"),
        (["networks.generator.unfreeze_at=3"], "nothing is frozen; set networks.generator.freeze too"),
        (["networks.generator.freeze=layers.0", "networks.generator.unfreeze_at=0"], "it must be at least 1"),
        (
            [
                "model=dcgan",
                "data.image_size=16",
                "~networks.generator.hidden",
                "~networks.discriminator.hidden",
                "networks.generator.from=SOURCE",
            ],
            "nothing of generator_ema of .* fits networks.generator by name and shape",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_words(overrides, says, source):
    typed = [one.replace("SOURCE", str(source)) for one in overrides]
    with pytest.raises(ConfigError, match=says) as refusal:
        if typed[0].startswith("model"):
            config = plain(
                compose(
                    [
                        *[one for one in SMALL if "hidden" not in one and "model" not in one],
                        *(one for one in typed if not one.startswith("~")),
                    ]
                )
            )
            start = warm_start(config)
            game = build_game(config, DataShape((1, 16, 16), 10), torch.device("cpu"), start)
            start.report(game.networks)
        else:
            build(*typed)
    assert "\n" not in str(refusal.value)


def test_weights_that_are_not_finite_are_refused(source, tmp_path):
    state = checkpoint.load(RunFolder(source).last)
    name = next(name for name in state["game"] if name.startswith("networks.generator_ema.") and "weight" in name)
    state["game"][name][0] = float("nan")
    checkpoint.save(tmp_path / "bad.pt", state)
    with pytest.raises(ConfigError, match="weights that are not finite"):
        build(f"networks.generator.from={tmp_path / 'bad.pt'}")


def test_frozen_parameters_stay_and_gradients_pass_through_them(source, tmp_path):
    state = run(tmp_path / "run", f"networks.discriminator.from={source}", "networks.discriminator.freeze=[hidden.0]")
    before = checkpoint.load(RunFolder(source).last)["game"]
    frozen = {name for name in state["game"] if name.startswith("networks.discriminator.hidden.0.")}
    others = {name for name in state["game"] if name.startswith("networks.discriminator.")} - frozen
    assert frozen and others
    assert all(torch.equal(state["game"][name], before[name]) for name in frozen)
    assert not any(torch.equal(state["game"][name], before[name]) for name in others)
    drawn, _ = build()
    generator = {f"networks.generator.{name}": tensor for name, tensor in weights(drawn.generator).items()}
    assert same(generator, state["game"]) == set()


def test_frozen_parameters_are_thawed_at_the_step(source, tmp_path):
    typed = ["networks.generator.freeze=layers.*", "networks.generator.unfreeze_at=3"]
    config = plain(compose([*SMALL, "networks.generator.freeze=[layers.0]", "networks.generator.unfreeze_at=3"]))
    game = build_game(config, SHAPE, torch.device("cpu"))
    first = next(iter(game.generator.named_parameters()))[1]
    thawing = Thawing(game, weight_settings(config["networks"]))
    player = game.player("generator")
    for step, frozen in ((0, True), (2, True), (3, False), (9, False), (1, True)):
        thawing.at(step)
        assert (id(first) not in map(id, player.trained)) == frozen == (not first.requires_grad)
    with pytest.raises(ConfigError, match="leaves the player 'generator' nothing to update until"):
        run(tmp_path / "run", *typed)
    with pytest.raises(ConfigError, match="set train.cuda_graph=false"):
        Thawing(game, weight_settings(config["networks"]), captured=True)


@pytest.mark.parametrize("at", [pytest.param(2, marks=pytest.mark.slow), 3, pytest.param(5, marks=pytest.mark.slow)])
def test_a_run_resumes_to_the_bit_before_and_after_the_thaw_when_its_source_is_gone(source, tmp_path, at, caplog):
    taken = tmp_path / "source"
    taken.mkdir()
    (taken / "last.pt").write_bytes(RunFolder(source).last.read_bytes())
    typed = [
        *("strategy=[ema]", f"networks.generator.from={taken}/last.pt", f"networks.discriminator.from={taken}/last.pt"),
        *("networks.generator.freeze=[layers.0]", "networks.generator.unfreeze_at=3"),
        *("networks.discriminator.freeze=[hidden.0]", "networks.discriminator.unfreeze_at=4"),
    ]
    whole = run(tmp_path / "whole", *typed, steps=6)
    at_three = run(tmp_path / "short", *typed, steps=3)["game"]

    class StopAt(StopRequest):
        """Asks for a stop after so many steps."""

        asked = 0

        @property
        def requested(self):
            StopAt.asked += 1
            return StopAt.asked > at

        @requested.setter
        def requested(self, value):
            pass

        def check(self):
            pass

    folder = tmp_path / "run"
    config = compose([*SMALL, "train.steps=6", *typed])
    with pytest.raises(RunStopped):
        launch(config, folder, [], stop=StopAt())
    assert 0 < json.loads(RunFolder(folder).summary.read_text())["step"] < 6
    (taken / "last.pt").unlink()
    with caplog.at_level(logging.INFO):
        launch(config, folder, [])
    assert "resumed from" in caplog.text
    assert [*differing(whole["game"], checkpoint.load(RunFolder(folder).last)["game"], "game")] == []
    before = checkpoint.load(RunFolder(source).last)["game"]
    first = [name for name in before if name.startswith("networks.generator_ema.layers.0.")]
    assert all(torch.equal(at_three[name.replace("_ema", "")], before[name]) for name in first)
    assert not any(torch.equal(whole["game"][name.replace("_ema", "")], before[name]) for name in first)
    assert np.isfinite([float(t.sum()) for n, t in whole["game"].items() if n.startswith("networks.")]).all()


def test_other_weights_to_start_from_and_other_frozen_ones_are_another_experiment(source, tmp_path):
    folder = tmp_path / "run"
    run(folder, f"networks.generator.from={source}", steps=2)
    for typed, said in (
        (["networks.generator.from=other"], "networks.generator.from: "),
        ([], "networks.generator.from: "),
        (
            [f"networks.generator.from={source}", "networks.generator.freeze=[layers.0]"],
            "networks.generator.freeze: none",
        ),
    ):
        with pytest.raises(ConfigError, match="train.resume_changed=true") as refusal:
            run(folder, *typed, steps=3)
        assert said in str(refusal.value)


def test_what_a_network_starts_from_means_the_same_everywhere(source, tmp_path, monkeypatch):
    monkeypatch.chdir(source.parent)
    run(tmp_path / "run", "networks.generator.from=run", steps=2)
    assert checkpoint.load(RunFolder(tmp_path / "run").last)["config"]["networks"]["generator"]["from"] == str(source)


@pytest.mark.slow
def test_what_is_frozen_for_good_or_for_some_steps_never_moves_whatever_is_stacked_on_it(tmp_path):
    typed = [
        *("networks.discriminator.freeze=[hidden.0]", "networks.generator.freeze=[layers.0]"),
        *("networks.generator.unfreeze_at=3", "strategy=[spectral_norm,historical_averaging,lookahead,unrolled,ema]"),
        *("strategy.lookahead.k=2", "strategy.ema.decay=0.5", "train.keep=9", "train.checkpoint_every=1"),
    ]
    run(tmp_path, *typed, steps=4)
    states = [checkpoint.load(RunFolder(tmp_path).checkpoint(step))["game"] for step in (1, 2, 3, 4)]
    of_judge = next(name for name in states[0] if name.startswith("networks.discriminator.hidden.0.0.param"))
    of_generator = "networks.generator.layers.0.weight"
    assert of_judge.endswith("original")
    assert all(torch.equal(state[of_judge], states[0][of_judge]) for state in states)
    moved = [not torch.equal(state[of_generator], states[0][of_generator]) for state in states]
    assert moved == [False, False, False, True]
    averaged = [name for name in states[0] if name.startswith("players.discriminator.terms.historical_averaging.mean")]
    assert len(averaged) == sum(p.requires_grad for p in build(*typed)[0].discriminator.parameters())


@pytest.mark.parametrize(
    ("overrides", "owner"),
    [
        (["strategy=[weight_clipping]", "loss=wasserstein"], "strategy.weight_clipping"),
        (["strategy=[spectral_norm]", "strategy.spectral_norm.mode=clip"], "strategy.spectral_norm with mode=clip"),
        (["strategy=[singular_clip]", "networks.discriminator.unfreeze_at=2"], "strategy.singular_clip"),
        (["strategy=[rbm_pretraining]"], "strategy.rbm_pretraining"),
    ],
)
def test_what_changes_frozen_weights_by_itself_is_refused_with_both_names(overrides, owner):
    small, network, layers = SMALL, "discriminator", "hidden.0"
    if "rbm" in owner:
        small, network, layers = ["model=autoencoder", "network=mlp_autoencoder", *RBM], "autoencoder", "encoder"
    config = plain(compose([*small, *overrides, f"networks.{network}.freeze=[{layers}]"]))
    with pytest.raises(
        ConfigError, match=rf"^{owner} changes weights by itself, and .* networks.{network}.* must stay"
    ):
        build_game(config, SHAPE, torch.device("cpu"))
