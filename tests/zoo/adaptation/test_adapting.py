"""DANN, ADDA, ARDA: what features pay, who is updated, and what a reversed gradient is."""

import math
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gan_framework.core.records import Batch, DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_zoo.adapting import frozen_copy, in_channels, ramp, take_over
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.metrics.label_accuracy import LabelAccuracy
from tests.zoo.adaptation.common import changed, small

DANN = ["data.image_size=8", "networks.features.width=2"]


def test_the_weight_rises_as_published():
    assert ramp(0) == 0
    assert ramp(0.5) == pytest.approx(0.9866143, abs=1e-7)
    assert ramp(1) == pytest.approx(0.9999092, abs=1e-7)


def test_of_features_that_are_equal_in_law_a_discriminator_pays_two_logs_of_two_and_a_critic_nothing():
    said = DiscriminatorOutput(torch.zeros(4, dtype=torch.float64))
    assert NonSaturating().discriminator(said, said).item() == pytest.approx(2 * math.log(2))
    assert Wasserstein().discriminator(said, said).item() == 0


def test_grey_images_are_repeated_and_coloured_ones_averaged():
    grey = torch.rand(2, 1, 3, 3)
    assert torch.equal(in_channels(grey, 3), grey.repeat(1, 3, 1, 1))
    coloured = torch.rand(2, 3, 3, 3)
    torch.testing.assert_close(in_channels(coloured, 1), coloured.mean(1, keepdim=True))
    assert in_channels(coloured, 3) is coloured


class Reversal(torch.autograd.Function):
    """The identity, whose gradient is multiplied by -λ: the layer that the paper has, written on its own."""

    factor: ClassVar[float] = 0.7

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return -Reversal.factor * gradient


def test_an_update_of_both_players_is_that_of_one_network_with_a_reversing_layer(compose):
    game, batches = small(compose, "dann", *DANN, "game.confusion=0.7", "game.ramp_steps=null")
    game.double()
    drawn = batches()
    source = Batch(drawn.others["a"].samples.double(), drawn.others["a"].labels)
    batch = Batch(drawn.samples.double(), drawn.labels, others={"a": source})
    meeting = game.meet(batch)
    for name, faced in (("discriminator", meeting.detached()), ("classifier", meeting)):
        player = game.player(name)
        player.backward(player.evaluate(faced))
    found = {name: p.grad.clone() for name, p in game.networks.named_parameters()}

    game.networks.zero_grad()
    features, classifier, domain = (game.network(name) for name in ("features", "classifier", "discriminator"))
    known, target = features(source.samples), features(batch.samples)
    loss = F.cross_entropy(classifier(known), source.labels)
    loss = loss + F.softplus(-domain(Reversal.apply(known)).logits).mean()
    (loss + F.softplus(domain(Reversal.apply(target)).logits).mean()).backward()
    for name, parameter in game.networks.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, atol=1e-10, rtol=1e-8)


def test_labels_of_the_target_are_read_by_nobody(compose):
    game, batches = small(compose, "dann", *DANN)
    batch = batches()
    others = [Batch(batch.samples, labels, others=batch.others) for labels in (None, (batch.labels + 1) % 10)]
    for name in game.players:
        paid = [sum(game.player(name).evaluate(game.meet(one)).values()) for one in (batch, *others)]
        assert torch.equal(paid[0], paid[1]) and torch.equal(paid[0], paid[2])


def test_features_of_dann_cannot_flee_from_the_judge(compose):
    game, batches = small(compose, "dann", *DANN)
    assert game.ask("features", 1e6 * batches().samples).abs().max() <= 1


def test_without_confusion_the_source_alone_is_learnt(compose):
    game, batches = small(compose, "dann", *DANN, "game.confusion=0")
    meeting = game.meet(batches())
    (loss,) = game.player("classifier").evaluate(meeting).values()
    pair = meeting["main"]
    expected = F.cross_entropy(game.network("classifier")(pair.real), pair.batch.others["a"].labels)
    torch.testing.assert_close(loss, expected)


def test_the_critic_of_arda_is_penalised_and_the_features_pay_its_estimate(compose):
    game, batches = small(compose, "arda", *DANN)
    meeting = game.meet(batches())
    assert set(game.player("discriminator").terms) == {"gradient_penalty"}
    losses = game.player("classifier").evaluate(meeting)
    pair = meeting["main"]
    estimate = pair.real_output.logits.mean() - pair.fake_output.logits.mean()
    torch.testing.assert_close(losses["confusion"], 0.1 * estimate)


ADDA = [*DANN, "schedule.stages=[{players:[classifier],until:2},{players:[discriminator,generator]}]"]


def test_adda_learns_from_the_source_first_and_then_moves_the_targets_features_alone(compose):
    game, batches = small(compose, "adda", *ADDA)
    for _ in range(2):
        assert changed(game, lambda: game.step(batches)) == {"features", "classifier"}
    first = {name: value.clone() for name, value in game.network("features").state_dict().items()}
    for name, value in game.of_source.state_dict().items():
        assert torch.equal(value, first[name])
    for _ in range(2):
        assert changed(game, lambda: game.step(batches)) == {"discriminator", "features"}
    for name, value in game.of_source.state_dict().items():
        assert torch.equal(value, first[name])  # the source's features stay what they were
    assert not any(parameter.requires_grad for parameter in game.of_source.parameters())


def test_what_the_targets_features_pay(compose):
    game, batches = small(compose, "adda", *ADDA)
    pair = game.meet(batches())["main"]
    paid = sum(game.player("generator").evaluate({"main": pair}).values())
    torch.testing.assert_close(paid, F.softplus(-game.network("discriminator")(pair.fake).logits).mean())


def test_a_copy_is_frozen_and_takes_over_what_is_learnt():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    made = frozen_copy(network)
    nn.init.zeros_(network[0].weight)
    assert not torch.equal(made[0].weight, network[0].weight)
    take_over(made, network)
    assert torch.equal(made[0].weight, network[0].weight) and not made.training


def test_a_source_is_asked_for(compose):
    with pytest.raises(ConfigError, match=r"sources\.a"):
        small(compose, "dann", *DANN, "~sources.a")


def test_what_a_checkpoint_keeps_of_the_score_is_plain():
    metric = LabelAccuracy("test", "named")
    assert metric.settings() == {"split": "test", "categories": "named"} and metric.needs_splits == ("test",)
