"""Which discriminator the generator faces, by hand; what is stored, and that nothing changes it."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from gan_framework.core.contracts.networks import Discriminator
from gan_framework.core.pair import Meeting, Pair
from gan_framework.core.records import Batch, Latent
from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.strategies.feature_matching import FeatureMatching
from gan_zoo.strategies.k_step import KStep
from gan_zoo.strategies.split_discriminator import SplitDiscriminator
from gan_zoo.strategies.stored_discriminators import FaceTheBest, StoredDiscriminators
from gan_zoo.strategies.unrolled import Unrolled
from tests.helpers.resuming import difference, finish
from tests.helpers.small import Draws, small_game
from tests.zoo.schedules.test_simultaneous import bilinear


class Slope(Discriminator):
    """Its logit is its only parameter times the first coordinate."""

    def __init__(self):
        super().__init__()
        self.output = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.output.weight)

    def features(self, x, labels=None):
        return (x[:, :1],)


class Normed(Discriminator):
    """With batch norm and dropout: buffers and random numbers in every pass."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.output = nn.Linear(4, 1)

    def features(self, x, labels=None):
        return (self.inner(x),)


def stored(k, every, *others, discriminator=None, **settings):
    game = small_game(loss=NonSaturating(), start=False, **settings)
    if discriminator is not None:
        torch.manual_seed(5)
        game.networks["discriminator"] = discriminator()
    for strategy in (*others, *([StoredDiscriminators(k, every)] if k else [])):
        strategy.apply(game)
    game.start(torch.device("cpu"))
    return game


def store_of(game):
    (player,) = [player for player in map(game.player, game.players) if len(player.after_step)]
    return player.after_step[-1]


def slope(game, value):
    game.discriminator.output.weight.data.fill_(value)


def meeting(game, fake):
    return Meeting(main=Pair(game.judge("discriminator"), Batch(torch.zeros(len(fake), 2)), Latent(fake), fake))


@pytest.mark.parametrize(
    ("points", "slopes", "best"),
    [
        # The logits are slope * x, and the loss softplus(-slope * x): at x = 1 the smallest slope is the best, ...
        ([1.0], [3.0, -2.0, 0.5], -2.0),
        # ... at x = -1 the greatest, ...
        ([-1.0], [3.0, -2.0, 0.5], 3.0),
        # ... and for both points the mean loss is least for slope 0 and grows with |slope|.
        ([1.0, -1.0], [2.0, -3.0, 0.5], -3.0),
        ([1.0, -1.0], [2.0, -1.0, 4.0], 4.0),
    ],
)
def test_the_generator_faces_the_one_of_its_greatest_loss(points, slopes, best):
    game = stored(5, 1, discriminator=Slope)
    *before, now = slopes
    for value in before:
        slope(game, value)
        store_of(game)()
    slope(game, now)
    fake = torch.tensor([[x, 7.0] for x in points], requires_grad=True)
    losses = game.player("generator").evaluate(meeting(game, fake))
    x = torch.tensor(points)
    by_slope = {value: softplus(-value * x).mean() for value in slopes}
    assert max(by_slope, key=by_slope.get) == best
    torch.testing.assert_close(losses["adversarial"], by_slope[best])
    (gradient,) = torch.autograd.grad(losses["adversarial"], fake)
    torch.testing.assert_close(gradient[:, 0], -best * torch.sigmoid(-best * x) / len(x))
    assert not gradient[:, 1].any()
    assert game.discriminator.output.weight.item() == now


def test_a_copy_is_stored_every_so_many_updates_and_the_oldest_leaves():
    game = stored(2, 3, KStep(k=2, g_steps=1), discriminator=Slope)
    seen = []
    game.player("discriminator").optimizer.register_step_post_hook(
        lambda *_: seen.append(game.discriminator.output.weight.item())
    )
    store = store_of(game)
    for step, count in enumerate([0, 1, 2, 2, 2, 2, 2, 2], 1):  # two updates a step
        game.step(Draws())
        assert len(store.copies) == count, step
    found = [copy["discriminator"]["output.weight"].item() for copy in store.copies]
    assert len(seen) == 16 and found == [seen[11], seen[14]]


def test_until_one_is_stored_it_is_plain_training_to_the_bit():
    game, plain = stored(3, 100), stored(None, None)
    for each in (game, plain):
        torch.manual_seed(1)
        draws = Draws()
        each.losses = [each.step(draws) for _ in range(4)]
    assert all(torch.equal(a[name], b[name]) for a, b in zip(game.losses, plain.losses, strict=True) for name in a)
    assert all(torch.equal(a, b) for a, b in zip(game.parameters(), plain.parameters(), strict=True))


def test_facing_them_changes_neither_discriminators_nor_random_numbers():
    game = stored(3, 1, discriminator=Normed)
    torch.manual_seed(0)
    for _ in range(3):
        game.step(Draws())
    before = copy.deepcopy((store_of(game).copies, game.discriminator.state_dict()))
    (face,) = game.player("generator").look_aheads
    faced = game.meet(Draws()())
    state = torch.get_rng_state()
    face(faced)
    assert torch.equal(torch.get_rng_state(), state)
    copies, now = store_of(game).copies, game.discriminator.state_dict()
    assert all(torch.equal(now[name], value) for name, value in before[1].items())
    for ours, theirs in zip(copies, before[0], strict=True):
        assert "inner.1.running_mean" in ours["discriminator"]
        assert all(torch.equal(ours["discriminator"][name], value) for name, value in theirs["discriminator"].items())


def test_what_is_chosen_has_the_loss_it_was_chosen_for_though_the_judge_draws_random_numbers():
    game = stored(3, 1, discriminator=Normed)
    torch.manual_seed(0)
    for _ in range(4):
        game.step(Draws())
    (face,) = game.player("generator").look_aheads
    faced = game.meet(Draws()())
    torch.manual_seed(3)
    expected = max(face._loss(faced, state) for state in [face.store.current(), *face.store.copies])
    player = game.player("generator")
    torch.testing.assert_close(player.evaluate(faced)["adversarial"].detach(), expected)


@pytest.mark.parametrize("k", [2, 5])
def test_a_reloaded_game_goes_on_exactly(tmp_path, k):
    game = stored(k, 2, discriminator=Normed)
    torch.manual_seed(0)
    for _ in range(7):
        game.step(Draws())
    torch.save(game.state_dict(), tmp_path / "state.pt")
    resumed = stored(k, 2, discriminator=Normed)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for each in (game, resumed):
        torch.manual_seed(9)
        each.losses = [each.step(Draws()) for _ in range(4)]
    assert all(torch.equal(a[name], b[name]) for a, b in zip(game.losses, resumed.losses, strict=True) for name in a)
    assert all(torch.equal(a, b) for a, b in zip(game.parameters(), resumed.parameters(), strict=True))
    fewer = stored(1, 2, discriminator=Normed)
    fewer.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    (newest,) = store_of(fewer).copies
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    (kept,) = [value for name, value in saved.items() if "after_step" in name]
    assert torch.equal(newest["discriminator"]["output.weight"], kept["copies"][-1]["discriminator"]["output.weight"])


OWN = [
    *("model=mlp", "data.image_size=8", "strategy=[stored_discriminators]", "tracker=[]", "metrics=[]"),
    *(
        "strategy.stored_discriminators.k=2",
        "strategy.stored_discriminators.every=2",
        "optimizer=sgd",
        "optimizer.discriminator.lr=1",
    ),
    *("train.batch_size=16", "train.log_every=1", "train.sample_every=2", "train.checkpoint_every=100"),
]


def test_a_resumed_run_ends_as_one_that_was_not_interrupted(tmp_path, cache):
    for folder, steps in (("whole", (10,)), ("parts", (4, 6, 10))):
        for until in steps:
            code, output = finish(tmp_path / folder, *OWN, f"train.steps={until}")
            assert code == 0, output
        checkpoints = tmp_path / folder / "checkpoints"
        (checkpoints / "best.pt").write_bytes((checkpoints / "last.pt").read_bytes())  # nothing is scored
    assert difference(tmp_path / "whole", tmp_path / "parts") == []


def test_with_two_halves_a_copy_is_stored_once_both_are_updated():
    game = stored(3, 1, SplitDiscriminator(), discriminator=Slope)
    game.step(Draws())
    assert len(store_of(game).copies) == 1
    assert torch.equal(store_of(game).copies[0]["discriminator"]["output.weight"], game.discriminator.output.weight)


def test_feature_matching_beside_the_adversarial_loss_is_of_the_same_discriminator():
    game = stored(3, 1, FeatureMatching("add", 1.0, 0))
    for _ in range(3):
        assert {"generator/adversarial", "generator/feature_matching"} < set(game.step(Draws()))
    assert isinstance(game.player("generator").look_aheads[0], FaceTheBest)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Unrolled(1, 0.1), "unrolled and stored_discriminators both set the discriminator that the generator faces"),
        (
            FeatureMatching("replace", 1.0, 0),
            "feature_matching and stored_discriminators both set the adversarial loss",
        ),
    ],
)
def test_what_contradicts_it_is_refused(other, message):
    with pytest.raises(ConfigError, match=message):
        stored(2, 1, other)


def test_a_game_without_a_discriminator_and_numbers_below_one_are_refused():
    with pytest.raises(ConfigError, match="stored_discriminators has no effect on Bilinear"):
        StoredDiscriminators(2, 1).apply(bilinear(small_game().schedule))
    for settings, message in (((0, 1), "k=0"), ((1, 0), "every=0")):
        with pytest.raises(ValueError, match=message):
            StoredDiscriminators(*settings)
