"""Chekhov GAN's two queues: what each side faces, when it changes, and what of it is the simultaneous game."""

import pytest
import torch
from torch import nn

from gan_framework.core.contracts.networks import Generator
from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.schedules.simultaneous import Simultaneous
from gan_zoo.strategies.feature_matching import FeatureMatching
from gan_zoo.strategies.historical_averaging import HistoricalAveraging
from gan_zoo.strategies.history import History, HistoryStrategy
from gan_zoo.strategies.latent_optimisation import LatentOptimisation
from gan_zoo.strategies.pretrain_discriminator import PretrainDiscriminator
from gan_zoo.strategies.unrolled import Unrolled
from gan_zoo.terms.zero_centered import R1
from tests.helpers.small import Draws, small_game


class Normed(Generator):
    """With batch norm: buffers that change in every pass."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))

    def forward(self, z, labels=None):
        return self.layers(z)


def build(states=1, every=1, growth=1.0, weight=0.0, *, schedule=None, history=True, generator=None, terms=()):
    game = small_game(loss=NonSaturating(), start=False, schedule=schedule)
    if generator is not None:
        torch.manual_seed(5)
        game.networks["generator"] = generator()
    for name, term in terms:
        game.player("discriminator").add_term(name, term)
    if history:
        HistoryStrategy(states, every, growth, weight).apply(game)
    game.start(torch.device("cpu"))
    return game


def play(game, steps):
    draws = Draws(6)
    measured = []
    for step in range(steps):
        torch.manual_seed(step)
        measured.append(game.step(draws))
    return measured


def weights(game):
    return torch.cat([parameter.detach().flatten() for parameter in game.networks.parameters()])


def history_of(game):
    return game.openings[-1]


@pytest.mark.parametrize("generator", [None, Normed])
def test_one_state_stored_in_every_step_is_the_simultaneous_game(generator):
    past, game = build(generator=generator), build(history=False, schedule=Simultaneous(), generator=generator)
    for measured in zip(play(past, 4), play(game, 4), strict=True):
        for name in ("discriminator/adversarial", "generator/adversarial"):
            assert measured[0][name].item() == pytest.approx(measured[1][name].item(), rel=1e-5)
    torch.testing.assert_close(weights(past), weights(game))
    assert not torch.allclose(weights(game), weights(build(history=False, generator=generator)))


def test_what_d_says_of_the_newest_state_is_measured():
    game = build(states=3, every=2)
    play(game, 2)
    past = history_of(game).copies[0]["generator"]
    measured = play(game, 1)[0]
    assert measured["real"].shape == measured["fake"].shape == (6,)
    game = build(states=3, every=2)
    play(game, 3)
    torch.manual_seed(0)
    pair = game.meet(_batch())["main"].detached()
    said = game.player("discriminator").look_aheads[0]({"main": pair})
    newest = torch.func.functional_call(game.generator, history_of(game).copies[0]["generator"], (pair.latent.z,))
    torch.testing.assert_close(said["main"].fake, newest)
    torch.testing.assert_close(pair.fake_output.logits, game.discriminator(newest).logits)
    torch.testing.assert_close(pair.real_output.logits, game.discriminator(pair.real).logits)
    assert all(one.real_output is pair.real_output for one in said.values())
    assert not torch.equal(past["layer.weight"], history_of(game).copies[0]["generator"]["layer.weight"])


def test_it_is_not_the_alternating_game():
    past, game = build(), build(history=False)
    play(past, 4)
    play(game, 4)
    assert not torch.allclose(weights(past), weights(game))


def faced(game, name):
    """The gradient of a player's loss in one meeting."""
    torch.manual_seed(9)
    meeting = game.meet(_batch())
    player = game.player(name)
    losses = player.evaluate(meeting if name == "generator" else meeting.detached())
    assert [*losses] == ["adversarial"]
    return losses["adversarial"].item(), torch.autograd.grad(losses["adversarial"], player.trained)


@pytest.mark.parametrize("name", ["discriminator", "generator"])
def test_many_copies_of_one_state_are_one(name):
    one, many = build(1), build(5)
    for game in (one, many):
        for _ in range(5):
            history_of(game)(game, None)
    assert (len(history_of(one).copies), len(history_of(many).copies)) == (1, 5)
    (value, gradient), (expected, expected_gradient) = faced(many, name), faced(one, name)
    assert value == pytest.approx(expected, rel=1e-6)
    for found, wanted in zip(gradient, expected_gradient, strict=True):
        torch.testing.assert_close(found, wanted)


def test_losses_are_means_over_the_stored_states():
    game = build(3)
    values = {"discriminator": [], "generator": []}
    for step in range(3):
        history_of(game)(game, None)
        with torch.no_grad():
            for parameter in game.networks.parameters():
                parameter.add_(0.3 * (step + 1))
    copies = history_of(game).copies
    for copy in copies:
        history_of(game).copies = [copy]
        for name, of_name in values.items():
            of_name.append(faced(game, name)[0])
    history_of(game).copies = copies
    for name, of_name in values.items():
        assert len(set(of_name)) == 3
        assert faced(game, name)[0] == pytest.approx(sum(of_name) / 3, rel=1e-6)


def test_states_are_stored_at_growing_distances_and_the_oldest_goes():
    game = build(states=2, every=2, growth=1.5)
    states, changes = [], []
    for step in range(12):
        before = weights(game)
        play(game, 1)
        newest = torch.cat(
            [
                value.flatten()
                for network in ("generator", "discriminator")
                for key, value in history_of(game).copies[0][network].items()
            ]
        )
        if not states or not torch.equal(newest, states[-1]):
            changes.append(step)
            states.append(newest)
            assert newest.sum().item() == pytest.approx(before.sum().item(), rel=1e-5)
    assert changes == [0, 2, 5, 9]  # after 2, 3 and 4.5 steps
    assert len(history_of(game).copies) == 2


def test_nothing_done_by_a_past_network_changes_it_or_the_present_one():
    game = build(states=2, generator=Normed)
    play(game, 3)
    copies = [
        {name: {k: v.clone() for k, v in of.items()} for name, of in copy.items()} for copy in history_of(game).copies
    ]
    before = {name: value.clone() for name, value in game.generator.named_buffers()}
    pair = game.meet(_batch())["main"].detached()
    seen = {name: value.clone() for name, value in game.generator.named_buffers()}
    assert not torch.equal(seen["layers.1.running_mean"], before["layers.1.running_mean"])
    game.player("discriminator").evaluate(type(game.meet(_batch()))({"main": pair}))
    for copy, kept in zip(history_of(game).copies, copies, strict=True):
        for name, of in copy.items():
            for key, value in of.items():
                assert torch.equal(value, kept[name][key])


def _batch():
    return Draws(6)()


def test_a_resumed_game_goes_on_as_it_would_have():
    game = build(states=2, every=2)
    play(game, 3)
    resumed = build(states=2, every=2)
    resumed.load_state_dict(game.state_dict())
    play(game, 2)
    play(resumed, 2)
    assert torch.equal(weights(game), weights(resumed))


def test_the_norm_diminishes_with_the_root_of_the_steps():
    game = build(weight=0.5)
    for step in range(1, 4):
        squares = game.player("generator").trained
        before = sum(parameter.detach().square().sum().item() for parameter in squares)
        measured = play(game, 1)[0]
        assert measured["generator/history_norm"].item() == pytest.approx(0.5 * before / step**0.5, rel=1e-5)
    assert "discriminator/history_norm" in measured


def test_terms_see_the_newest_state_alone():
    measured = play(build(states=3, terms=[("r1", R1())]), 4)[-1]
    assert {name for name in measured if "r1" in name} == {"discriminator/r1"}


def test_what_it_cannot_average_is_refused():
    for other in (Unrolled(1, 0.1), FeatureMatching("replace", 1.0, 0)):
        game = small_game(loss=NonSaturating(), start=False)
        other.apply(game)
        with pytest.raises(ConfigError, match="(unrolled|feature_matching) and history both set the"):
            HistoryStrategy(2, 1, 1.0, 0.0).apply(game)
    for settings, name in (((0, 1, 1.0, 0.0), "states"), ((1, 0, 1.0, 0.0), "every")):
        with pytest.raises(ValueError, match=f"{name}=0"):
            HistoryStrategy(*settings)
    with pytest.raises(ValueError, match="growth=0.5"):
        HistoryStrategy(1, 1, 0.5, 0.0)
    with pytest.raises(ValueError, match="weight=-1"):
        HistoryStrategy(1, 1, 1.0, -1.0)


def test_several_updates_in_a_step_face_the_same_states():
    game = build(states=1, schedule=Alternating(d_steps=3, g_steps=2, share_fakes=True))
    play(game, 3)
    assert history_of(game).steps == 3
    assert (game.player("discriminator").updates, game.player("generator").updates) == (9, 6)


@pytest.mark.parametrize("first", [True, False])
def test_the_first_state_is_that_before_the_first_step_of_both_sides(first):
    game, strategies = small_game(loss=NonSaturating(), start=False), [HistoryStrategy(2, 1, 1.0, 0.0)]
    strategies.insert(first, PretrainDiscriminator(3))
    for strategy in strategies:
        strategy.apply(game)
    game.start(torch.device("cpu"))
    untrained = game.discriminator.output.weight.clone()
    torch.manual_seed(0)
    game.step(Draws(6))
    (history,) = (opening for opening in game.openings if isinstance(opening, History))
    (copy,) = history.copies
    assert game.player("discriminator").updates == 4
    assert not torch.equal(copy["discriminator"]["output.weight"], untrained)


@pytest.mark.parametrize("later", [True, False])
def test_a_strategys_terms_are_counted_once_wherever_it_stands(later):
    """The present parameters alone are averaged, so nothing is paid, and K past states ask for it no more often."""
    game, own = small_game(loss=NonSaturating(), start=False), HistoricalAveraging(None, 1.0)
    history = HistoryStrategy(3, 1, 1.0, 0.0)
    for strategy in (history, own) if later else (own, history):
        strategy.apply(game)
    game.start(torch.device("cpu"))
    before = [weights(game)]
    for _ in range(4):
        measured = play(game, 1)[0]
        before.append(weights(game))
    assert {name for name in measured if "averaging" in name} == {
        "discriminator/historical_averaging",
        "generator/historical_averaging",
    }
    apart = (before[3] - torch.stack(before[:4]).mean(0)).square().sum().item()
    paid = sum(measured[f"{name}/historical_averaging"].item() for name in game.players)
    assert paid == pytest.approx(apart, rel=1e-4)


def test_latents_that_are_moved_and_past_generators_are_refused_together():
    strategies = HistoryStrategy(2, 1, 1.0, 0.0), LatentOptimisation(0.9, 0.1, True, 0.0, 1.0, None, 1)
    for first, second in (strategies, strategies[::-1]):
        game = small_game(loss=NonSaturating(), start=False)
        first.apply(game)
        with pytest.raises(ConfigError, match="both set the generated samples that the discriminator faces"):
            second.apply(game)
