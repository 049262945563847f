"""A batch that goes through the networks in parts moves the players as the whole batch does."""

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.build import start as start_game
from gan_framework.core.contracts.term import Term
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.strategies.unrolled import Unrolled
from gan_zoo.terms.zero_centered import R1, R2
from tests.helpers.small import Draws, small_game

SHAPE = DataShape((1, 8, 8), 10)


class Counting(Term):
    """Counts how often it is computed and told of an update."""

    def __init__(self):
        super().__init__()
        self.computed = self.told = 0

    def forward(self, pair, player):
        self.computed += 1
        return pair.fake_output.logits.square().mean()

    def after_update(self, pair, player):
        self.told += 1


def divided(parts, share_fakes=True, d_steps=1, penalised=False, clips=None):
    schedule = Alternating(d_steps=d_steps, g_steps=2, share_fakes=share_fakes)
    game = small_game(loss=NonSaturating(), schedule=schedule, start=False)
    game.accumulate = parts
    for name in game.players:
        game.player(name).add_term("counting", Counting(), 0.3)
    if penalised:
        game.player("discriminator").add_term("r1", R1(), 2.0)
        game.player("discriminator").add_term("r2", R2(), 0.5)
    game._clips |= clips or {}
    start_game(game, torch.device("cpu"))
    game.discriminator.calls = game.generator.calls = 0
    return game


def play(game, n=8, steps=2):
    draws, measured = Draws(n), []
    for step in range(steps):
        torch.manual_seed(step)
        measured.append(game.step(draws))
    return measured


@pytest.mark.parametrize("parts", [2, 4, 8])
@pytest.mark.parametrize("share_fakes", [True, False])
def test_parts_are_the_batch(parts, share_fakes):
    whole, game = (divided(k, share_fakes, d_steps=2, penalised=True) for k in (1, parts))
    expected, found = play(whole), play(game)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for name in theirs:
            torch.testing.assert_close(ours[name], theirs[name], rtol=1e-5, atol=1e-6, msg=name)
    for name in game.players:
        for ours, theirs in zip(game.player(name).gradients, whole.player(name).gradients, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
    for ours, theirs in zip(game.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_one_part_at_a_time_goes_through_the_networks():
    game = divided(4)
    sizes = {name: [] for name in game.networks}
    for name, network in game.networks.items():
        network.register_forward_pre_hook(lambda _, inputs, name=name: sizes[name].append(len(inputs[0])))
    play(game, n=8, steps=1)
    assert set(sizes["generator"]) == {2}
    assert set(sizes["discriminator"]) == {2, 4}  # real and generated samples of a part together, or one side


def test_players_take_one_step_and_are_told_of_it_once():
    game = divided(4)
    steps = dict.fromkeys(game.players, 0)
    for name in game.players:
        game.player(name).optimizer.register_step_post_hook(
            lambda *_, name=name: steps.__setitem__(name, steps[name] + 1)
        )
    play(game, steps=3)
    assert steps == {"discriminator": 3, "generator": 6}
    for name, count in steps.items():
        term = game.player(name).term("counting")
        assert (game.player(name).updates, term.told, term.computed) == (count, count, 4 * count)


def test_the_gradient_that_is_clipped_is_the_whole_batchs():
    whole, game = (divided(k, clips={"generator": 0.01, "discriminator": 0.02}) for k in (1, 4))
    play(whole), play(game)
    assert game.player("generator").gradient_norm().item() == pytest.approx(0.01, rel=1e-4)
    for ours, theirs in zip(game.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_a_look_ahead_is_of_each_part():
    game = small_game(loss=NonSaturating(), start=False)
    game.accumulate = 2
    Unrolled(2, 0.1).apply(game)
    start_game(game, torch.device("cpu"))
    sizes = []
    game.player("generator").look_aheads.append(lambda meeting: sizes.append(len(meeting["main"].real)) or meeting)
    assert all(torch.isfinite(value).all() for value in game.step(Draws(8)).values())
    assert sizes == [4, 4]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["schedule=simultaneous"], r"train\.accumulate=2 .* Simultaneous compares whole.*schedule=alternating"),
        (["strategy=[loss_gated]"], r"train\.accumulate=2 .* LossGatedSchedule compares whole"),
    ],
)
def test_schedules_that_compare_whole_batches_are_refused(compose, overrides, message):
    config = compose("model=mlp", "debug=smoke", "data.image_size=8", "train.accumulate=2", *overrides)
    with pytest.raises(ConfigError, match=message):
        build_game(config, SHAPE, torch.device("cpu"))


def test_strategies_that_keep_the_schedule_are_not(compose):
    config = compose("model=mlp", "debug=smoke", "data.image_size=8", "train.accumulate=2", "strategy=[k_step,ema]")
    assert build_game(config, SHAPE, torch.device("cpu")).accumulate == 2
