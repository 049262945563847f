import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.schedules.alternating import Alternating
from tests.helpers.small import Draws, small_game


def test_outputs_are_computed_when_first_asked_for_and_kept():
    game = small_game()
    pair = game.meet(Draws()())["main"]
    assert game.discriminator.calls == 0
    first = pair.fake_output
    assert pair.fake_output is first
    assert game.discriminator.calls == 1


def test_a_generator_loss_without_a_real_side_costs_no_real_pass():
    game = small_game()
    game.player("generator").play(game.meet(Draws()()))
    assert game.discriminator.calls == 1


def test_a_round_without_a_graph_reaches_no_generator_parameter():
    game = small_game()
    assert not game.meet(Draws()(), graph=False)["main"].fake.requires_grad
    assert game.meet(Draws()())["main"].fake.requires_grad
    assert not game.meet(Draws()()).detached()["main"].fake.requires_grad


def test_shared_fakes_save_a_generator_pass():
    shared = small_game(schedule=Alternating(1, 1, share_fakes=True))
    fresh = small_game(schedule=Alternating(1, 1, share_fakes=False))
    shared.step(Draws())
    fresh.step(Draws())
    assert (shared.generator.calls, fresh.generator.calls) == (1, 2)


def test_k_steps_use_k_fresh_batches_and_g_steps_none():
    game = small_game(schedule=Alternating(d_steps=3, g_steps=2, share_fakes=True))
    draws = Draws()
    game.step(draws)
    assert len(draws.batches) == 3
    assert game.player("discriminator").updates == 3
    assert game.player("generator").updates == 2


def test_one_iteration_equals_the_same_one_written_out():
    game, plain = small_game(), small_game()
    draws = Draws()
    torch.manual_seed(1)
    game.step(draws)

    torch.manual_seed(1)
    d, g = plain.discriminator, plain.generator
    d_step = torch.optim.SGD(d.parameters(), lr=0.1)
    g_step = torch.optim.SGD(g.parameters(), lr=0.1)
    fake = g(torch.randn(5, 3))
    (d(fake.detach()).logits.mean() - d(draws.batches[0].samples).logits.mean()).backward()
    d_step.step()
    (-d(fake).logits.mean()).backward()
    g_step.step()
    for ours, theirs in zip(game.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_all_training_state_is_in_the_state_dict(tmp_path):
    def adam(parameters):
        return torch.optim.Adam(parameters, lr=0.01)

    game, copy = small_game(optimizer=adam), small_game(optimizer=adam)
    draws = Draws()
    for _ in range(3):
        game.step(draws)
    torch.save(game.state_dict(), tmp_path / "state.pt")
    copy.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    torch.manual_seed(7)
    ours = game.step(Draws())
    torch.manual_seed(7)
    theirs = copy.step(Draws())
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert all(torch.equal(a, b) for a, b in zip(game.parameters(), copy.parameters(), strict=True))
    assert copy.player("generator").updates == 4


def test_sampling_changes_nothing_and_follows_from_its_seed():
    game = small_game()
    state = torch.get_rng_state()
    one = game.sample(game.latent(4, generator=torch.Generator().manual_seed(3)))
    two = game.sample(game.latent(4, generator=torch.Generator().manual_seed(3)))
    assert torch.equal(one, two)
    assert torch.equal(state, torch.get_rng_state())
    assert game.generator.training
    assert not one.requires_grad


def test_two_claims_on_one_thing_name_both():
    game = small_game()
    game.claim("schedule", "k_step")
    with pytest.raises(ConfigError, match="k_step and loss_gated both set the schedule"):
        game.claim("schedule", "loss_gated")


def test_networks_that_do_not_fit_the_data_are_refused():
    game = small_game(start=False)
    game.data = DataShape((7,))
    with pytest.raises(ConfigError, match=r"do not fit the data \(7,\)"):
        game.check()


def test_a_conditional_network_needs_labels():
    game = small_game(start=False)
    game.generator.conditional = True
    with pytest.raises(ConfigError, match="networks.generator needs labels"):
        game.check()


def test_a_missing_optimizer_names_the_player():
    game = small_game(start=False)
    del game.optimizers["generator"]
    with pytest.raises(ConfigError, match="optimizer.generator is missing"):
        game.start(torch.device("cpu"))
