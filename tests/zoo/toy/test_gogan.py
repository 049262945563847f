"""GoGAN's stages: what is copied when, and the ranking against it."""

import numpy as np
import pytest
import torch

from gan_framework.core.game import Components
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.games.gogan import GoGAN
from gan_zoo.losses.margin_pair import MarginPair
from gan_zoo.schedules.alternating import Alternating
from gan_zoo.strategies.spectral_norm import SpectralNorm
from gan_zoo.terms.stage_ranking import StageRanking
from tests.helpers.independent import Critic, finite_differences, image_game, images


def gang(stage_steps=2, stages=3, start=True):
    base = image_game(start=False)
    components = Components(
        data=DataShape((1, 2, 2)),
        networks=dict(base.networks),
        schedule=Alternating(d_steps=2, g_steps=1, share_fakes=True),
        prior=base.prior,
        loss=MarginPair(1.0),
        optimizers=base.optimizers,
    )
    game = GoGAN(components, stage_steps, stages)
    game.player("discriminator").add_term("stage_ranking", StageRanking(1.0), 0.5)
    if start:
        game.start(torch.device("cpu"))
    return game


def weights(game, name):
    return torch.cat([parameter.detach().flatten().clone() for parameter in game.network(name).parameters()])


def test_copies_are_those_of_the_end_of_the_last_stage():
    game = gang()
    before = {name: weights(game, name) for name in ("generator", "discriminator")}
    stages = []
    for step in range(1, 8):
        stages.append(int(game.step(images)["stage"]))
        now = {name: weights(game, name) for name in before}
        if step in (2, 4):
            before = now
        for name, expected in before.items():
            assert torch.equal(weights(game, f"{name}_before"), expected), (step, name)
            assert not torch.equal(weights(game, name), expected) or step in (2, 4)
    assert stages == [1, 2, 2, 3, 3, 3, 3]  # the last has no end


def test_the_ranking_on_the_example():
    real, before, margin = np.array([1.0, -0.5]), np.array([0.1, -0.2]), 1.0
    # The numbers of section 4.3: the margin loss and half of the ranking.
    assert 0.1 + 0.5 * np.maximum(before + 2 * margin - real, 0).mean() == pytest.approx(0.95)


def test_the_ranking_and_its_gradient():
    game = gang()
    for _ in range(2):
        game.step(images)
    for parameter in game.discriminator.parameters():
        parameter.data.mul_(1.3)
    player = game.player("discriminator")
    pair = game.meet(images())["main"]
    term = player.term("stage_ranking")
    value = term(pair, player)
    critic = Critic(game)
    last = game.network("generator_before")(pair.latent.z)
    scores = game.network("discriminator_before")(last).logits.detach().numpy()

    def ranking(values):
        return np.maximum(scores + 2 - critic.score(values, pair.real.numpy()).ravel(), 0).mean()

    assert value.item() == pytest.approx(ranking(critic.values))
    assert value.item() > 0
    np.testing.assert_allclose(critic.gradient_of(value), finite_differences(ranking, critic.values), atol=1e-8)
    assert player.evaluate(game.meet(images()))["stage_ranking"].item() > 0


def test_the_first_stage_has_no_ranking():
    game = gang()
    assert game.player("discriminator").evaluate(game.meet(images()))["stage_ranking"].item() == 0


def test_a_resumed_gang_goes_on_as_it_would_have():
    game = gang()
    torch.manual_seed(1)
    for _ in range(3):
        game.step(images)
    resumed = gang()
    resumed.load_state_dict(game.state_dict())
    for played in (game, resumed):
        torch.manual_seed(2)
        played.step(images)
    assert all(
        torch.equal(a, b)
        for a, b in zip(game.state_dict().values(), resumed.state_dict().values(), strict=True)
        if isinstance(a, torch.Tensor)
    )
    assert int(resumed.stage) == 3


def test_copies_have_what_strategies_put_into_the_networks():
    game = gang(start=False)
    registry.build("strategies", {"name": "spectral_norm"}).apply(game)
    game.start(torch.device("cpu"))
    for _ in range(3):
        game.step(images)
    assert isinstance(registry.build("strategies", {"name": "spectral_norm"}), SpectralNorm)
    assert int(game.stage) == 2


def test_stages_that_are_not_there_are_refused():
    game = image_game(start=False)
    game.player("discriminator").add_term("stage_ranking", StageRanking(1.0))
    with pytest.raises(ConfigError, match="stage_ranking ranks the stages of game=gogan, and the game is Game"):
        game.start(torch.device("cpu"))
    game = gang(start=False)
    game.player("generator").add_term("stage_ranking", StageRanking(1.0))
    with pytest.raises(ConfigError, match="stage_ranking has no effect on a player that does not update the disc"):
        game.start(torch.device("cpu"))
    for settings in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="must be at least 1"):
            gang(*settings)
    with pytest.raises(ValueError, match="margin=0"):
        StageRanking(0.0)
