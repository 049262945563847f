"""Samplers that walk, against the laws that their walks have."""

import numpy as np
import pytest
import torch
from scipy import stats

from gan_framework.errors import ConfigError, RunFailed
from gan_zoo.losses.wasserstein import Wasserstein
from gan_zoo.priors.uniform import Uniform
from gan_zoo.samplers.discriminator_transport import DiscriminatorTransport
from gan_zoo.samplers.langevin import Langevin
from gan_zoo.samplers.metropolis_hastings import MetropolisHastings
from tests.evaluation.test_samplers import P, Q, drawn, make, thirds

N = 4000


def counts(values):
    return values[:, 0].long().bincount(minlength=3).numpy()


def test_a_long_walk_draws_the_data():
    found = counts(drawn(thirds(), MetropolisHastings(30), N))
    assert stats.chisquare(found, P.numpy() * N).pvalue > 0.001


def test_one_proposal_moves_as_the_transition_matrix_says():
    found = counts(drawn(thirds(), MetropolisHastings(1), N))
    kernel = np.array([[0.8, 0.12, 0.08], [0.2, 0.6, 0.2], [0.2, 0.3, 0.5]])
    assert kernel.T @ P.numpy() == pytest.approx(P.numpy())  # the data are its stationary law
    assert stats.chisquare(found, Q.numpy() @ kernel * N).pvalue > 0.001


@pytest.mark.parametrize("slope", [0.0, 0.8])
def test_langevin_steps_draw_from_the_energy(slope):
    game = make(lambda z: z, lambda x, labels: slope * x[:, 0])
    found = drawn(game, Langevin(steps=300, size=0.05, noise=1.0), N)[:, 0].double()
    # The energy is that of N(slope, 1), and steps of this size widen it by size / 4 at most.
    assert found.mean().item() == pytest.approx(slope, abs=5 / np.sqrt(N))
    assert found.var().item() == pytest.approx(1, abs=0.05 / 4 + 5 * np.sqrt(2 / N))


def test_langevin_without_noise_goes_to_the_least_energy():
    game = make(lambda z: z, lambda x, labels: 0.8 * x[:, 0])
    found = drawn(game, Langevin(steps=400, size=0.1, noise=0.0), 10)
    assert found.flatten().tolist() == pytest.approx([0.8] * 10, abs=1e-4)


def test_transport_follows_its_gradient_in_a_cube():
    game = make(lambda z: z, lambda x, labels: 3 * x[:, 0], prior=Uniform(1))
    start = drawn(game, None, 50)[:, 0]
    sampler = DiscriminatorTransport(steps=1, lr=0.01)
    moved = drawn(game, sampler, 50)[:, 0]
    assert sampler._steepness == pytest.approx(3, rel=1e-5)
    # At the start the distance's gradient is 1 on a line, as that of the score divided by its slope.
    torch.testing.assert_close(moved, start)
    game = make(lambda z: z, lambda x, labels: 3 * x[:, 0] ** 3, prior=Uniform(1))
    far = drawn(game, DiscriminatorTransport(steps=500, lr=0.01), 50)[:, 0]
    assert (far.abs() <= 1).all() and far.max() == 1


def test_transport_on_a_sphere_keeps_the_norm_to_first_order():
    game = make(lambda z: z[:, :1], lambda x, labels: x[:, 0])
    game.prior.dim = 8
    latent = game.latent(20)
    step = DiscriminatorTransport(steps=1, lr=1e-4)
    step.prepare(game, latent, torch.Generator())
    seen = []
    game.networks["generator"].register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    with torch.no_grad():
        step.draw(game, latent, torch.Generator())
    assert (seen[-1] != latent.z).any()
    torch.testing.assert_close(seen[-1].norm(dim=1), latent.z.norm(dim=1), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("sampler", "game", "said"),
    [
        (MetropolisHastings(2), {"loss": Wasserstein()}, "sampler=metropolis_hastings needs a loss"),
        (Langevin(2, 0.1, 1.0), {"prior": Uniform(1)}, "sampler=langevin walks in the energy of a normal latent"),
    ],
)
def test_a_game_that_does_not_fit_is_refused(sampler, game, said):
    with pytest.raises(ConfigError, match=said):
        sampler.check(make(lambda z: z, lambda x, labels: x[:, 0], **game))


@pytest.mark.parametrize("sampler", [Langevin(2, 0.1, 1.0), MetropolisHastings(2), DiscriminatorTransport(2, 0.1)])
def test_a_judge_that_is_not_finite_ends_it(sampler):
    game = make(lambda z: z, lambda x, labels: x[:, 0] * torch.nan)
    with pytest.raises(RunFailed, match=f"sampler={sampler.name} cannot draw"):
        drawn(game, sampler, 10)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (MetropolisHastings, {"proposals": 0}),
        (Langevin, {"steps": 0, "size": 0.1, "noise": 1.0}),
        (Langevin, {"size": 0.0, "steps": 1, "noise": 1.0}),
        (DiscriminatorTransport, {"lr": 0.0, "steps": 1}),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(kind, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        kind(**settings)
