"""Triangle GAN: three kinds of pairs."""

import math

import pytest
import torch
from torch.nn import functional as F

from gan_framework.core.pair import Pair
from gan_framework.core.player import OBJECTIVES
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_zoo.datasets.cross_2d import MEANS, VARIANCES, Cross2D
from gan_zoo.losses.vanilla import NonSaturating
from tests.zoo.players.playing import batch, built

SHAPE = DataShape((2,), 4)
SMALL = ["experiment=triangle_gan"]
SMALL += [
    f"networks.{name}.hidden=[8]" for name in ("generator_x", "generator_y", "discriminator_1", "discriminator_2")
]


def test_half_of_a_pair_is_made_and_half_is_given(compose):
    game, one = built(compose, SHAPE, *SMALL), batch(SHAPE, 6)
    meeting = game.meet(one)
    x, y = one.samples.unbind(1)
    assert torch.equal(meeting["forward"].fake[:, 0], x) and not torch.equal(meeting["forward"].fake[:, 1], y)
    assert torch.equal(meeting["backward"].fake[:, 1], y) and not torch.equal(meeting["backward"].fake[:, 0], x)
    z = meeting["forward"].latent.z
    made = game.network("generator_y")(torch.cat([z[:, :2], one.samples[:, :1]], 1))
    torch.testing.assert_close(meeting["forward"].fake[:, 1:], made)
    assert torch.equal(meeting["between"].real, meeting["forward"].fake)
    assert meeting["between"].judge.name == "discriminator_2"


def test_each_side_pays_by_the_formula(compose):
    game = built(compose, SHAPE, *SMALL)
    meeting = game.meet(batch(SHAPE, 6))
    forward, backward = meeting["forward"].fake, meeting["backward"].fake
    first, second = (game.network(f"discriminator_{i}") for i in (1, 2))

    def ce(network, samples, target):
        said = network(samples).logits
        return F.binary_cross_entropy_with_logits(said, torch.full_like(said, target))

    of_d = ce(first, meeting["forward"].real, 1) + ce(first, forward, 0) + ce(first, backward, 0)
    of_d = of_d + ce(second, forward, 1) + ce(second, backward, 0)
    of_g = ce(first, forward, 1) + ce(second, forward, 0) + ce(first, backward, 1) + ce(second, backward, 1)
    for name, expected in (("discriminator", of_d), ("generator", of_g)):
        losses = game.player(name).evaluate(meeting)
        torch.testing.assert_close(sum(losses.values()), expected)


def test_the_losses_at_the_optimum(compose):
    """Where all three distributions are the same: D_1 = 1/3, D_2 = 1/2."""
    x = torch.zeros(4, 2)

    def says(logit):
        return Pair(lambda x, labels=None: DiscriminatorOutput(x[:, 0] + logit), Batch(x), Latent(x), x)

    best = {"forward": says(math.log(0.5)), "backward": says(math.log(0.5)), "between": says(0.0)}
    player, loss = built(compose, SHAPE, *SMALL).player("discriminator"), NonSaturating()
    found = {name: OBJECTIVES[part](loss, best[name]).item() for name, part in player.objective.items()}
    assert found["forward"] + found["backward"] == pytest.approx(math.log(3) + 2 * math.log(1.5))
    assert found["forward"] + found["backward"] == pytest.approx(1.90954, abs=1e-5)
    assert found["between"] == pytest.approx(2 * math.log(2))


def test_the_cross_has_its_means_and_variances():
    points = Cross2D(40000, None, 2, None).load("train")
    for number in range(4):
        own = points.samples[points.labels == number]
        torch.testing.assert_close(own.mean(0), torch.tensor(MEANS[number]), atol=0.08, rtol=0)
        torch.testing.assert_close(own.var(0), torch.tensor(VARIANCES[number]), atol=0, rtol=0.08)


def test_what_has_no_two_halves_is_refused(compose):
    with pytest.raises(ConfigError, match="two equal halves"):
        built(compose, DataShape((3,)), *SMALL)
    with pytest.raises(ConfigError, match="an even prior.dim"):
        built(compose, SHAPE, *SMALL, "prior.dim=3")
    with pytest.raises(ConfigError, match="must be null and 2"):
        Cross2D(10, None, 3, None)
