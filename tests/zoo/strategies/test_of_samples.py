"""Strategies that change what players see: pseudo augmentation, top-k, latent optimisation."""

import pytest
import torch
from torch import nn

from gan_framework.build import build_game
from gan_framework.core.pair import MAIN
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.strategies.apa import APA
from gan_zoo.strategies.latent_optimisation import MOVED, LatentOptimisation
from gan_zoo.strategies.lookahead import Lookahead
from gan_zoo.strategies.top_k import TopK
from tests.helpers.differences import by_differences
from tests.helpers.small import Draws, small_game

EX = DiscriminatorOutput(torch.tensor([0.2, -1.5], dtype=torch.float64))


def apply(strategy, size=0, **parts):
    game = small_game(start=False, **parts)
    game.data = game.data._replace(size=size)
    strategy.apply(game)
    game.start(torch.device("cpu"))
    return game


# -- pseudo augmentation ------------------------------------------------------------------------------


def deceived(p):
    game = apply(APA(0.6, 4, 1000.0), loss=NonSaturating())
    player = game.player("discriminator")
    player.term("apa").share.p.fill_(p)
    meeting = game.meet(Draws(8)()).detached()
    before = meeting[MAIN]
    player.evaluate(meeting)
    return before, meeting[MAIN]


def test_with_probability_0_real_samples_are_real():
    before, after = deceived(0.0)
    assert torch.equal(after.real, before.real)


def test_with_probability_1_both_sides_are_generated():
    before, after = deceived(1.0)
    assert torch.equal(after.real, before.fake)
    assert not after.real.requires_grad
    assert torch.equal(after.fake, before.fake)


def test_the_probability_moves_by_the_images_seen_and_stays_in_its_bounds():
    game = apply(APA(0.6, 2, 100.0), loss=NonSaturating())
    term = game.player("discriminator").term("apa")
    with torch.no_grad():  # D takes everything for real
        game.discriminator.output.weight.zero_()
        game.discriminator.output.bias.fill_(1e6)
    found = []
    for _ in range(4):
        game.player("discriminator").play(game.meet(Draws(5)()).detached())
        found.append(round(term.share.p.item(), 4))
    assert found == [0.0, 0.1, 0.1, 0.2]  # 2 · 5 / 100 at every second update
    assert term.figures()["p"].item() == pytest.approx(0.2)


def test_what_is_logged_is_what_the_discriminator_saw():
    game = apply(APA(0.6, 4, 1000.0), loss=NonSaturating())
    game.player("discriminator").term("apa").share.p.fill_(1.0)
    measured = game.player("discriminator").play(game.meet(Draws(8)()).detached())
    torch.testing.assert_close(measured["real"], measured["fake"])


# -- top-k --------------------------------------------------------------------------------------------


def test_the_first_update_learns_of_the_whole_batch_and_later_ones_of_the_best():
    game = apply(TopK(0.5, 0.1), size=10, loss=Wasserstein())
    assert game.loss.generator(EX).item() == pytest.approx(0.65)
    game.player("discriminator").updates = 5  # of two samples: one epoch
    assert game.loss.generator(EX).item() == pytest.approx(-0.2)


def test_the_count_of_the_best_falls_to_a_least_share():
    game = apply(TopK(0.9, 0.5), size=100)
    counts = []
    for epoch in range(9):
        game.player("discriminator").updates = 5 * epoch
        counts.append(game.loss.generator.count(20))
    assert counts == [20, 18, 16, 14, 13, 11, 10, 10, 10]


def test_epochs_are_those_of_whole_batches_where_a_batch_goes_through_in_parts():
    game = small_game(start=False)
    game.data, game.accumulate = game.data._replace(size=100), 4
    TopK(0.9, 0.1).apply(game)
    game.player("discriminator").updates = 10  # of 4 parts of 10: 400 samples, 4 epochs
    assert game.loss.generator.count(10) == int(0.9**4 * 10)


@pytest.mark.parametrize("ahead", [True, False])
def test_epochs_are_those_of_ds_batches_where_g_has_several(ahead):
    game = small_game(start=False, schedule=Alternating(1, 1, share_fakes=True, g_batches=2))
    game.data = game.data._replace(size=100)
    if ahead:
        Lookahead(5, 0.5).apply(game)
    TopK(0.9, 0.1).apply(game)
    game.player("discriminator").updates = 10  # of 20 samples, of which G has 40: 200 samples, 2 epochs
    assert game.loss.generator.count(40) == int(0.9**2 * 40)


def test_a_loss_that_compares_is_given_the_real_samples_in_the_same_places():
    game = apply(TopK(0.5, 0.1), size=1, loss=registry.build("losses", {"name": "relativistic"}))
    game.player("discriminator").updates = 100
    real = DiscriminatorOutput(torch.tensor([1.0, -0.5], dtype=torch.float64))
    expected = nn.functional.softplus(torch.tensor(1.0 - 0.2, dtype=torch.float64))
    assert game.loss.generator(EX, real).item() == pytest.approx(expected.item())


def test_only_the_best_samples_have_a_gradient():
    game = apply(TopK(0.5, 0.1), size=1, loss=NonSaturating())
    game.player("discriminator").updates = 100
    logits = torch.tensor([0.3, 2.0, -1.0, 0.9], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(game.loss.generator(DiscriminatorOutput(logits)), logits)
    expected = torch.zeros(4, dtype=torch.float64)
    expected[1] = -torch.sigmoid(torch.tensor(-2.0, dtype=torch.float64))
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize(
    ("size", "loss", "why"),
    [(10, "importance_weighted", "top_k and importance_weighted"), (0, "hinge", "top_k counts epochs")],
)
def test_top_k_refuses(size, loss, why):
    with pytest.raises(ConfigError, match=why):
        apply(TopK(0.99, 0.5), size=size, loss=registry.build("losses", {"name": loss}))


# -- latent optimisation ------------------------------------------------------------------------------


def strategy(**changes):
    usual = dict(alpha=0.9, beta=0.1, natural=True, weight=0.1, share=1.0, bound=None, steps=1)
    return LatentOptimisation(**usual | changes)


def test_a_step_is_damped_by_the_gradients_norm():
    gradient = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
    found = strategy().step(gradient)
    torch.testing.assert_close(found, torch.tensor([[0.1075697211, 0.1434262948]], dtype=torch.float64))
    torch.testing.assert_close(strategy(natural=False).step(gradient), 0.9 * gradient)


class Double:
    """A game in float64 whose discriminator has a curved score."""

    def __init__(self, **changes):
        self.game = apply(strategy(**changes), loss=NonSaturating())
        self.game.double()
        batch = Draws(4)()
        self.batch = Batch(batch.samples.double())
        torch.manual_seed(2)
        self.latent = self.game.latent_for(self.batch)._replace(z=torch.randn(4, 3, dtype=torch.float64) / 2)

    def pair(self, player):
        meeting = self.game._meet(self.batch, self.latent, graph=player == "generator")
        if player == "discriminator":
            meeting = meeting.detached()
        losses = self.game.player(player).evaluate(meeting)
        return meeting[MAIN], losses


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_the_gradient_flows_through_the_step(player):
    double = Double()
    parameter = (
        double.game.discriminator.inner.weight if player == "discriminator" else double.game.generator.layer.weight
    )

    def value():
        return sum(double.pair(player)[1].values())

    (found,) = torch.autograd.grad(value(), parameter)

    torch.testing.assert_close(found, by_differences(value, parameter), rtol=1e-5, atol=1e-7)


def test_samples_are_made_of_the_moved_latents_and_moves_are_paid_for():
    double = Double()
    pair, losses = double.pair("discriminator")
    moved = double.latent.z + pair.made[MOVED]
    torch.testing.assert_close(pair.fake, double.game.generator(moved))
    z = double.latent.z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(double.game.discriminator(double.game.generator(z)).logits.sum(), z)
    torch.testing.assert_close(pair.made[MOVED], strategy().step(gradient))
    cost = pair.made[MOVED].square().sum(1).mean()
    torch.testing.assert_close(losses["latent_movement"], 0.1 * cost)


def test_two_steps_are_not_one():
    one, two = (Double(steps=steps).pair("discriminator")[0].made[MOVED] for steps in (1, 2))
    assert not torch.allclose(one, two)


def test_entries_stay_in_their_bounds_and_only_a_share_is_moved():
    bounded = Double(bound=0.5, alpha=50.0)
    pair, _ = bounded.pair("generator")
    assert pair.latent.z.abs().max() <= 0.5
    some = Double(share=0.5)
    moved = [(some.pair("generator")[0].made[MOVED] != 0).double().mean().item() for _ in range(40)]
    assert 0.35 < sum(moved) / 40 < 0.65


def test_codes_are_not_moved(compose):
    config = compose("data.image_size=16", "model=mlp", "prior=codes", "strategy=[latent_optimisation]")
    with pytest.raises(ConfigError, match="latent_optimisation would move codes"):
        build_game(config, DataShape((1, 16, 16), 10), torch.device("cpu"))


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (lambda: strategy(share=0.0), "share"),
        (lambda: strategy(alpha=0.0), "alpha"),
        (lambda: strategy(steps=0), "steps"),
        (lambda: strategy(bound=-1.0), "bound"),
        (lambda: TopK(1.5, 0.5), "gamma"),
        (lambda: TopK(0.9, 0.0), "nu"),
        (lambda: APA(1.0, 4, 1.0), "target"),
        (lambda: APA(0.6, 0, 1.0), "every"),
        (lambda: APA(0.6, 4, 0.0), "images"),
    ],
)
def test_settings_that_cannot_be_right_are_refused_by_name(build, why):
    with pytest.raises(ValueError, match=why):
        build()
