"""SS-GAN: attributes of few samples."""

import pytest
import torch
from torch.nn import functional as F

from gan_framework.errors import ConfigError
from tests.zoo.described.playing import FEW, NARROW, as_asked, played

SMALL = ["experiment=ssgan_stacked", *FEW, *NARROW, "prior.dim=5", "sources.labelled.per_class=4"]
SMALL += ["networks.discriminator_pairs.maps=8", "networks.discriminator_pairs.width=8"]


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def test_each_judge_and_the_generator_pay_by_the_formula(compose):
    game, batch = played(compose, *SMALL, "game.supervised=0.5")
    meeting, labelled = game.meet(batch), batch.others["labelled"]
    g, y, d = meeting["images"].fake, labelled.extra["attributes"], game.network("discriminator")
    assert torch.equal(meeting["images"].latent.given["attributes"], y)
    assert not torch.equal(y, batch.extra["attributes"])

    def of_pairs(images):
        return game.network("discriminator_pairs")(d.features(images)[-1], None, y).logits

    torch.testing.assert_close(
        as_asked(game, "discriminator", meeting), bce(d(batch.samples).logits, 1) + bce(d(g).logits, 0)
    )
    expected = bce(of_pairs(labelled.samples), 1) + bce(of_pairs(g), 0)
    torch.testing.assert_close(as_asked(game, "discriminator_pairs", meeting), expected)
    expected = bce(d(g).logits, 1) + 0.5 * bce(of_pairs(g), 1)
    torch.testing.assert_close(as_asked(game, "generator", meeting), expected)


def test_attributes_that_are_not_labelled_teach_nobody(compose):
    game, batch = played(compose, *SMALL)
    torch.manual_seed(0)
    before = [as_asked(game, name, game.meet(batch)) for name in game.players]
    batch.extra["attributes"].fill_(7.0)
    torch.manual_seed(0)
    after = [as_asked(game, name, game.meet(batch)) for name in game.players]
    torch.testing.assert_close(before, after)


def test_the_gradient_of_the_second_judge_reaches_the_generator_through_the_first(compose):
    game, batch = played(compose, *SMALL)
    pair = game.meet(batch)["pairs"]
    parameters = [*game.network("generator").parameters()]
    gradients = torch.autograd.grad(pair.fake_output.logits.sum(), parameters)
    assert all(gradient.abs().sum() > 0 for gradient in gradients[:2])


def test_what_does_not_fit_is_refused(compose):
    with pytest.raises(ConfigError, match=r"a further source, `sources.labelled`, with them"):
        played(compose, *SMALL, "data.extras=[mask]")
    with pytest.raises(ConfigError, match="supervised=0"):
        played(compose, *SMALL, "game.supervised=0")
