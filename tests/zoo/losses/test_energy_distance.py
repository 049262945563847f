"""Cramér GAN's loss and its critic's penalty, against distances worked out by other means."""

from itertools import permutations
from math import erf, exp, pi, sqrt

import numpy as np
import pytest
import torch

from gan_framework.core.records import DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.kernels import energy, squared_mmd
from gan_zoo.losses.cramer import to_generated, witness
from tests.helpers.independent import Critic, finite_differences, image_game, images


def build(name, kind="losses", **settings):
    return registry.build(kind, {"name": name, **settings})


def line(values):
    return torch.tensor(values, dtype=torch.float64)[:, None]


def said(vectors):
    return DiscriminatorOutput(vectors.new_zeros(len(vectors)), heads={"vector": vectors})


def test_the_critic_and_the_generators_loss_on_numbers():
    x, g, other = line([0, 1, 3]), line([0.5, 2, 2]), line([1, 1, 0])
    assert to_generated(x, g, other).item() == pytest.approx(1.0)
    difference = witness(x, other).mean() - witness(g, other).mean()
    assert difference.item() == pytest.approx(1 / 3)


@pytest.mark.parametrize("form", ["paper", "exact"])
def test_both_losses_of_a_batch_whose_second_samples_are_the_next(form):
    loss = build("cramer", form=form)
    x, g = np.array([0.0, 1, 3]), np.array([0.5, 2, 2])
    x2, g2 = np.array([1.0, 3, 0]), np.array([2, 2, 0.5])
    reference = (x2 - x, x2 - g) if form == "exact" else (x, g)
    difference = np.mean(abs(x - g2) - abs(reference[0])) - np.mean(abs(g - g2) - abs(reference[1]))
    generator = difference if form == "exact" else np.mean(abs(x - g) + abs(x - g2) - abs(g - g2))
    real, fake = said(line(x)), said(line(g))
    assert loss.discriminator(real, fake).item() == pytest.approx(-difference)
    assert loss.generator(fake, real).item() == pytest.approx(generator)


def test_the_exact_form_is_the_unbiased_energy_distance_on_average():
    x, g = (0.0, 1.0, 3.0), (0.5, 2.0, 2.5)
    loss = build("cramer", form="exact")
    orders = [(a, b) for a in permutations(x) for b in permutations(g)]
    mean = np.mean([loss.generator(said(line(b)), said(line(a))).item() for a, b in orders])
    pairs = [abs(a - b) for a in x for b in g]
    within = [np.mean([abs(a - b) for a, b in permutations(of, 2)]) for of in (x, g)]
    assert mean == pytest.approx(2 * np.mean(pairs) - sum(within))
    assert squared_mmd(energy, line(x), line(g), unbiased=True).item() == pytest.approx(mean)


def test_the_energy_distance_of_samples_is_that_of_their_distribution_functions():
    x, y = line([0, 1, 3]), line([0.5, 2])
    assert squared_mmd(energy, x, y, unbiased=False).item() == pytest.approx(0.4166666667)
    assert squared_mmd(energy, x, y, unbiased=True).item() == pytest.approx(-1)
    grid = np.arange(0, 3, 1e-3) + 5e-4
    apart = [np.mean([[value <= t for t in grid] for value in of.flatten().tolist()], axis=0) for of in (x, y)]
    assert 2 * ((apart[0] - apart[1]) ** 2).sum() * 1e-3 == pytest.approx(0.4166666667)


@pytest.mark.parametrize(("delta", "distance"), [(0.5, 0.1395963147), (1.0, 0.5418065793), (2.0, 1.9442598324)])
def test_the_gradient_of_small_batches_is_that_of_the_distance_of_gaussians(delta, distance):
    def mean_distance(shift):  # E|N(shift, 2)|
        return 2 / sqrt(pi) * exp(-(shift**2) / 4) + shift * erf(shift / 2)

    assert 2 * mean_distance(delta) - 2 * mean_distance(0) == pytest.approx(distance)
    torch.manual_seed(0)
    shift = torch.tensor(delta, requires_grad=True)
    n = 400_000
    x, g = torch.randn(n, 1), torch.randn(n, 1) + shift
    value = build("cramer", form="exact").generator(said(g), said(x))
    (gradient,) = torch.autograd.grad(value, shift)
    assert value.item() == pytest.approx(distance, abs=0.01)
    assert gradient.item() == pytest.approx(2 * erf(delta / 2), abs=0.01)


def test_gradients_are_finite_where_vectors_meet():
    vectors = torch.zeros(3, 2, requires_grad=True)
    loss = build("cramer", form="paper")
    (gradient,) = torch.autograd.grad(loss.generator(said(vectors), said(torch.zeros(3, 2))), vectors)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("form", ["paper", "exact"])
def test_the_penalty_is_of_the_critics_gradient(form):
    game = image_game(build("cramer", form=form), start=False)
    game.discriminator.hidden[0][0].weight.data *= 2
    term = build("cramer_penalty", "terms")
    game.player("discriminator").add_term("cramer_penalty", term)
    game.start(torch.device("cpu"))
    pair = game.meet(images())["main"].detached()
    torch.manual_seed(3)
    value = term(pair, game.player("discriminator"))
    torch.manual_seed(3)
    real, fake = pair.real.numpy().reshape(5, 4), pair.fake.numpy().reshape(5, 4)
    points = real + torch.rand(5).numpy()[:, None] * (fake - real)
    critic = Critic(game)

    def of_critic(values, at):
        h, x, g = (critic.features(values, of) for of in (at, real, fake))
        reference = np.roll(x, -1, axis=0) if form == "exact" else 0
        return np.linalg.norm(h - np.roll(g, -1, axis=0), axis=1) - np.linalg.norm(h - reference, axis=1)

    def penalty(values):
        gradients = finite_differences(lambda at: of_critic(values, at).sum(), points, step=1e-5)
        return ((np.linalg.norm(gradients, axis=1) - 1) ** 2).mean()

    assert value.item() == pytest.approx(penalty(critic.values), rel=1e-6)
    found = critic.gradient_of(value)
    np.testing.assert_allclose(found, finite_differences(penalty, critic.values, step=1e-4), rtol=1e-3, atol=1e-4)
    assert abs(found).max() > 0.01


def test_what_cannot_be_compared_is_refused():
    loss = build("cramer", form="paper")
    for real, fake in ((3, 2), (1, 1)):
        with pytest.raises(ConfigError, match=f"cramer.*not {real} and {fake}"):
            loss.discriminator(said(torch.zeros(real, 2)), said(torch.zeros(fake, 2)))
    with pytest.raises(Exception, match="form='half'"):
        build("cramer", form="half")
    game = image_game(start=False)
    game.player("discriminator").add_term("cramer_penalty", build("cramer_penalty", "terms"))
    with pytest.raises(ConfigError, match="cramer_penalty penalises the critic of loss=cramer, and the loss is NonSat"):
        game.start(torch.device("cpu"))
