"""GAN-CLS, GAN-INT and TAC-GAN: images of texts."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from tests.zoo.described.playing import FEW, NARROW, as_asked, played, said
from tests.zoo.players.playing import built

SMALL = [*FEW, *NARROW, "prior.dim=5"]


def entropy(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


@pytest.mark.parametrize(
    ("wrong_are_right", "best", "loss"), [(0.0, 2 / 3, 0.9547713), (0.5, 4 / 7, 1.1950892)], ids=["never", "half"]
)
def test_the_loss_of_the_best_discriminator_of_a_perfect_generator(compose, wrong_are_right, best, loss):
    game, _ = played(compose, "experiment=gan_cls", *SMALL)
    logit = torch.tensor(math.log(best / (1 - best)), dtype=torch.float64, requires_grad=True)
    never = torch.tensor(-60.0, dtype=torch.float64)
    wrong = said(0, 0)
    share = int(4 * wrong_are_right)
    wrong.fake_output = wrong.fake_output._replace(logits=torch.cat([logit.expand(share), never.expand(4 - share)]))
    found = game.player("discriminator").adversarial({"right": said(logit, 0), "wrong": wrong, "made": said(0, logit)})
    assert found["adversarial"].item() == pytest.approx(loss, abs=1e-6)
    (gradient,) = torch.autograd.grad(found["adversarial"], logit)
    assert abs(gradient.item()) < 1e-12


def test_each_side_pays_by_the_formula(compose):
    game, batch = played(compose, "experiment=gan_cls", *SMALL)
    meeting = game.meet(batch)
    x, t, judge = batch.samples, batch.extra["text"], game.network("discriminator")
    made = meeting["made"].fake
    torch.testing.assert_close(made, game.network("generator")(meeting["made"].latent.z, None, {"text": t}))
    expected = entropy(judge(x, None, t).logits, 1) + 0.5 * entropy(judge(x, None, t.roll(1, 0)).logits, 0)
    expected = expected + 0.5 * entropy(judge(made, None, t).logits, 0)
    torch.testing.assert_close(as_asked(game, "discriminator", meeting), expected)
    torch.testing.assert_close(as_asked(game, "generator", meeting), entropy(judge(made, None, t).logits, 1))


def test_without_wrong_texts_it_is_a_conditional_gan(compose):
    game, batch = played(compose, "experiment=gan_cls", "game.wrong=0", "game.made=1", *SMALL)
    meeting = game.meet(batch)
    assert set(meeting) == {"right", "made"}
    t, judge = batch.extra["text"], game.network("discriminator")
    expected = entropy(judge(batch.samples, None, t).logits, 1) + entropy(
        judge(meeting["made"].fake, None, t).logits, 0
    )
    torch.testing.assert_close(as_asked(game, "discriminator", meeting), expected)


def test_texts_between_two_are_half_a_batch_of_the_generator_alone(compose):
    game, batch = played(compose, "experiment=gan_int", *SMALL)
    meeting = game.meet(batch)
    between, t = meeting["between"], batch.extra["text"]
    torch.testing.assert_close(between.fake_given[0], 0.5 * (t[:4] + t[4:]))
    judge = game.network("discriminator")
    expected = entropy(judge(meeting["made"].fake, None, t).logits, 1)
    # Of 8 and 4 images each counts as much: (Σ + Σ) / 12, of which Adam does not see the factor 2/3.
    expected = expected + 0.5 * entropy(judge(between.fake, None, *between.fake_given).logits, 1)
    torch.testing.assert_close(as_asked(game, "generator", meeting), expected)
    assert "between" not in game.player("discriminator").pairs(meeting)
    assert set(played(compose, "experiment=gan_cls", *SMALL)[0].meet(batch)) == {"right", "wrong", "made"}


@pytest.mark.parametrize("experiment", ["gan_cls", "gawwn_box", "gawwn_keypoints"])
def test_the_text_is_heard_from_the_start(compose, experiment):
    """The authors' programs begin the texts' layers with U(±1/√inputs), not N(0, 0.02), and norm what is joined."""
    torch.manual_seed(0)
    game, _ = played(compose, f"experiment={experiment}", *SMALL)
    for network in (game.network("generator"), game.network("discriminator")):
        weight = network.summary[0].weight
        assert 0.5 / math.sqrt(weight.shape[1]) < weight.abs().max() <= 1 / math.sqrt(weight.shape[1])
    if experiment == "gan_cls":
        assert isinstance(game.network("discriminator").joint[1], torch.nn.BatchNorm2d)


def test_the_text_reaches_both_networks(compose):
    game, batch = played(compose, "experiment=gan_cls", *SMALL)
    t = batch.extra["text"].clone().requires_grad_()
    z = torch.randn(8, 5, dtype=torch.float64)
    images = game.network("generator")(z, None, {"text": t})
    for output in (images, game.network("discriminator")(batch.samples, None, t).logits):
        (gradient,) = torch.autograd.grad(output.square().sum(), t)
        assert (gradient.abs().sum(1) > 0).all()


def test_tac_gan_tells_the_class_of_all_three(compose):
    game, batch = played(compose, "experiment=tac_gan", *SMALL)
    meeting = game.meet(batch)
    x, t, y, judge = batch.samples, batch.extra["text"], batch.labels, game.network("discriminator")
    hot = F.one_hot(y, 3).double()

    def pay(samples, text, target):
        output = judge(samples, None, text)
        classes = F.binary_cross_entropy_with_logits(output.heads["class"], hot)
        return entropy(output.logits, target) + classes

    made = meeting["made"].fake
    expected = pay(x, t, 1) + pay(x, t.roll(1, 0), 0) + pay(made, t, 0)
    torch.testing.assert_close(as_asked(game, "discriminator", meeting), expected)
    torch.testing.assert_close(as_asked(game, "generator", meeting), pay(made, t, 1))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["experiment=gan_cls", "data.extras=[mask]"], "GANCLS makes samples of their 'text', and .* comes mask"),
        (["experiment=tac_gan", "networks.discriminator.num_classes=0"], "set networks.discriminator.num_classes=3"),
        (["experiment=gan_cls", "game.wrong=-1"], "wrong=-1"),
        (["experiment=gan_cls", "game.made=0"], "made=0"),
        (["experiment=gan_int", "game.interpolated=-1"], "interpolated=-1"),
    ],
)
def test_what_does_not_fit_is_refused(compose, overrides, message):
    with pytest.raises(ConfigError, match=message):
        played(compose, *overrides, *SMALL)


def test_tac_gan_needs_classes(compose):
    with pytest.raises(ConfigError, match="the data have none"):
        built(compose, DataShape((3, 16, 16), extra={"text": (64,)}), "experiment=tac_gan", *SMALL)
