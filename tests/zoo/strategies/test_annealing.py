"""Annealed optimizer settings against their closed forms."""

import math

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.schedules.stages import Stages
from tests.helpers.independent import double_precision, image_game, images  # noqa: F401 (a fixture is among them)

LINEAR = {"name": "lr_decay", "players": None, "shape": "linear", "steps": 5, "minimum": 0.0}
LATE = LINEAR | {"start": 0.6}
COSINE = LINEAR | {"shape": "cosine", "minimum": 0.02}
EXPONENTIAL = {"name": "lr_decay_exponential", "players": None, "divisor": 1.5, "minimum": 0.03}
RAMP = {"name": "momentum_ramp", "players": None, "final": 0.7, "steps": 4}


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.5)


def annealed_game(*strategies, d_steps=1, g_steps=1, optimizer=sgd):
    game = image_game(start=False, optimizer=optimizer, schedule=Alternating(d_steps, g_steps, share_fakes=True))
    for settings in strategies:
        registry.build("strategies", settings).apply(game)
    game.start(torch.device("cpu"))
    return game


def used(game, setting, steps, first=0):
    """Play, and return for each player the setting's value in every optimizer step."""
    values = {name: [] for name in game.players}
    for name in game.players:
        optimizer = game.player(name).optimizer
        optimizer.register_step_pre_hook(lambda it, *_, name=name: values[name].append(it.param_groups[0][setting]))
    for step in range(first, first + steps):
        torch.manual_seed(step)
        game.step(lambda step=step: images(seed=step))
    return values


CLOSED_FORMS = [
    (LINEAR, "lr", lambda t: 0.1 * max(1 - t / 5, 0)),
    (LATE, "lr", lambda t: 0.1 * (1 - min(max(t - 3, 0) / 2, 1))),
    (COSINE, "lr", lambda t: 0.02 + 0.08 * (1 + math.cos(math.pi * min(t / 5, 1))) / 2),
    (EXPONENTIAL, "lr", lambda t: max(0.1 / 1.5**t, 0.03)),
    (RAMP, "momentum", lambda t: 0.5 + 0.2 * min(t / 4, 1)),
]


@pytest.mark.parametrize(("settings", "setting", "closed_form"), CLOSED_FORMS)
def test_each_step_uses_the_value_of_its_iteration(settings, setting, closed_form):
    values = used(annealed_game(settings), setting, 7)
    for name in ("generator", "discriminator"):
        assert values[name] == pytest.approx([closed_form(t) for t in range(7)], abs=1e-15)


def test_several_discriminator_steps_share_the_value_of_their_iteration():
    values = used(annealed_game(LINEAR, d_steps=3), "lr", 5)
    assert values["discriminator"] == pytest.approx([0.1 * (1 - t / 5) for t in range(5) for _ in range(3)])
    assert values["generator"] == pytest.approx([0.1 * (1 - t / 5) for t in range(5)])


def test_several_generator_steps_still_reach_the_end_together_with_training():
    values = used(annealed_game(LINEAR, g_steps=2), "lr", 5)
    assert values["generator"] == pytest.approx([0.1 * (1 - t / 10) for t in range(10)])
    assert values["discriminator"] == pytest.approx([0.1 * (1 - t / 5) for t in range(5)])


def test_only_the_chosen_players_change():
    values = used(annealed_game(LINEAR | {"players": ["discriminator"]}), "lr", 3)
    assert values == {"discriminator": pytest.approx([0.1, 0.08, 0.06]), "generator": [0.1] * 3}


def test_a_resumed_run_goes_on_exactly(tmp_path):
    both = (EXPONENTIAL, RAMP)
    whole, first, second = annealed_game(*both), annealed_game(*both), annealed_game(*both)
    expected = used(whole, "lr", 6), [p.clone() for p in whole.generator.parameters()]
    used(first, "lr", 2)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert second.player("generator").optimizer.param_groups[0]["momentum"] == pytest.approx(0.6)
    got = used(second, "lr", 4, first=2)
    assert got == {name: values[2:] for name, values in expected[0].items()}
    assert all(torch.equal(a, b) for a, b in zip(expected[1], second.generator.parameters(), strict=True))


def test_decay_and_momentum_stack_but_two_decays_do_not():
    annealed_game(LINEAR, RAMP)
    with pytest.raises(ConfigError, match="lr_decay and lr_decay_exponential both set the lr"):
        annealed_game(LINEAR, EXPONENTIAL)
    annealed_game(LINEAR | {"players": ["generator"]}, EXPONENTIAL | {"players": ["discriminator"]})


def test_momentum_needs_an_optimizer_that_has_it():
    for optimizer in (torch.optim.Adam, lambda parameters: torch.optim.SGD(parameters, lr=0.1)):
        with pytest.raises(ConfigError, match="momentum_ramp has no effect on optimizer.discriminator"):
            annealed_game(RAMP, optimizer=optimizer)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (LINEAR | {"shape": "step"}, "shape='step'"),
        (LINEAR | {"steps": 0}, "steps=0"),
        (LINEAR | {"minimum": -1.0}, "minimum=-1"),
        (LINEAR | {"players": []}, r"players=\[\]"),
        (LINEAR | {"players": ["critic"]}, "no player 'critic'"),
        (EXPONENTIAL | {"divisor": 1.0}, "divisor=1"),
        (RAMP | {"final": 1.0}, "final=1"),
    ],
)
def test_wrong_settings_are_refused(settings, named):
    with pytest.raises(ConfigError, match=named):
        annealed_game(settings)


def after(*strategies, steps, state=None):
    """Return a game that has gone on from a state for so many steps."""
    game = annealed_game(*strategies)
    if state is not None:
        game.load_state_dict(state)
    for step in range(steps):
        game.step(lambda step=step: images(seed=step))
    return game


def rate(game):
    return game.player("generator").optimizer.param_groups[0]["lr"]


def test_a_learning_rate_that_is_annealed_no_more_is_the_configurations():
    decayed = after(LINEAR, steps=5)
    assert rate(decayed) == 0
    assert rate(after(steps=0, state=decayed.state_dict())) == 0.1


def test_a_run_that_is_extended_goes_on_at_the_rate_of_the_longer_one():
    state = after(LINEAR, steps=5).state_dict()
    assert rate(after(LINEAR | {"steps": 10}, steps=0, state=state)) == pytest.approx(0.05)
    assert rate(after(LINEAR, steps=0, state=after(LINEAR, steps=2).state_dict())) == 0.1 * (1 - 2 / 5)


@pytest.mark.parametrize("first", [True, False])
def test_steps_are_the_games_wherever_lookahead_stands(first):
    ahead = {"name": "lookahead", "k": 3, "alpha": 0.5, "outer": None}
    game = annealed_game(*((ahead, LINEAR) if first else (LINEAR, ahead)), g_steps=2)
    values = used(game, "lr", 5)["generator"]
    assert values == pytest.approx([0.1 * (1 - update / 10) for update in range(10)])


@pytest.mark.parametrize("counted", [2, 3])
def test_steps_are_the_games_in_stages_that_update_the_generator_alike(counted):
    first = {"players": ["discriminator", "generator"], "updates": [1, counted], "until": 2}
    later = {"players": ["discriminator", "generator"], "updates": [3, 2]}
    game = image_game(start=False, optimizer=sgd, schedule=Stages([first, later]))
    if counted != 2:
        with pytest.raises(ConfigError, match="stages have 2 and 3 in a step"):
            registry.build("strategies", LINEAR).apply(game)
        return
    registry.build("strategies", LINEAR).apply(game)
    game.start(torch.device("cpu"))
    assert used(game, "lr", 5)["generator"] == pytest.approx([0.1 * (1 - update / 10) for update in range(10)])
