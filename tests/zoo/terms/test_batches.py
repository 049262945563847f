"""Terms that compare whole batches: spheres of features, and a network that judges batches."""

from math import exp, log1p

import numpy as np
import pytest
import torch

from gan_framework.core.pair import Pair
from gan_framework.core.player import Player
from gan_framework.core.records import Batch, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.networks.set_discriminator import SetDiscriminator
from gan_zoo.terms.manifold_matching import correlation_distance
from tests.helpers.independent import finite_differences, image_game, images

REAL, FAKE = [(1.0, 0.0), (0.0, 1.0), (2.0, 2.0)], [(0.0, 0.0), (1.0, 0.0), (0.0, -1.0)]


def build(name, **settings):
    return registry.build("terms", {"name": name, **settings})


def pair(real, fake):
    """A pair whose judge reports samples as their features."""
    real, fake = (x if isinstance(x, torch.Tensor) else torch.tensor(x) for x in (real, fake))

    def judge(x, labels=None, *given):
        return DiscriminatorOutput(x.sum(1), (x,), samples=x)

    return Pair(judge, Batch(real), Latent(torch.zeros(len(fake), 1)), fake)


# -- spheres ---------------------------------------------------------------------------------------


def manifold(**settings):
    term = build("manifold_matching", layer=-1, **settings)
    for side in ("real", "fake"):
        term.register_buffer(f"{side}_centre", torch.zeros(2))
    return term


def spheres(real, fake):
    centres = [np.mean(side, 0) for side in (real, fake)]
    radii = [np.linalg.norm(side - c, axis=1).mean() for side, c in zip((real, fake), centres, strict=True)]
    return ((centres[0] - centres[1]) ** 2).sum() + (radii[0] - radii[1]) ** 2


def test_the_distance_of_two_spheres():
    term = manifold(decay=0.0, correlation=0.0)
    assert term(pair(REAL, FAKE), None).item() == pytest.approx(2.4565095402, abs=1e-9)
    fake = torch.tensor(FAKE).requires_grad_()
    (gradient,) = torch.autograd.grad(term(pair(REAL, fake), None), fake)
    expected = finite_differences(lambda v: spheres(np.array(REAL), v), FAKE)
    assert gradient.numpy() == pytest.approx(expected, abs=1e-6)


def test_the_averages_follow_after_updates_alone():
    term = manifold(decay=0.75, correlation=0.0)
    first, second = pair(REAL, FAKE), pair(FAKE, REAL)
    assert term(first, None).item() == pytest.approx(2.4565095402, abs=1e-9)  # nothing is kept yet
    term(second, None)
    assert term.begun.item() == 0
    term.after_update(first, None)
    assert term.real_centre.tolist() == pytest.approx([1, 1])
    assert (term.real_radius.item(), term.fake_radius.item()) == pytest.approx((1.1380711875, 0.6540388353))
    # Three quarters of the first batch and a quarter of the second, in which the sides are exchanged.
    assert term(second, None).item() == pytest.approx(2.4565095402 / 4, abs=1e-9)
    term.after_update(second, None)
    assert term.real_centre.tolist() == pytest.approx([0.75 + 0.25 / 3, 0.75 - 0.25 / 3])


def test_the_distance_of_correlations_against_numpy():
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(9, 4)), random.normal(size=(7, 4)) @ random.normal(size=(4, 4))
    expected = ((np.corrcoef(real.T) - np.corrcoef(fake.T)) ** 2).sum()
    assert correlation_distance(torch.tensor(real), torch.tensor(fake)).item() == pytest.approx(expected, rel=1e-4)
    term = manifold(decay=0.0, correlation=0.5)
    both = pair(real[:, :2], fake[:, :2])
    distance = correlation_distance(torch.tensor(real[:, :2]), torch.tensor(fake[:, :2]))
    assert term(both, None).item() == pytest.approx(spheres(real[:, :2], fake[:, :2]) + 0.5 * distance.item())


def test_samples_that_are_all_alike_have_a_finite_gradient():
    fake = torch.ones(3, 2).requires_grad_()
    (gradient,) = torch.autograd.grad(manifold(decay=0.0, correlation=1.0)(pair(REAL, fake), None), fake)
    assert torch.isfinite(gradient).all()


def test_the_term_takes_up_the_size_of_the_features_and_a_layer_that_there_is():
    game = image_game(start=False)
    term = build("manifold_matching", layer=0)
    game.player("generator").add_term("spheres", term)
    game.start(torch.device("cpu"))
    assert term.real_centre.shape == (3,)
    game.step(lambda: images())
    assert term.begun.item() == 1 and term.fake_centre.abs().sum() > 0


@pytest.mark.parametrize(
    ("player", "layer", "reason"),
    [("discriminator", 0, "does not update the generator"), ("generator", 4, "reports 1 layers of features")],
)
def test_a_term_without_effect_is_refused(player, layer, reason):
    game = image_game(start=False)
    game.player(player).add_term("spheres", build("manifold_matching", layer=layer))
    with pytest.raises(ConfigError, match=reason):
        game.start(torch.device("cpu"))


# -- a judge of batches ----------------------------------------------------------------------------


def softplus(x):
    return log1p(exp(x))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SetDiscriminator(None, 2, [5, 4], [3], "leaky_relu", "he")


def test_the_order_of_a_batch_changes_nothing(network):
    batch, other = torch.randn(6, 2), torch.randn(8, 2)
    order = torch.randperm(6)
    torch.testing.assert_close(network(batch[order]), network(batch))
    torch.testing.assert_close(network(batch[order], other), network(batch, other))
    torch.testing.assert_close(network(batch, other), network(other, batch))


def test_the_encoder_of_a_batch_is_a_mean():
    linear = SetDiscriminator(None, 2, [4], [], "leaky_relu", "he")
    linear.inner = linear.inner[:2]  # without its activation
    batch = torch.randn(6, 2)
    torch.testing.assert_close(linear.encode(batch), linear.inner(batch.mean(0, keepdim=True)))


class Asked:
    """A game whose network judges batches."""

    def __init__(self, network):
        self.network = lambda name: network

    def autocast(self):
        return torch.autograd.set_grad_enabled(True)


def judged(network, form, player, both):
    term = build("set_adversarial", form=form)
    term.attach(Asked(network))
    return term(both, player)


JUDGE, MAKER = Player("set_discriminator", ("set_discriminator",)), Player("generator", ("generator",), "generator")


def test_one_batch_at_a_time(network):
    x, g = torch.randn(6, 2), torch.randn(6, 2).requires_grad_()
    real, fake = network(x).item(), network(g).item()
    told = judged(network, "sample", JUDGE, pair(x, g))
    assert told.item() == pytest.approx(softplus(-real) + softplus(fake))
    assert torch.autograd.grad(told, g, allow_unused=True) == (None,)
    paid = judged(network, "sample", MAKER, pair(x, g))
    assert paid.item() == pytest.approx(softplus(-fake))
    assert torch.autograd.grad(paid, g)[0].abs().sum() > 0


def test_two_halves_of_batches(network):
    x, g = torch.randn(6, 2), torch.randn(6, 2).requires_grad_()
    (a, b), (c, d) = x.split(3), g.split(3)
    same = [network(a, b).item(), network(c, d).item()]
    mixed = [network(a, d).item(), network(c, b).item()]
    told = judged(network, "two_sample", JUDGE, pair(x, g))
    assert told.item() == pytest.approx(sum(softplus(-logit) for logit in same) + sum(map(softplus, mixed)))
    paid = judged(network, "two_sample", MAKER, pair(x, g))
    assert paid.item() == pytest.approx(sum(softplus(-logit) for logit in mixed))
    assert torch.autograd.grad(paid, g)[0].abs().sum() > 0


def test_the_gradient_of_the_judge_of_batches_is_that_of_its_formula(network):
    x, g = torch.randn(4, 2), torch.randn(4, 2)
    paid = judged(network, "sample", MAKER, pair(x, g.requires_grad_()))
    (gradient,) = torch.autograd.grad(paid, g)

    def formula(values):
        return softplus(-network(torch.tensor(values)).item())

    assert gradient.numpy() == pytest.approx(finite_differences(formula, g.detach().numpy()), abs=1e-7)


def test_one_sample_has_no_halves(network):
    with pytest.raises(ConfigError, match="two_sample needs at least two samples"):
        judged(network, "two_sample", JUDGE, pair([(1.0, 0.0)], [(0.0, 1.0)]))


def test_without_the_network_the_term_is_refused():
    game = image_game(start=False)
    game.player("generator").add_term("batches", build("set_adversarial"))
    with pytest.raises(ConfigError, match=r"batches asks networks\.set_discriminator, and there is none"):
        game.start(torch.device("cpu"))


@pytest.mark.parametrize(
    ("name", "settings", "word"),
    [
        ("manifold_matching", {"decay": 1.0}, "decay=1.0"),
        ("manifold_matching", {"correlation": -1.0}, "correlation=-1.0"),
        ("set_adversarial", {"form": "both"}, "form='both'"),
    ],
)
def test_settings_that_cannot_be_right_are_named(name, settings, word):
    with pytest.raises(ConfigError) as refused:
        build(name, **settings)
    assert word in str(refused.value)
