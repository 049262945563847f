"""What the discriminator says of samples that it is not trained on."""

import json
import math
import sys

import pytest
import torch
from torch import nn

from gan_framework.cli.train import train
from gan_framework.data import InMemory
from gan_framework.runs.held_out import HeldOut
from gan_framework.runs.watch import Watch
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.losses.wasserstein import Wasserstein
from tests.helpers.small import Draws, small_game

TRAIN = InMemory(torch.full((40, 2), 0.5))
HELD_OUT = InMemory(torch.full((30, 2), -2.0))


def asked(game, train=TRAIN, held_out=HELD_OUT, count=8, log_every=10):
    return HeldOut(game, train, lambda: held_out, count, seed=0, log_every=log_every)


def says(discriminator, x):
    with torch.no_grad():
        return discriminator(torch.full((1, 2), x)).logits.item()


def test_the_figures_are_what_it_says_of_either_kind():
    game = small_game(loss=NonSaturating())
    with torch.no_grad():
        game.discriminator.inner.weight.fill_(1.0)
        game.discriminator.inner.bias.zero_()
        game.discriminator.output.weight.fill_(1.0)
        game.discriminator.output.bias.zero_()
    assert asked(game).figures(10) == pytest.approx(
        {
            "health/accuracy_train": 1.0,
            "health/logit_train": 4 * math.tanh(1.0),
            "health/accuracy_held_out": 0.0,
            "health/logit_held_out": -4 * math.tanh(4.0),
        }
    )


def test_of_a_critic_they_are_mean_scores():
    game = small_game(loss=Wasserstein())
    assert asked(game).figures(10) == pytest.approx(
        {
            "health/critic_train": says(game.discriminator, 0.5),
            "health/critic_held_out": says(game.discriminator, -2.0),
        },
        abs=1e-6,
    )


def test_every_look_is_at_other_samples_and_the_same_step_at_the_same():
    game, numbers = small_game(), torch.arange(80.0).view(40, 2) / 40
    looks = asked(game, InMemory(numbers))
    first = looks.figures(10)
    assert looks.figures(20) != first
    assert looks.figures(10) == first


def test_a_look_leaves_no_trace():
    game = small_game(loss=NonSaturating())
    game.discriminator.inner = nn.Sequential(
        nn.utils.parametrizations.spectral_norm(nn.Linear(2, 4)), nn.BatchNorm1d(4), nn.Dropout(0.5)
    )
    game.step(Draws())
    state = {name: tensor.clone() for name, tensor in game.state_dict().items() if isinstance(tensor, torch.Tensor)}
    gradients = [None if p.grad is None else p.grad.clone() for p in game.parameters()]
    numbers = torch.get_rng_state()
    assert asked(game).figures(10)
    assert torch.equal(torch.get_rng_state(), numbers)
    assert game.discriminator.training and game.discriminator.inner[1].training
    for name, before in state.items():
        assert torch.equal(game.state_dict()[name], before), name
    for parameter, before in zip(game.parameters(), gradients, strict=True):
        assert (parameter.grad is None) == (before is None)
        assert before is None or torch.equal(parameter.grad, before)


def test_nothing_is_generated_for_it():
    game = small_game()
    looks = asked(game)
    looks.figures(10)
    made = game.generator.calls
    looks.figures(20)
    assert game.generator.calls == made


class OfPairs(type(small_game())):
    """Its discriminator judges differences of the samples that follow each other."""

    def pair(self, batch, latent):
        pair = super().pair(batch, latent)
        pair.real = batch.samples.diff(dim=0)
        return pair


def test_a_judge_of_something_else_is_not_asked():
    game = small_game()
    game.__class__ = OfPairs
    assert asked(game).figures(10) == {}


@pytest.mark.parametrize(
    "held_out", [None, object()], ids=["there is no held-out split", "the held-out split is streamed"]
)
def test_without_held_out_samples_in_memory_there_is_nothing(held_out):
    assert asked(small_game(), held_out=held_out).figures(10) == {}


def test_streamed_training_samples_are_not_read_and_no_split_is_asked_for():
    def never():
        raise AssertionError

    assert HeldOut(small_game(), object(), never, 8, seed=0, log_every=10).figures(10) == {}


@pytest.mark.parametrize(("log_every", "every"), [(1, 40), (10, 40), (15, 45), (50, 50), (0, 0)])
def test_looks_are_at_log_lines_and_forty_steps_apart(log_every, every):
    assert asked(small_game(), log_every=log_every).every == every


def test_overfitting_is_named_when_it_stays():
    watch = Watch(steps=1000, probabilistic=True)
    right = {"health/accuracy_train": 0.9, "health/accuracy_held_out": 0.8}
    wrong = {"health/accuracy_train": 0.95, "health/accuracy_held_out": 0.4}
    assert [trouble for step in range(20) for trouble in watch.look(step, right)] == []
    begun = [trouble for step in range(20, 40) for trouble in watch.look(step, wrong)]
    assert len(begun) == 1 and begun[0].startswith("discriminator_overfits: ")
    assert watch.named == [f"step 23: {begun[0]}"]


def test_a_watch_that_goes_on_knows_the_looks_before():
    wrong = {"health/accuracy_train": 1.0, "health/accuracy_held_out": 0.0}
    whole, first = Watch(1000, True), Watch(1000, True)
    for step in range(9):
        assert whole.look(step, wrong) == first.look(step, wrong) == []
    second = Watch(1000, True)
    second.restore(first.state())
    assert second.look(9, wrong) == whole.look(9, wrong) != []
    older = {name: kept for name, kept in first.state().items() if name not in ("train", "held_out")}
    third = Watch(1000, True)
    third.restore(older)
    assert third.look(9, wrong) == []


RUN = [
    "run.py", "tracker=[]", "metrics=[mode_coverage]", "extractor=raw", "experiment=mixture_2d", "train.steps=90",
    "train.log_every=10", "train.sample_every=0", "train.checkpoint_every=0", "evaluate.samples=100",
]  # fmt: skip


def lines(folder, monkeypatch, *overrides):
    monkeypatch.setattr(sys, "argv", [*RUN, f"hydra.run.dir={folder}", *overrides])
    assert train() == 0
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_has_them_in_its_log_lines_and_trains_as_without(tmp_path, monkeypatch):
    found = lines(tmp_path / "a", monkeypatch)
    at = [line["step"] for line in found if "health/accuracy_held_out" in line["metrics"]]
    assert at == [40, 80, 90]
    monkeypatch.setattr(HeldOut, "figures", lambda self, step: {})
    plain = lines(tmp_path / "b", monkeypatch)
    for one, other in zip(found, plain, strict=True):
        beside = {"health/accuracy_train", "health/accuracy_held_out", "health/logit_train", "health/logit_held_out"}
        assert {k: v for k, v in one["metrics"].items() if k not in beside} == other["metrics"]
