import pytest
import torch

from gan_framework.core.contracts.loss import AdversarialLoss
from gan_framework.core.contracts.term import Term
from gan_framework.errors import ConfigError
from gan_zoo.strategies.instance_noise import InstanceNoise
from gan_zoo.strategies.spectral_norm import SpectralNorm
from gan_zoo.strategies.split_discriminator import SplitDiscriminator
from tests.helpers.small import Draws, Halves, sgd, small_game


def split_game(**settings):
    game = small_game(loss=Halves(), start=False, **settings)
    SplitDiscriminator().apply(game)
    return game


def test_the_real_half_moves_first_and_then_the_generated_half_from_there():
    game, plain = split_game(), small_game(loss=Halves())
    game.start(torch.device("cpu"))
    draws = Draws()
    torch.manual_seed(1)
    game.step(draws)

    torch.manual_seed(1)
    d, g = plain.discriminator, plain.generator
    d_step, g_step = sgd(d.parameters()), sgd(g.parameters())
    fake = g(torch.randn(5, 3))
    for loss in (lambda: -d(draws.batches[0].samples).logits.mean(), lambda: d(fake.detach()).logits.square().mean()):
        d_step.zero_grad()
        loss().backward()
        d_step.step()
    (-d(fake).logits.mean()).backward()
    g_step.step()
    for ours, theirs in zip(game.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert {name: game.player(name).updates for name in game.players} == {
        "discriminator_real": 1,
        "discriminator_fake": 1,
        "generator": 1,
    }


def test_each_half_can_have_optimizer_settings_of_its_own():
    game = split_game()
    game.optimizers["discriminator_fake"] = lambda parameters: torch.optim.SGD(parameters, lr=0.7)
    game.start(torch.device("cpu"))
    rates = {name: game.player(name).optimizer.param_groups[0]["lr"] for name in game.players}
    assert rates == {"discriminator_real": 0.1, "discriminator_fake": 0.7, "generator": 0.1}


def test_own_settings_given_beforehand_are_kept():
    game = small_game(loss=Halves(), start=False)
    game.optimizers["discriminator_real"] = lambda parameters: torch.optim.SGD(parameters, lr=0.7)
    SplitDiscriminator().apply(game)
    game.start(torch.device("cpu"))
    assert game.player("discriminator_real").optimizer.param_groups[0]["lr"] == 0.7


def test_a_loss_without_halves_is_refused():
    class Whole(AdversarialLoss):
        def discriminator(self, real, fake):
            return (fake.logits - real.logits).mean()

        def generator(self, fake, real=None):
            return -fake.logits.mean()

    game = small_game(loss=Whole(), start=False)
    with pytest.raises(ConfigError, match="split_discriminator .* Whole is no sum"):
        SplitDiscriminator().apply(game)


def test_a_term_of_the_discriminator_is_refused():
    class Zero(Term):
        def forward(self, pair, player):
            return torch.zeros(())

    game = small_game(loss=Halves(), start=False)
    game.player("discriminator").add_term("penalty", Zero())
    with pytest.raises(ConfigError, match="split_discriminator .* penalty belongs to neither"):
        SplitDiscriminator().apply(game)


def test_asking_for_the_player_that_left_says_who_put_others_in_its_place():
    with pytest.raises(ConfigError, match="'discriminator'; split_discriminator has put discriminator_real and"):
        split_game().player("discriminator")


def test_each_half_reports_the_norm_of_its_own_gradient():
    game = split_game()
    game.start(torch.device("cpu"))
    meeting = game.meet(Draws()())
    expected = {}
    for name in ("discriminator_real", "discriminator_fake"):
        player = game.player(name)
        gradients = torch.autograd.grad(sum(player.evaluate(meeting).values()), player.trained, retain_graph=True)
        expected[name] = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    for name in expected:
        game.player(name).backward(game.player(name).evaluate(meeting.detached()))
    for name, norm in expected.items():
        torch.testing.assert_close(game.player(name).gradient_norm(), norm)
    assert not torch.isclose(*expected.values())


@pytest.mark.parametrize("first", [True, False])
def test_noise_counts_the_updates_of_both_halves_once_wherever_it_stands(first):
    game, noise = small_game(loss=Halves(), start=False), InstanceNoise(0.5, 10)
    for strategy in (noise, SplitDiscriminator()) if first else (SplitDiscriminator(), noise):
        strategy.apply(game)
    game.start(torch.device("cpu"))
    for _ in range(4):
        game.step(Draws())
    assert game.transforms[0].deviation.item() == pytest.approx(0.5 * (1 - 4 / 10))


def test_singular_values_are_clipped_after_the_updates_of_either_half():
    game = small_game(loss=Halves(), start=False)
    for strategy in (SpectralNorm(None, 1, coefficient=1e-3, mode="clip"), SplitDiscriminator()):
        strategy.apply(game)
    game.start(torch.device("cpu"))
    for half in ("discriminator_real", "discriminator_fake"):
        with torch.no_grad():
            game.discriminator.inner.weight.fill_(1.0)
        for _ in range(5):
            for follow_up in game.player(half).after_step:
                follow_up()
        assert torch.linalg.matrix_norm(game.discriminator.inner.weight, 2) < 1.1e-3
