"""MIX+GAN, Bayesian GAN and DeLiGAN: mixtures with weights, posteriors and Gaussians that are learned."""

import copy
import math

import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.priors.components import component_of
from gan_zoo.sghmc import SGHMC
from gan_zoo.systems.deligan import DeLiGANDiscriminator, DeLiGANGenerator, DeltaMixtureGenerator
from gan_zoo.systems.mix_gan import MixingWeights
from tests.zoo.players.playing import DIGITS, PLANE, assert_same_game, batch, built, count, play

MIX = [
    "experiment=mix_gan",
    "prior.dim=7",
    "networks.generator.of.hidden=[6]",
    *(f"networks.discriminator_{i}.hidden=[6]" for i in range(3)),
]
PLAIN = [
    "data=mixture",
    "prior=normal",
    "prior.dim=7",
    "networks.generator.hidden=[6]",
    "networks.discriminator.hidden=[6]",
    "networks.generator.activation=relu",
    "networks.generator.output=linear",
    "networks.generator.init=he",
    "networks.discriminator.activation=leaky_relu",
    "networks.discriminator.init=he",
    "networks.discriminator.pixels=symmetric",
    "generator=mlp",
    "discriminator=mlp",
]
ALONE = [*(f"~networks.discriminator_{i}" for i in (1, 2)), "prior.components=1"]

# -- MIX+GAN ---------------------------------------------------------------------------------------


def test_one_of_each_is_the_game_of_two_players(compose):
    gone = ["~networks.mixing_generator", "~networks.mixing_discriminator"]
    first = built(compose, PLANE, *MIX[:3], MIX[3], *ALONE, *gone)
    assert_same_game(
        first, built(compose, PLANE, *PLAIN, "optimizer.generator.lr=1e-3", "optimizer.discriminator.lr=1e-3")
    )


def payoffs(game, meeting):
    softplus = torch.nn.functional.softplus
    of_d = torch.stack(
        [(softplus(-p.real_output.logits) + softplus(p.fake_output.logits)).mean() for p in meeting.values()]
    )
    of_g = torch.stack([softplus(-p.fake_output.logits).mean() for p in meeting.values()])
    return of_d.view(3, 3), of_g.view(3, 3)


def test_each_side_pays_by_the_weights_of_both(compose):
    game = built(compose, PLANE, *MIX, "game.evenness=0.5")
    with torch.no_grad():
        game.network("mixing_generator").scores.copy_(torch.tensor([0.3, -0.2, 1.0]))
        game.network("mixing_discriminator").scores.copy_(torch.tensor([0.0, 0.7, -0.4]))
    meeting = game.meet(batch(PLANE, 9))
    assert list(meeting) == [f"{i}_{j}" for i in range(3) for j in range(3)]
    assert {len(pair.fake) for pair in meeting.values()} == {9}
    of_d, of_g = payoffs(game, meeting)
    w, v = (torch.softmax(torch.tensor(s), 0) for s in ([0.3, -0.2, 1.0], [0.0, 0.7, -0.4]))
    for name, weights, expected in (("discriminator", v, of_d), ("generator", w, of_g)):
        losses = game.player(name).evaluate(meeting)
        torch.testing.assert_close(losses["adversarial"], (w[:, None] * v * expected).sum())
        assert losses["evenness"].item() == pytest.approx(-0.5 * weights.log().mean().item())
    # dF/dα_i = w_i (F_i - F)
    loss = game.player("generator").evaluate(meeting)["adversarial"]
    (gradient,) = torch.autograd.grad(loss, game.network("mixing_generator").scores)
    of_each = (v * of_g).sum(1)
    torch.testing.assert_close(gradient, w * (of_each - (w * of_each).sum()))


def test_weights_are_most_even_where_they_are_equal():
    weights = MixingWeights(3)
    assert -weights().log().mean().item() == pytest.approx(math.log(3))
    with torch.no_grad():
        weights.scores[0] += 0.5
    assert -weights().log().mean().item() > math.log(3)


def test_samples_are_drawn_with_the_weights(compose):
    game = built(compose, PLANE, *MIX)
    with torch.no_grad():
        game.network("mixing_generator").scores.copy_(torch.tensor([0.7, 0.2, 0.1]).log())
    drawn = component_of(game.latent(4000, generator=torch.Generator().manual_seed(0))).bincount(minlength=3) / 4000
    torch.testing.assert_close(drawn, torch.tensor([0.7, 0.2, 0.1]), atol=0.03, rtol=0)


def test_weights_of_another_number_are_refused(compose):
    with pytest.raises(ConfigError, match=r"networks.mixing_generator.components=2, and the game has 3"):
        built(compose, PLANE, *MIX, "networks.mixing_generator.components=2")


# -- Bayesian GAN ----------------------------------------------------------------------------------

BAYES = [
    "experiment=bayesian_gan",
    "data.image_size=8",
    "prior.components=2",
    "prior.dim=6",
    "networks.generator.of.width=2",
    "networks.discriminator_0.width=2",
    "networks.discriminator_0.norm=none",
]
TWO = "+networks.discriminator_1=${networks.discriminator_0}"


def test_losses_are_averaged_over_the_other_side(compose):
    game = built(compose, DIGITS, *BAYES, TWO, "game.deviation=0.5")
    meeting = game.meet(batch(DIGITS, 8))
    softplus = torch.nn.functional.softplus
    of_g = torch.stack([softplus(-pair.fake_output.logits).mean() for pair in meeting.values()]).view(2, 2)
    losses = game.player("generator").evaluate(meeting)
    torch.testing.assert_close(losses["adversarial"], of_g.mean(1).sum())
    squares = sum(float(p.detach().square().sum()) for p in game.player("generator").trained)
    assert losses["prior"].item() == pytest.approx(squares / (2 * 0.5**2) / 100, rel=1e-5)
    of_d = game.player("discriminator").evaluate(meeting)["adversarial"]
    each = [
        (softplus(-pair.real_output.logits) + softplus(pair.fake_output.logits)).mean() for pair in meeting.values()
    ]
    torch.testing.assert_close(of_d, torch.stack(each).view(2, 2).mean(0).sum())


def test_one_of_each_without_a_prior_is_the_game_of_two_players(compose):
    same = [f"optimizer.{team}.samples=1442" for team in ("generator", "discriminator")]
    same.append("optimizer.discriminator.lr=1e-3")
    one = [one for one in BAYES if "components" not in one]
    first = built(compose, DIGITS, *one, "prior.components=1", "game.deviation=null")
    nets = ["networks.generator.width=2", "networks.discriminator.width=2", "networks.discriminator.norm=none"]
    second = built(compose, DIGITS, "model=dcgan", "prior.dim=6", "data.image_size=8", "optimizer=sghmc", *nets, *same)
    assert_same_game(first, second)


def test_steps_sample_the_posterior():
    """U = N θ² / 2 has the posterior N(0, 1 / N)."""
    torch.manual_seed(0)
    theta = torch.nn.Parameter(torch.zeros(2000, dtype=torch.float64))
    optimizer = SGHMC([theta], lr=0.02, alpha=0.2, samples=4, noise=1.0)
    kept = []
    for step in range(400):
        theta.grad = theta.detach().clone()
        optimizer.step()
        if step >= 100 and step % 20 == 0:
            kept.append(theta.detach().clone())
    found = torch.stack(kept)
    assert found.mean().item() == pytest.approx(0, abs=0.01)
    assert found.var().item() == pytest.approx(1 / 4, rel=0.05)


def test_networks_that_are_alike_and_runs_of_other_seeds_have_noise_of_their_own():
    moved = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        for _ in range(2):  # as D and G of one run
            theta = torch.nn.Parameter(torch.zeros(2000, dtype=torch.float64))
            theta.grad = torch.zeros_like(theta)
            SGHMC([theta], lr=0.02, alpha=0.2, samples=4, noise=1.0).step()
            moved.append(theta.detach())
    alike = torch.corrcoef(torch.stack(moved)) - torch.eye(4)
    assert alike.abs().max() < 0.1


def test_the_noise_is_the_same_in_all_processes_and_after_a_resume():
    """Processes build alike and draw random numbers of their own from there on; a resumed one has built anew."""
    moved, first = [], {}
    for rank in range(3):
        torch.manual_seed(0 if rank < 2 else 1)
        theta = torch.nn.Parameter(torch.zeros(5))
        theta.grad = torch.zeros(5)
        optimizer = SGHMC([theta], lr=0.02, alpha=0.2, samples=4, noise=1.0)
        if rank == 2:
            optimizer.load_state_dict(first)
        first = copy.deepcopy(optimizer.state_dict())
        torch.manual_seed(rank)
        optimizer.step()
        moved.append(theta.detach())
    assert torch.equal(moved[0], moved[1]) and torch.equal(moved[1], moved[2]) and moved[0].any()


def test_without_noise_it_is_gradient_descent_with_momentum():
    torch.manual_seed(0)
    first, second = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    one, other = SGHMC([first], 0.1, 0.3, 10, 0.0), torch.optim.SGD([second], 0.1, momentum=0.7)
    for _ in range(4):
        for parameter, optimizer in ((first, one), (second, other)):
            parameter.grad = parameter.detach() ** 3
            optimizer.step()
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("settings", [{"alpha": 0.0}, {"alpha": 1.5}, {"samples": 0}, {"noise": -1.0}])
def test_settings_that_make_no_sampler_are_refused(settings):
    with pytest.raises(ValueError, match=f"{[*settings][0]}="):
        SGHMC(
            [torch.nn.Parameter(torch.zeros(1))], **({"lr": 0.1, "alpha": 0.1, "samples": 1, "noise": 1.0} | settings)
        )


# -- DeLiGAN ---------------------------------------------------------------------------------------

OF = {"name": "deligan", "channels": 1, "width": 64}


def test_the_counts_of_the_papers_networks():
    with torch.device("meta"):
        generator = DeltaMixtureGenerator(80, 50, OF, 0.2)
        critic = DeLiGANDiscriminator(1, 16)
    assert count(generator.of) == 65_569
    assert count(generator) - count(generator.of) == 3_000
    assert generator.of(torch.zeros(2, 30, device="meta")).shape == (2, 1, 28, 28)
    *_, maps, maxima = critic(torch.zeros(2, 1, 28, 28, device="meta")).features
    assert (maps.shape, maxima.shape) == ((2, 64, 4, 4), (2, 64))
    # Convolutions of 5, 5 and 3, batch norm after the second and the third, and what scores the 64 maxima.
    assert count(critic) == (25 + 1) * 16 + (16 * 25 + 1 + 2) * 32 + (32 * 9 + 1 + 2) * 64 + 65


def test_each_sample_is_of_its_gaussian():
    torch.manual_seed(0)
    generator = DeltaMixtureGenerator(5 + 4, 4, {**OF, "width": 4}, 0.2).eval()
    noise, component = torch.randn(8, 5), torch.arange(8) % 4
    z = torch.cat([noise, torch.nn.functional.one_hot(component, 4).float()], 1)
    expected = generator.of(generator.mean[component] + 0.2 * noise)
    torch.testing.assert_close(generator(z), expected)
    assert generator.mean.abs().max() <= 1
    with torch.no_grad():
        generator.sigma.zero_()
    assert len(generator(z).flatten(1).unique(dim=0)) == 4


def test_one_standard_gaussian_is_the_plain_prior():
    torch.manual_seed(0)
    generator = DeltaMixtureGenerator(5, 1, {**OF, "width": 4}, 1.0)
    with torch.no_grad():
        generator.mean.zero_()
    z = torch.randn(6, 5)
    assert torch.equal(generator(z), DeLiGANGenerator.forward(generator.of, z))


def test_deviations_are_kept_from_vanishing(compose):
    small = ["experiment=deligan", "prior.components=4", "prior.dim=9", "networks.generator.of.width=4"]
    shape = DataShape((1, 28, 28), 10)
    game = built(compose, shape, *small, "networks.discriminator.width=2", "game.deviations=2")
    found = play(game, range(1))[0]["generator/sigma"]
    assert found.item() == pytest.approx(2 * 0.8**2, rel=1e-5)
    with pytest.raises(ConfigError, match="DCGANGenerator has none: set generator=delta_mixture"):
        built(compose, DIGITS, "model=dcgan", "data.image_size=8", "game=deligan")
