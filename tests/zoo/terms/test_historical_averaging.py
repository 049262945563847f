"""Historical averaging against the stored history of the parameters."""

import copy

import numpy as np
import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from tests.helpers.independent import image_game, images


def strategy(**changes):
    return registry.build("strategies", {"name": "historical_averaging", "players": None, "weight": 0.1} | changes)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01)


def averaged_game(**changes):
    game = image_game(start=False, optimizer=adam)
    strategy(**changes).apply(game)
    game.start(torch.device("cpu"))
    return game


def flat(player):
    return np.concatenate([p.detach().numpy().ravel() for p in player.trained])


def play(game, steps, first=0):
    """Play iterations whose randomness follows from their number; return what each measured."""
    measured = []
    for step in range(first, first + steps):
        torch.manual_seed(step)
        measured.append(game.step(lambda step=step: images(seed=step)))
    return measured


def test_the_cost_follows_the_stored_history():
    game = averaged_game(weight=0.25)
    for name in game.players:
        player = game.player(name)
        assert set(player.terms) == {"historical_averaging"}
    history = {name: [] for name in game.players}
    for step in range(6):
        for name in game.players:
            history[name].append(flat(game.player(name)))
        (measured,) = play(game, 1, step)
        for name, past in history.items():
            expected = 0.25 * ((past[-1] - np.mean(past, axis=0)) ** 2).sum()
            assert measured[f"{name}/historical_averaging"].item() == pytest.approx(expected, rel=1e-10)
            assert (expected > 0) == (step > 0)


def test_the_gradient_treats_the_average_as_constant():
    game = averaged_game()
    player = game.player("generator")
    history = []
    for step in range(3):
        history.append(flat(player))
        play(game, 1, step)
    history.append(flat(player))
    value = player.terms["historical_averaging"](game.meet(images())["main"], player)
    gradient = np.concatenate([g.numpy().ravel() for g in torch.autograd.grad(value, player.trained)])
    np.testing.assert_allclose(gradient, 2 * (history[-1] - np.mean(history, axis=0)), atol=1e-12)


def test_evaluating_without_moving_adds_nothing_to_the_history():
    game, looked = averaged_game(), averaged_game()
    play(game, 2), play(looked, 2)
    torch.manual_seed(7)
    for _ in range(3):
        looked.player("generator").evaluate(looked.meet(images()))
    assert [m.keys() for m in play(game, 2, 2)] == [m.keys() for m in play(looked, 2, 2)]
    for a, b in zip(game.state_dict().items(), looked.state_dict().items(), strict=True):
        assert a[0] == b[0] and (not torch.is_tensor(a[1]) or torch.equal(a[1], b[1]))


def test_a_resumed_run_goes_on_to_the_bit(tmp_path):
    whole, first, second = averaged_game(), averaged_game(), averaged_game()
    uninterrupted = play(whole, 6)
    play(first, 3)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    resumed = play(second, 3, 3)
    for expected, got in zip(uninterrupted[3:], resumed, strict=True):
        assert expected.keys() == got.keys()
        assert all(torch.equal(expected[key], got[key]) for key in expected)
    for player in ("generator", "discriminator"):
        np.testing.assert_array_equal(flat(whole.player(player)), flat(second.player(player)))

    # Without its history the term starts anew, so the test above would notice.
    forgetful = averaged_game()
    state = copy.deepcopy(first.state_dict())
    fresh = averaged_game().state_dict()
    state |= {key: value for key, value in fresh.items() if "historical_averaging" in key}
    forgetful.load_state_dict(state)
    assert play(forgetful, 1, 3)[0]["generator/historical_averaging"] == 0


def test_all_summands_take_one_optimizer_step():
    game = averaged_game(players=["discriminator"])
    steps = {name: 0 for name in game.players}
    for name in game.players:
        game.player(name).optimizer.register_step_post_hook(
            lambda *_, name=name: steps.__setitem__(name, steps[name] + 1)
        )
    play(game, 3)
    assert steps == {"discriminator": 3, "generator": 3}
    assert not game.player("generator").terms


def test_the_history_holds_clipped_weights():
    """Clipping after a move belongs to the move, whichever strategy was named first."""
    game = image_game(start=False, optimizer=adam)
    strategy(players=["discriminator"]).apply(game)
    registry.build("strategies", {"name": "weight_clipping", "networks": None, "bound": 0.2}).apply(game)
    game.start(torch.device("cpu"))
    player, history = game.player("discriminator"), []
    for step in range(4):
        history.append(flat(player))
        (measured,) = play(game, 1, step)
        expected = 0.1 * ((history[-1] - np.mean(history, axis=0)) ** 2).sum()
        assert measured["discriminator/historical_averaging"].item() == pytest.approx(expected, rel=1e-10)
    assert np.abs(history[1:]).max() <= 0.2


def test_wrong_settings_are_refused():
    with pytest.raises(ConfigError, match="weight=0"):
        strategy(weight=0)
    with pytest.raises(ConfigError, match="players"):
        strategy(players=[])
    with pytest.raises(ConfigError, match="no player 'critic'.*discriminator, generator"):
        strategy(players=["critic"]).apply(image_game(start=False))
    game = image_game(start=False)
    strategy().apply(game)
    with pytest.raises(ConfigError, match="already has a term named 'historical_averaging'"):
        strategy().apply(game)
