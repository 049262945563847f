"""The gradient of a player is cut to a greatest norm, as torch cuts it."""

import copy

import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from tests.helpers.small import Draws, Halves, small_game

SHAPE = DataShape((1, 8, 8), 10)


def clipped_game(**clips):
    game = small_game(loss=NonSaturating(), start=False)
    game._clips |= clips
    game.start(torch.device("cpu"))
    return game


def gradients_by_torch(network, loss, clip):
    network.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
    return norm, [p.grad.clone() for p in network.parameters()]


@pytest.mark.parametrize("scale", [None, 2.0**16])
def test_a_step_follows_the_gradient_that_torch_clips(scale):
    """With and without the scaling of fp16, which has to be undone before."""
    game = clipped_game(generator=0.01)
    player, twin = game.player("generator"), copy.deepcopy(game.generator)
    if scale is not None:
        player.scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    torch.manual_seed(1)
    meeting = game.meet(Draws()())
    z = meeting["main"].latent.z
    loss = torch.nn.functional.softplus(-game.discriminator(twin(z)).logits).mean()
    norm, expected = gradients_by_torch(twin, loss, 0.01)
    assert norm > 0.02, "else nothing would be clipped"
    before = [p.detach().clone() for p in player.trained]
    player.play(meeting)
    for old, new, gradient in zip(before, player.trained, expected, strict=True):
        torch.testing.assert_close(new, old - 0.1 * gradient, rtol=0, atol=1e-7)
    assert player.gradient_norm().item() == pytest.approx(0.01, rel=1e-4)


def test_a_gradient_that_is_short_enough_is_left_as_it_is():
    plain, clipped = clipped_game(), clipped_game(generator=1e6)
    for game in (plain, clipped):
        torch.manual_seed(1)
        game.step(Draws())
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), clipped.parameters(), strict=True))


def test_each_player_has_its_own_and_others_none():
    game = clipped_game(generator=0.01)
    torch.manual_seed(1)
    game.step(Draws())
    assert game.player("generator").gradient_norm().item() == pytest.approx(0.01, rel=1e-4)
    assert game.player("discriminator").gradient_norm() > 0.1


def test_players_in_the_place_of_another_are_clipped_as_it_was():
    from gan_zoo.strategies.split_discriminator import SplitDiscriminator

    game = small_game(loss=Halves(), start=False)
    game._clips |= {"discriminator": 0.03}
    SplitDiscriminator().apply(game)
    game.start(torch.device("cpu"))
    game.step(Draws())
    for name in ("discriminator_real", "discriminator_fake"):
        assert game.player(name).gradient_norm().item() == pytest.approx(0.03, rel=1e-4)


@pytest.fixture
def build(compose):
    small = ("model=mlp", "debug=smoke", "data.image_size=8")
    return lambda *overrides: build_game(compose(*small, *overrides), SHAPE, torch.device("cpu"))


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_every_optimizer_has_the_setting(build, optimizer):
    game = build(f"optimizer={optimizer}", "optimizer.generator.clip=0.5")
    assert (game.player("generator").clip, game.player("discriminator").clip) == (0.5, None)


@pytest.mark.parametrize("clip", ["-1", "0", "loose", "[1]", "true", "nan"])
def test_what_is_no_norm_is_refused(build, clip):
    with pytest.raises(ConfigError, match=r"optimizer\.generator\.clip=.* must be a number above 0, or null"):
        build(f"optimizer.generator.clip={clip}")


def test_a_setting_that_there_is_not_is_refused(build):
    with pytest.raises(ConfigError, match=r"optimizer\.generator\.clipp.*clip"):
        build("optimizer.generator.clipp=1")
