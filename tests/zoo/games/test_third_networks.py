"""Games with further networks beside D and G: Dist-GAN's encoder, VRAL's judges of scores, DAN's judge of batches."""

import functools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gan_framework.build import build_game
from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_zoo.games.dist_gan import FeatureReconstruction, LatentDistance, MeanScoreDistance
from gan_zoo.games.variance_regularised import SeemsReal, SpreadsScores, TellsScores
from tests.helpers.independent import finite_differences

SHAPE = DataShape((1, 8, 8), 10)
SMALL = ["data.image_size=8", "debug=smoke", "prior.dim=3"]
NARROW = [*SMALL, "networks.generator.width=2", "networks.discriminator.width=2"]


@pytest.fixture(scope="module")
def game(compose):
    composed = functools.cache(compose)
    return lambda *overrides: build_game(composed(*overrides), SHAPE, torch.device("cpu"))


def batch(n=8):
    return Batch(torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1, torch.arange(n) % 10)


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def pair(real=((0.0,),), fake=((0.0,),), z=None, code=None):
    """A pair whose judge reports samples as features, and their sums as scores."""
    real, fake = (x if isinstance(x, torch.Tensor) else tensor(x) for x in (real, fake))

    def judge(x, labels=None, *given):
        return DiscriminatorOutput(x.sum(1), (x,))

    made = {} if code is None else {"code": tensor(code)}
    return Pair(judge, Batch(real), Latent(tensor(z or [[0.0]])), fake, made=made)


# -- Dist-GAN --------------------------------------------------------------------------------------

PHI_X, PHI_R, PHI_G = [[1.0, 2.0], [0.0, -1.0]], [[0.5, 2.0], [1.0, 0.0]], [[0.0, 1.0], [2.0, 2.0]]


def test_what_the_autoencoder_pays():
    assert FeatureReconstruction()(pair(PHI_X, PHI_R), None).item() == pytest.approx((0.25 + 0 + 1 + 1) / 4)
    code, z = [[0.5], [1.5]], [[0.0], [-1.0]]
    apart = np.mean(np.array(PHI_R) - np.array(PHI_G)) - math.sqrt(1 / 2) * np.mean(np.array(code) - np.array(z))
    assert LatentDistance()(pair(PHI_R, PHI_G, z, code), None).item() == pytest.approx(apart**2)


def test_the_distance_of_latents_is_scaled_by_the_sizes():
    """The factor is √(dim z / dim φ): 0.125 for 2 and 128."""
    one = pair(
        torch.zeros(1, 128, dtype=torch.float64), torch.zeros(1, 128, dtype=torch.float64), [[0.0, 0.0]], [[3, 5]]
    )
    assert LatentDistance()(one, None).item() == pytest.approx((0.125 * 4) ** 2)


def test_the_gradients_of_what_the_autoencoder_and_the_generator_pay():
    fake = tensor(PHI_G).requires_grad_()
    (gradient,) = torch.autograd.grad(LatentDistance()(pair(PHI_R, fake, [[0.0]] * 2, [[1.0]] * 2), None), fake)

    def distance(values):
        return (np.mean(np.array(PHI_R) - values) - math.sqrt(1 / 2)) ** 2

    assert gradient.numpy() == pytest.approx(finite_differences(distance, PHI_G), abs=1e-7)
    (gradient,) = torch.autograd.grad(MeanScoreDistance()(pair(PHI_X, fake), None), fake)

    def sigmoid(x):
        return 1 / (1 + np.exp(-np.array(x).sum(1)))

    def scores(values):
        return abs(sigmoid(PHI_X).mean() - sigmoid(values).mean())

    assert MeanScoreDistance()(pair(PHI_X, PHI_G), None).item() == pytest.approx(scores(np.array(PHI_G)))
    assert gradient.numpy() == pytest.approx(finite_differences(scores, PHI_G), abs=1e-7)


@pytest.fixture(scope="module")
def dist_gan(game):
    return game("experiment=dist_gan", *NARROW, "networks.encoder.hidden=[6]")


def test_the_discriminator_takes_reconstructions_for_real_a_little(dist_gan):
    meeting = dist_gan.meet(batch()).detached()
    found = dist_gan.player("discriminator").evaluate(meeting)["adversarial"]
    real, made, decoded = (
        dist_gan.discriminator(x).logits for x in (batch().samples, meeting["main"].fake, meeting["reconstructed"].real)
    )
    expected = 0.95 * F.softplus(-real).mean() + 0.05 * F.softplus(-decoded).mean() + F.softplus(made).mean()
    torch.testing.assert_close(found, expected)


def test_each_player_of_dist_gan_updates_its_own(dist_gan):
    def weights():
        return {name: p.detach().clone() for name, p in dist_gan.networks.named_parameters()}

    for player, networks in (
        ("discriminator", {"discriminator"}),
        ("generator", {"generator"}),
        ("autoencoder", {"encoder", "generator"}),
    ):
        before = weights()
        dist_gan.player(player).play(dist_gan.meet(batch()))
        changed = {name.split(".")[0] for name, value in weights().items() if not torch.equal(value, before[name])}
        assert changed == networks
    assert dist_gan.code_of(batch().samples).shape == (8, 3)


def test_dist_gan_without_latents_is_refused(game):
    with pytest.raises(ConfigError, match="game=dist_gan compares codes with latents"):
        game(
            "experiment=dist_gan",
            *NARROW[:2],
            *NARROW[3:],
            "prior=null",
            "networks.generator.latent_dim=3",
            "networks.encoder.outputs=[3]",
        )


# -- VRAL ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vral(game):
    return game("experiment=vral", *NARROW)


def taken_for(game, network, scores):
    return game.network(network)(scores[:, None]).squeeze(1)


def test_what_players_pay_by_what_is_said_of_scores(vral):
    meeting = vral.meet(batch())
    real, fake = (said.logits for said in meeting["main"].outputs)
    spread = (
        F.softplus(-taken_for(vral, "meta_real", real)).mean() + F.softplus(-taken_for(vral, "meta_fake", fake)).mean()
    )
    torch.testing.assert_close(vral.player("discriminator").evaluate(meeting), {"scores": spread})
    seems = F.softplus(-taken_for(vral, "meta_real", fake)).mean()
    torch.testing.assert_close(vral.player("generator").evaluate(meeting), {"scores": seems})


@pytest.mark.parametrize(("side", "mean"), [("real", 1.0), ("fake", -1.0)])
def test_a_judge_of_scores_tells_them_from_draws(vral, side, mean):
    pair = vral.meet(batch())["main"]
    scores = getattr(pair, f"{side}_output").logits
    torch.manual_seed(3)
    draws = mean + 0.5 * torch.randn(8)
    torch.manual_seed(3)
    found = vral.player(f"meta_{side}").term("scores")(pair, None)
    told = [taken_for(vral, f"meta_{side}", x) for x in (draws, scores)]
    torch.testing.assert_close(found, F.softplus(-told[0]).mean() + F.softplus(told[1]).mean())
    assert torch.autograd.grad(found, [*vral.discriminator.parameters()], allow_unused=True)[0] is None


def test_every_player_of_vral_is_updated_in_a_step(vral):
    vral.step(batch)
    assert {vral.player(name).updates for name in vral.players} == {1}
    kinds = {name: type(vral.player(name).term("scores")) for name in vral.players}
    assert kinds == {
        "discriminator": SpreadsScores,
        "generator": SeemsReal,
        "meta_real": TellsScores,
        "meta_fake": TellsScores,
    }


def test_a_loss_that_nobody_would_minimise_is_refused(game):
    with pytest.raises(ConfigError, match="game=variance_regularised .* NonSaturating: set loss=null"):
        game("experiment=vral", *NARROW, "loss=nonsaturating")


# -- DAN -------------------------------------------------------------------------------------------

DAN = [
    *("data.image_size=8", "debug=smoke", "prior.dim=3", "networks.generator.hidden=[4]"),
    *(
        "networks.discriminator.hidden=[4]",
        "networks.set_discriminator.hidden=[4]",
        "networks.set_discriminator.head=[3]",
    ),
]


@pytest.mark.parametrize(("experiment", "weight"), [("dan_s", 0.2), ("dan_2s", 0.1)])
def test_the_judge_of_batches_is_updated_less_often(game, experiment, weight):
    made = game(f"experiment={experiment}", *DAN, "game.every=3")
    told, drawn = [], []

    def draw():
        drawn.append(1)
        return batch()

    for _ in range(6):
        measured = made.step(draw)
        told.append("set_discriminator/batches" in measured)
    # In its turn it is updated between D and G, on the batch that D has seen.
    order = [key.split("/")[0] for key in measured if "/" in key]
    assert list(dict.fromkeys(order)) == ["discriminator", "set_discriminator", "generator"]
    assert len(drawn) == 6
    assert told == [False, False, True] * 2
    assert [made.player(name).updates for name in ("discriminator", "generator", "set_discriminator")] == [6, 6, 2]
    meeting = made.meet(batch())
    found = made.player("generator").evaluate(meeting)["fooled_batches"]
    plain = made.player("generator").term("fooled_batches")(meeting["main"], made.player("generator"))
    torch.testing.assert_close(found, weight * plain)


def test_the_judge_of_batches_learns_at_a_rate_that_falls_as_the_others(game):
    made = game("experiment=dan_s", *DAN, "game.every=1", "strategy=[lr_decay]", "strategy.lr_decay.steps=4")
    rates = {name: [made.player(name).optimizer.param_groups[0]["lr"]] for name in made.players}
    made.step(batch)
    for name, of_player in rates.items():
        assert made.player(name).optimizer.param_groups[0]["lr"] == pytest.approx(0.75 * of_player[0]), name


def test_settings_of_games_that_cannot_be_right_are_named(game):
    for experiment, setting in (
        ("dan_s", "every=0"),
        ("vral", "std=0.0"),
        ("dist_gan", "reconstructed=1.0"),
        ("dist_gan", "distance=-1.0"),
    ):
        with pytest.raises(ConfigError) as refused:
            game(f"experiment={experiment}", *(DAN if experiment == "dan_s" else NARROW), f"game.{setting}")
        assert setting in str(refused.value)
