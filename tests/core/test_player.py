import pytest
import torch
from torch import nn

from gan_framework.core.contracts.loss import AdversarialLoss
from gan_framework.core.contracts.term import Term
from gan_framework.core.player import Player
from gan_framework.errors import ConfigError
from tests.helpers.small import Draws, Halves, small_game


class SquaredWeights(Term):
    def forward(self, pair, player):
        return sum(p.square().sum() for p in player.trained)


def parameters(module):
    return [p.detach().clone() for p in module.parameters()]


def unchanged(before, module):
    return all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def test_a_move_changes_the_movers_parameters_and_no_others():
    game = small_game()
    for mover, other in (("generator", "discriminator"), ("discriminator", "generator")):
        moved, kept = parameters(game.networks[mover]), parameters(game.networks[other])
        game.player(mover).play(game.meet(Draws()()))
        assert not unchanged(moved, game.networks[mover])
        assert unchanged(kept, game.networks[other])


def test_a_move_leaves_no_gradient_on_other_players():
    game = small_game()
    game.player("generator").play(game.meet(Draws()()))
    assert all(p.grad is None for p in game.discriminator.parameters())


def test_all_terms_are_summed_into_one_step_of_gradient_descent():
    game = small_game(start=False)
    game.player("generator").add_term("weights", SquaredWeights(), weight=0.25)
    game.start(torch.device("cpu"))
    before = parameters(game.generator)
    meeting = game.meet(Draws()())
    steps = []
    game.player("generator").optimizer.register_step_post_hook(lambda *_: steps.append(1))

    # The gradient of the sum, taken apart: -mean f(G(z)) and a quarter of the squared weights.
    adversarial = torch.autograd.grad(
        -game.discriminator(meeting["main"].fake).logits.mean(), list(game.generator.parameters()), retain_graph=True
    )
    game.player("generator").play(meeting)

    assert len(steps) == 1
    for old, gradient, new in zip(before, adversarial, game.generator.parameters(), strict=True):
        torch.testing.assert_close(new, old - 0.1 * (gradient + 0.25 * 2 * old))


def test_losses_are_reported_with_their_weights():
    game = small_game(start=False)
    game.player("generator").add_term("weights", SquaredWeights(), weight=3.0)
    game.start(torch.device("cpu"))
    expected = 3 * sum(p.detach().square().sum() for p in game.generator.parameters())
    losses = game.player("generator").play(game.meet(Draws()()))
    torch.testing.assert_close(losses["generator/weights"], expected)
    assert not losses["generator/weights"].requires_grad


def test_two_terms_of_one_name_are_refused():
    player = Player("generator", ("generator",))
    player.add_term("same", SquaredWeights())
    with pytest.raises(ConfigError, match="already has a term named 'same'"):
        player.add_term("same", SquaredWeights())


def test_a_player_with_nothing_to_minimise_is_refused():
    game = small_game(start=False)
    game.player("generator").objective = None
    with pytest.raises(ConfigError, match="'generator' has no loss and no term"):
        game.start(torch.device("cpu"))


def test_half_a_loss_needs_a_loss_of_halves():
    class Whole(AdversarialLoss):
        def discriminator(self, real, fake):
            return (fake.logits - real.logits).mean()

        def generator(self, fake, real=None):
            return -fake.logits.mean()

    game = small_game(loss=Whole(), start=False)
    game.player("discriminator").objective = "discriminator_real"
    with pytest.raises(ConfigError, match="no sum of a real and a generated half"):
        game.start(torch.device("cpu"))


def test_the_two_halves_add_up_to_the_whole():
    game = small_game(loss=Halves())
    pair = game.meet(Draws()())["main"]
    loss = game.loss
    whole = loss.discriminator(pair.real_output, pair.fake_output)
    torch.testing.assert_close(whole, loss.real_half(pair.real_output) + loss.fake_half(pair.fake_output))


def test_moves_that_are_not_finite_can_be_left_out():
    class Infinite(Term):
        def forward(self, pair, player):
            return sum(p.sum() for p in player.trained) * torch.inf

    game = small_game(start=False)
    game.player("generator").add_term("infinite", Infinite())
    game.start(torch.device("cpu"))
    player = game.player("generator")
    player.skip_nonfinite = True
    before = parameters(game.generator)
    player.play(game.meet(Draws()()))
    assert unchanged(before, game.generator)
    assert player.updates == 0


def test_the_scaler_sees_the_moves_that_it_leaves_out():
    """Else it would scale as much the next time, and no move would ever be made again."""
    game = small_game()
    player = game.player("generator")
    player.skip_nonfinite = True
    player.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20)
    game.generator.layer.weight.register_hook(
        lambda gradient: gradient * (torch.inf if player.scaler.get_scale() > 1024 else 1)
    )
    for _ in range(12):
        player.play(game.meet(Draws()()))
    assert player.scaler.get_scale() == 1024
    assert player.updates > 0


def adam(**settings):
    return lambda parameters: torch.optim.Adam(parameters, **settings)


def test_a_changed_setting_of_an_optimizer_is_taken_up_and_the_rest_goes_on():
    game = small_game(optimizer=adam(lr=0.1))
    game.step(Draws())
    state = game.player("generator").get_extra_state()
    state["optimizer"]["param_groups"][0]["eps"] = 0.5  # as an optimizer that changes its own numbers
    player = small_game(optimizer=adam(lr=0.3)).player("generator")
    player.set_extra_state(state)
    (group,) = player.optimizer.param_groups
    assert (group["lr"], group["eps"]) == (0.3, 0.5)
    assert player.optimizer.state_dict()["state"][0]["step"] == 1


def test_another_optimizers_state_is_refused():
    state = small_game(optimizer=adam(lr=0.1)).player("generator").get_extra_state()
    with pytest.raises(ValueError, match=r"'generator' was updated by Adam, and optimizer\.generator is SGD"):
        small_game().player("generator").set_extra_state(state)


def test_follow_ups_run_after_every_move_and_moves_are_counted():
    class Count(nn.Module):
        calls = 0

        def forward(self):
            self.calls += 1

    game = small_game(start=False)
    counter = Count()
    game.player("generator").after_step.append(counter)
    game.start(torch.device("cpu"))
    for _ in range(3):
        game.step(Draws())
    assert counter.calls == 3
    assert game.player("generator").updates == 3


def test_the_gradient_norm_is_that_of_all_parameters_together():
    game = small_game()
    player = game.player("discriminator")
    player.play(game.meet(Draws()()).detached())
    flat = torch.cat([p.grad.flatten() for p in player.trained])
    torch.testing.assert_close(player.gradient_norm(), flat.norm())
