"""Methods that change how players are updated, on x·y, where each is a linear map; and in a resumed run."""

import copy
import functools

import numpy as np
import pytest
import torch

from gan_framework.build import build_game, compile_networks
from gan_framework.core import distributed
from gan_framework.core.records import Batch, DataShape, Latent
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.optimistic import OptimisticSGD, optimistic_adam
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.schedules.consensus import Consensus
from gan_zoo.strategies.apa import APA
from gan_zoo.strategies.latent_optimisation import LatentOptimisation
from gan_zoo.strategies.lookahead import Lookahead
from gan_zoo.strategies.unrolled import Unrolled
from tests.helpers.independent import double_precision  # noqa: F401 (a fixture)
from tests.helpers.small import Draws, small_game

START = [1.0, 1.0]
STEPS = 100


@pytest.fixture(scope="module")
def bilinear(compose):
    composed = functools.cache(compose)

    def make(*options):
        return build_game(composed("experiment=bilinear", *options), DataShape((1,)), torch.device("cpu"))

    return make


def play(game, steps=STEPS):
    for _ in range(steps):
        game.step(lambda: Batch(torch.zeros(1, 1)))
    return game


def optimizer(name):
    rates = [f"optimizer.{player}.lr=0.1" for player in ("generator", "discriminator")]
    return [f"optimizer={name}", *rates]


RADII = {
    "simultaneous": (["schedule=simultaneous"], 2.3258606276),
    "alternating": (["schedule=alternating"], 1.3938795295),
    "optimistic": (["schedule=simultaneous", *optimizer("optimistic_sgd")], 0.8643622771),
    "extragradient": (["schedule=extragradient"], 0.8599397482),
    "from the past": (["schedule=extragradient", "schedule.past=true"], 0.8599852788),
    "consensus": (["schedule=consensus", "schedule.weight=1"], 0.0000693757),
    "consensus of one": (["schedule=consensus", "schedule.weight=1", "schedule.players=[discriminator]"], "of one"),
    "lookahead": (["schedule=simultaneous", "strategy=[lookahead]"], 0.9700390108),
    "lookahead alternating": (["schedule=alternating", "strategy=[lookahead]"], 0.7179572069),
    "lookahead, nested": (["schedule=simultaneous", "strategy=[lookahead]", "strategy.lookahead.outer=20"], None),
    "negative momentum": (["schedule=alternating", *optimizer("heavy_ball")], 1.2131183097),
}


@pytest.mark.parametrize("method", RADII)
def test_the_distance_from_the_equilibrium_after_a_hundred_steps(bilinear, method):
    options, radius = RADII[method]
    game = play(bilinear(*options))
    assert game.path[0].tolist() == START
    expected = radius if isinstance(radius, float) else {None: nested, "of one": consensus_of_one}[radius]()
    assert game.path[-1].norm().item() == pytest.approx(expected, abs=1e-9)


def consensus_of_one():
    """The radius where D alone, x, lowers ½ (x² + y²) too."""
    return np.linalg.norm(np.linalg.matrix_power(np.array([[1 - 0.1, -0.1], [0.1, 1]]), STEPS) @ START)


def nested():
    """The radius of simultaneous steps of which each fifth returns half of its way, and each twentieth once more."""
    fast = slow = slower = np.array(START)
    for step in range(1, STEPS + 1):
        x, y = fast
        fast = np.array([x - 0.1 * y, y + 0.1 * x])
        if step % 5 == 0:
            fast = slow = (slow + fast) / 2
        if step % 20 == 0:
            fast = slow = slower = (slower + slow) / 2
    return np.linalg.norm(fast)


@pytest.mark.parametrize("method", RADII)
def test_a_game_goes_on_from_its_state(bilinear, method):
    options, _ = RADII[method]
    game = play(bilinear(*options), 7)
    state = copy.deepcopy(game.state_dict())
    other = play(bilinear(*options), 2)
    other.load_state_dict(state)
    assert torch.equal(play(other, 6).path, play(game, 6).path)


def test_optimistic_adam():
    parameter = torch.nn.Parameter(torch.zeros(1))
    adam = optimistic_adam([parameter], 0.1, [0.5, 0.9], 1e-8, 0.0)
    places = []
    for gradient in (1.0, -0.5, 0.25):
        parameter.grad = torch.tensor([gradient])
        adam.step()
        places.append(parameter.item())
    assert places == pytest.approx([-0.2, -0.1, -0.1448966896], abs=1e-8)


def test_optimistic_steps_are_those_of_the_optimizer_twice_less_the_last():
    plain, optimistic = (torch.nn.Parameter(torch.zeros(3)) for _ in range(2))
    sgd, twice = torch.optim.SGD([plain], 0.1), OptimisticSGD([optimistic], 0.1)
    random = np.random.default_rng(0)
    expected, last = np.zeros(3), np.zeros(3)
    for _ in range(4):
        gradient = random.normal(size=3)
        # The same tensor each time, as backward passes fill it.
        plain.grad = optimistic.grad = torch.tensor(gradient)
        sgd.step()
        twice.step()
        expected += -2 * 0.1 * gradient + 0.1 * last
        last = gradient
    assert optimistic.detach().numpy() == pytest.approx(expected)


def test_extragradient_uses_a_fresh_batch_and_leaves_no_step_ahead_behind(bilinear):
    game = bilinear("schedule=extragradient")
    batches = []

    def next_batch():
        batches.append(1)
        return Batch(torch.zeros(1, 1))

    game.step(next_batch)
    assert len(batches) == 2
    # x ← x - η (y + η x), y ← y + η (x - η y).
    assert game.path[-1].tolist() == pytest.approx([1 - 0.1 * 1.1, 1 + 0.1 * 0.9])


def test_what_one_player_makes_of_its_pairs_is_not_what_the_other_sees_in_consensus():
    game = small_game(registry.build("losses", {"name": "relativistic"}), Consensus(1.0), start=False)
    APA(0.6, 4, 1000.0).apply(game)
    game.start(torch.device("cpu"))
    game.player("discriminator").term("apa").share.p.fill_(1.0)  # all of D's real samples are generated
    measured = game.step(Draws(4))
    assert measured["discriminator/adversarial"].item() == pytest.approx(np.log(2))
    assert measured["generator/adversarial"].item() != pytest.approx(np.log(2), abs=1e-4)
    assert {"real", "fake"} <= measured.keys()


def test_processes_lower_the_norm_of_the_whole_batchs_gradient(monkeypatch):
    """The mean of what two halves do, told the mean of their gradients, is what is done with the whole batch."""
    samples, z = torch.randn(8, 2), torch.randn(8, 3)

    def played(part):
        game = small_game(NonSaturating(), Consensus(1.0))
        monkeypatch.setattr(game, "latent_for", lambda batch: Latent(z[part]))
        measured = game.step(lambda: Batch(samples[part]))
        return measured["consensus"], [g for name in game.players for g in game.player(name).gradients]

    of_whole = []
    monkeypatch.setattr(distributed, "mean", lambda value: of_whole.append(value) or value)
    expected = played(slice(8))
    found = []
    for part in (slice(4), slice(4, 8)):
        told = iter(of_whole)
        monkeypatch.setattr(distributed, "mean", lambda value, told=told: next(told))
        found.append(played(part))
    assert found[0][0] == found[1][0] == expected[0]
    for *halves, whole in zip(found[0][1], found[1][1], expected[1], strict=True):
        torch.testing.assert_close((halves[0] + halves[1]) / 2, whole)


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (LatentOptimisation(0.9, 0.1, True, 0.0, share=1.0, bound=None, steps=1), "latent_optimisation those of steps"),
        (Unrolled(1, 0.1), "unrolled those of steps ahead"),
    ],
)
def test_consensus_refuses_steps_ahead_that_are_differentiated_too(strategy, said):
    game = small_game(NonSaturating(), Consensus(1.0), start=False)
    strategy.apply(game)
    with pytest.raises(ConfigError, match=f"schedule=consensus.*{said}"):
        game.start(torch.device("cpu"))


def test_lookahead_is_as_its_schedule_is():
    for schedule, as_it_is in ((Alternating(1, 1, True), (True, False)), (Consensus(1.0), (False, True))):
        game = small_game(NonSaturating(), schedule, start=False)
        Lookahead(5, 0.5).apply(game)
        assert (game.schedule.accumulates, game.schedule.differentiates_twice) == as_it_is
    with pytest.raises(ConfigError, match="train.compile=true cannot go with the schedule DrawBack"):
        compile_networks(game)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["schedule=consensus", "schedule.weight=0"], "weight=0"),
        (["schedule=consensus", "schedule.players=[critic]"], "no player 'critic'"),
        (["strategy=[lookahead]", "strategy.lookahead.k=0"], "k=0"),
        (["strategy=[lookahead]", "strategy.lookahead.alpha=1"], "alpha=1"),
        (["strategy=[lookahead]", "strategy.lookahead.outer=7"], "outer=7.*multiple of k=5"),
        (["optimizer=heavy_ball", "optimizer.generator.momentum=1.5"], "momentum=1.5"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(bilinear, options, said):
    with pytest.raises(ConfigError, match=said):
        bilinear(*options)
