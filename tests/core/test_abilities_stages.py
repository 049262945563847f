"""Stages: who is updated in which, where the next one begins, going on in the middle, and networks that stay."""

import pytest
import torch

from gan_framework.core import seeding
from gan_framework.core.game import Game
from gan_framework.core.player import Player
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.runs import diagnostics
from tests.core.abilities import Draws, experiment, flat, make, play, same_state, through_a_file
from tests.helpers.small import sgd

from gan_probe.layers import Dense, DenseJudge  # isort: skip

pytestmark = pytest.mark.usefixtures("probe")

THREE = [
    {"players": ["critic"], "until": 2},
    {"players": ["discriminator", "generator"], "updates": [2, 1], "until": 3},
    {"players": ["generator"]},
]
"""First a critic of its own, then the game with two steps of D, then G alone."""


class ThreePlayers(Game):
    """The plain game, and a critic who is trained by itself and then only helps."""

    def make_players(self):
        return [*super().make_players(), Player("critic", ("critic",), "discriminator", {"helper": "discriminator"})]

    def pairs(self, batch, latent):
        pair = self.pair(batch, latent)
        return {"main": pair, "helper": pair.judged_by(self.judge("critic"))}

    def start(self, *arguments):
        self.player("discriminator").objective = {"main": "discriminator"}
        self.player("generator").objective = {"main": "generator", "helper": "generator"}
        super().start(*arguments)


def stages(*settings):
    return registry.build("schedules", {"name": "stages", "stages": list(settings)})


def three(schedule=None, seed=0, optimizer=None):
    torch.manual_seed(seed)
    networks = {"generator": Dense(2, [3], 4, None)}
    networks |= {name: DenseJudge(3, 0, 4) for name in ("discriminator", "critic")}
    players = ("generator", "discriminator", "critic")
    adam = optimizer or (lambda parameters: torch.optim.Adam(parameters, lr=0.01))
    return make(ThreePlayers, networks, (3,), players=players, schedule=schedule or stages(*THREE), optimizer=adam)


def counts(game):
    return {name: game.player(name).updates for name in game.players}


def test_each_stage_updates_its_own_players_in_order():
    game, draws = three(), Draws()
    order = []
    for name in game.players:
        player = game.player(name)
        player.step = lambda total, meeting, name=name, step=player.step: (order.append(name), step(total, meeting))
    expected = [["critic"]] * 2 + [["discriminator", "discriminator", "generator"]] * 3 + [["generator"]] * 4
    for step, updated in enumerate(expected):
        weights = {name: flat(game.network(name)) for name in game.networks}
        assert diagnostics.reported(game)["train/schedule/stage"] == (step >= 2) + (step >= 5)
        play(game, draws, [step])
        assert order == updated
        order.clear()
        for name, before in weights.items():
            assert torch.equal(flat(game.network(name)), before) == (name not in updated)
    assert counts(game) == {"critic": 2, "discriminator": 6, "generator": 7}
    # One real batch in each step, and a fresh one for each further update of a player.
    assert draws.drawn == 2 + 3 * 2 + 4


def test_a_step_of_a_stage_is_the_one_written_out():
    """SGD on the losses by hand: two steps of D on two batches, then G on the first."""
    game = three(stages({"players": ["discriminator", "generator"], "updates": [2, 1]}), optimizer=sgd)
    twin = three(stages({"players": ["discriminator", "generator"]}), optimizer=sgd)
    draws = Draws()
    play(game, draws, [0])
    again = Draws()
    first, second = again(), again()

    def update(networks, value):
        parameters = [p for name in networks for p in twin.network(name).parameters()]
        for parameter, slope in zip(parameters, torch.autograd.grad(value, parameters), strict=True):
            parameter.data -= 0.1 * slope

    seeding.reseed(0, "step", 0)
    for batch in (first, second):
        fake = twin.generate(twin.latent_for(batch)).detach()
        judge = twin.network("discriminator")
        softplus = torch.nn.functional.softplus
        update(["discriminator"], softplus(-judge(batch.samples).logits).mean() + softplus(judge(fake).logits).mean())
    fake = twin.generate(twin.latent_for(first))
    judges = [twin.network(name) for name in ("discriminator", "critic")]
    update(["generator"], sum(softplus(-judge(fake).logits).mean() for judge in judges))
    for name in game.networks:
        torch.testing.assert_close(flat(game.network(name)), flat(twin.network(name)))


@pytest.mark.parametrize("killed", range(1, 9))
def test_killed_in_any_stage_it_goes_on_to_the_bit(killed):
    straight, draws = three(), Draws()
    play(straight, draws, range(killed))
    state, drawn = through_a_file(straight.state_dict()), draws.drawn
    expected = play(straight, draws, range(killed, 9))
    resumed = three(seed=1)
    assert not same_state(straight, resumed)
    resumed.load_state_dict(state)
    draws.drawn = drawn
    found = play(resumed, draws, range(killed, 9))
    assert same_state(straight, resumed)
    for a, b in zip(expected, found, strict=True):
        assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_condition_ends_a_stage_after_the_step_that_meets_it():
    bound = 1.2
    condition = {"loss": "critic/adversarial", "below": bound}
    game = three(stages({"players": ["critic"], "until": condition}, {"players": ["generator"]}))
    seen, batch = [], Draws()()
    for step in range(200):
        (measured,) = play(game, lambda: batch, [step])
        if "critic/adversarial" not in measured:
            break
        seen.append(measured["critic/adversarial"].item())
    assert len(seen) > 2 and seen[-1] < bound and all(value >= bound for value in seen[:-1])
    assert counts(game) == {"critic": len(seen), "discriminator": 0, "generator": 1}


def test_a_condition_may_have_a_greatest_number_of_steps():
    condition = {"loss": "critic/adversarial", "above": 1e9, "steps": 3}
    game = three(stages({"players": ["critic"], "until": condition}, {"players": ["generator"]}))
    play(game, Draws(), range(5))
    assert counts(game) == {"critic": 3, "discriminator": 0, "generator": 2}


def test_a_condition_on_what_is_not_measured_says_what_is():
    condition = {"loss": "critic/loss", "below": 1.0}
    game = three(stages({"players": ["critic"], "until": condition}, {"players": ["generator"]}))
    with pytest.raises(ConfigError, match="until.loss=critic/loss is not measured; there are critic/adversarial"):
        play(game, Draws(), range(1))


def test_a_helper_trained_in_the_first_stage_stays_and_still_helps():
    game, draws = three(), Draws()
    play(game, draws, range(2))
    helper, generator = flat(game.network("critic")), flat(game.generator)
    play(game, draws, range(2, 8))
    assert torch.equal(flat(game.network("critic")), helper) and not torch.equal(flat(game.generator), generator)


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings, message",
    [
        ([], "at least one stage"),
        ([{"updates": 1}], "a stage has players"),
        ([{"players": []}], "at least one"),
        ([{"players": ["generator"], "steps": 3}], "a stage has players"),
        ([{"players": ["generator"], "updates": 0}], "updates=0"),
        ([{"players": ["generator"], "updates": [1, 2]}], "one for each player"),
        ([{"players": ["generator"], "until": 3}], "until has no effect"),
        ([{"players": ["generator"]}, {"players": ["generator"]}], "needs `until`"),
        ([{"players": ["generator"], "until": 0}, {"players": ["generator"]}], "until=0"),
        ([{"players": ["generator"], "until": {"loss": "a/b"}}, {"players": ["generator"]}], "one of below and above"),
        (
            [{"players": ["generator"], "until": {"loss": "a/b", "below": "x"}}, {"players": ["generator"]}],
            "until.below='x'",
        ),
    ],
    ids=str,
)
def test_wrong_stages_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        stages(*settings)


def test_an_unknown_player_of_a_stage_is_refused_before_the_first_step(compose):
    options = ["schedule=stages", "schedule.stages=[{players:[discriminator],until:2},{players:[encoder]}]"]
    with pytest.raises(ConfigError, match=r"stages\[1\].players: the game has no player 'encoder'; its players"):
        experiment(compose, "probe_bigan", *options)


class Frozen(Game):
    """The plain game with a third network that nobody updates, which the generator is held near."""

    def pair(self, batch, latent):
        pair = super().pair(batch, latent)
        pair.made = {**pair.made, "helped": self.network("helper")(pair.fake)}
        return pair


def frozen(players=None, seed=0):
    torch.manual_seed(seed)
    helper = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3)).requires_grad_(False)
    networks = {"generator": Dense(2, [3], 4, None), "discriminator": DenseJudge(3, 0, 4), "helper": helper}
    game = type("Named", (Frozen,), {"make_players": players}) if players else Frozen
    return make(game, networks, (3,))


def test_a_frozen_helper_is_in_the_state_and_never_moves():
    game = frozen()
    before = {name: tensor.clone() for name, tensor in game.network("helper").state_dict().items()}
    play(game, Draws(), range(4))
    # Running statistics stay too: nobody trains the network, so nobody has it in training mode.
    assert len(before) == 7
    assert all(torch.equal(before[name], tensor) for name, tensor in game.network("helper").state_dict().items())
    other = frozen(seed=1)
    assert not torch.equal(flat(other.network("helper")), flat(game.network("helper")))
    other.load_state_dict(through_a_file(game.state_dict()))
    assert torch.equal(flat(other.network("helper")), flat(game.network("helper")))


@pytest.mark.parametrize("networks", [("helper",), ("generator", "helper")], ids=str)
def test_a_player_of_a_frozen_helper_is_refused(networks):
    def players(game):
        return [Game.make_players(game)[0], Player("generator", networks, "generator", "generator")]

    with pytest.raises(ConfigError, match="the player 'generator' has no parameters to update in helper"):
        frozen(players)
