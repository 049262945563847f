"""Energies of bits, Stein's direction and distributions of realness, on numbers worked out by other means."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.build import compile_networks
from gan_framework.core.pair import Pair
from gan_framework.core.records import Batch, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.losses.realness import anchors, cross_entropy, project
from gan_zoo.losses.stein import bandwidth, direction
from tests.helpers.independent import finite_differences, image_game


def build(name, kind="losses", **settings):
    return registry.build(kind, {"name": name, **settings})


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def of_bits(values):
    bits = tensor(values)
    return DiscriminatorOutput(torch.zeros(len(bits)), heads={"bits": bits})


# -- VGAN ------------------------------------------------------------------------------------------

X, G = [(0.9, 0.2), (0.8, 0.1)], [(0.5, 0.5), (0.6, 0.7)]


def entropy(p):
    p = np.asarray(p)
    return -(p * np.log(p) + (1 - p) * np.log(1 - p))


def test_the_energy_of_bits():
    loss = build("variational_energy")
    assert loss.discriminator(of_bits(X), of_bits(G)).item() == pytest.approx(-1.3550179438, abs=1e-9)
    assert loss.generator(of_bits(G)).item() == pytest.approx(-0.0260653156, abs=1e-9)


def test_the_gradient_of_the_energy_of_bits():
    loss = build("variational_energy")

    def formulas(x, g):
        energies = [entropy(side).sum(1).mean() for side in (x, g)]
        batches = [entropy(side.mean(0)).sum() for side in (x, g)]
        return energies[0] - energies[1] - batches[0], energies[1] - batches[1]

    x, g = (tensor(side).requires_grad_() for side in (X, G))
    said = [DiscriminatorOutput(torch.zeros(2), heads={"bits": side}) for side in (x, g)]
    of_x, of_g = torch.autograd.grad(loss.discriminator(*said), (x, g))
    assert of_x.numpy() == pytest.approx(finite_differences(lambda v: formulas(v, np.array(G))[0], X), abs=1e-7)
    assert of_g.numpy() == pytest.approx(finite_differences(lambda v: formulas(np.array(X), v)[0], G), abs=1e-7)
    (of_g,) = torch.autograd.grad(loss.generator(said[1]), g)
    assert of_g.numpy() == pytest.approx(finite_differences(lambda v: formulas(np.array(X), v)[1], G), abs=1e-7)


def test_without_bits_they_are_the_sigmoid_of_the_features():
    scores = tensor([(1.0, -2.0), (0.5, 40.0)])
    said = DiscriminatorOutput(torch.zeros(2, dtype=torch.float64), (scores,))
    bits = of_bits(torch.sigmoid(scores).clamp(1e-4, 1 - 1e-4).tolist())
    loss = build("variational_energy")
    assert loss.generator(said).item() == pytest.approx(loss.generator(bits).item(), abs=1e-12)


def test_the_logit_of_a_discriminator_of_bits_is_its_energy():
    torch.manual_seed(0)
    settings = {"hidden": [5], "bits": 3, "activation": "tanh", "pixels": "unit"}
    network = build("binary_energy", "discriminators", image_size=2, channels=1, **settings)
    said = network(torch.rand(4, 1, 2, 2) * 2 - 1)
    assert said.heads["bits"].shape == (4, 3)
    assert said.logits.tolist() == pytest.approx(-entropy(said.heads["bits"].detach().numpy()).sum(1))


# -- SteinGAN --------------------------------------------------------------------------------------


def moved(particles, squared_width=None):
    """Stein's direction for particles (N, D) under N(0, I), whose log density is -‖x‖² / 2."""
    x = tensor(particles).requires_grad_()
    scores = -x.square().sum(1) / 2
    return direction(scores, x, x.flatten(1), squared_width)


def test_steins_direction():
    found = moved([(-1.0,), (2.0,)], torch.ones((), dtype=torch.float64))
    assert found[:, 0].tolist() == pytest.approx([0.4722275087, -0.9777820069], abs=1e-9)


def test_one_particle_goes_along_the_gradient():
    assert moved([(0.3, -2.0)]).tolist() == [pytest.approx([-0.3, 2.0])]


def test_steins_direction_against_its_definition():
    x = np.random.default_rng(0).normal(size=(5, 3))
    h2 = 0.7
    apart = x[:, None] - x[None]  # g_j - g_i
    k = np.exp(-(apart**2).sum(2) / (2 * h2))
    expected = [(k[:, i, None] * -x - k[:, i, None] * apart[:, i] / h2).mean(0) for i in range(5)]
    assert moved(x.tolist(), tensor(h2)).numpy() == pytest.approx(np.array(expected), abs=1e-12)


def test_the_bandwidth_is_of_pairs_of_different_particles():
    points = tensor([(0.0,), (1.0,), (3.0,)])  # squared distances 1, 4, 9; zeros are of nobody's pair
    assert bandwidth(points).item() == pytest.approx(4 / (2 * math.log(4)))
    assert bandwidth(tensor([(1.0,), (1.0,)])).item() > 0


@pytest.mark.parametrize("kernel", ["samples", "features"])
def test_the_generator_of_stein_is_moved_along_the_direction(kernel):
    """The gradient that reaches G is that of -E <φ, G(z)>, and the value is -E f."""
    torch.manual_seed(0)
    w = nn.Parameter(torch.randn(2, 3, dtype=torch.float64))
    inner = nn.Linear(3, 2, dtype=torch.float64)
    z = torch.randn(6, 2, dtype=torch.float64)
    g = (z @ w).tanh()

    def judge(x, labels=None, *given):
        features = inner(x).tanh()
        return DiscriminatorOutput(features.sum(1), (features,), samples=x)

    said = judge(g)
    value = build("stein", kernel=kernel).generator(said)
    assert value.item() == pytest.approx(-said.logits.mean().item())
    (found,) = torch.autograd.grad(value, w, retain_graph=True)
    points = g.flatten(1) if kernel == "samples" else said.features[-1]
    held = direction(said.scores, g, points).detach()
    (expected,) = torch.autograd.grad(-(held * g).sum(1).mean(), w)
    torch.testing.assert_close(found, expected)
    assert found.abs().sum() > 0


def test_the_discriminator_of_stein():
    real, fake = DiscriminatorOutput(tensor([1.0, -0.5])), DiscriminatorOutput(tensor([0.2, -1.5]))
    assert build("stein").discriminator(real, fake).item() == pytest.approx(-0.25 - 0.65)
    assert build("stein", weight=0.3).discriminator(real, fake).item() == pytest.approx(-0.25 - 0.3 * 0.65)


def test_features_of_several_samples_are_no_places_of_each():
    x = torch.zeros(4, 2, requires_grad=True)
    said = DiscriminatorOutput(x.sum(1), (x[:2],), samples=x)
    with pytest.raises(ConfigError, match=r"loss\.kernel=features"):
        build("stein", kernel="features").generator(said)


def test_the_generator_alone_covers_both_modes_with_the_repulsion():
    """A fixed energy with two wells: without the repulsion all particles that start in one stay in it."""
    torch.manual_seed(0)
    start = tensor([(0.6 + 0.01 * i,) for i in range(20)])

    def f(x):
        wells = torch.stack([-(x - c).square().sum(1) / (2 * 0.6**2) for c in (-1.0, 1.0)])
        return wells.logsumexp(0)

    ends = []
    for repelled in (True, False):
        x = start.clone()
        for _ in range(400):
            x = x.detach().requires_grad_()
            points = x.flatten(1)
            if repelled:
                step = direction(f(x), x, points)
            else:
                (step,) = torch.autograd.grad(f(x).sum(), x)
            x = x + 0.1 * step
        ends.append(x)
    repelled, alone = ends
    assert (repelled < 0).any() and (repelled > 0).any()
    assert (alone > 0).all() and alone.std() < 1e-3 < repelled.std()


# -- Realness GAN ----------------------------------------------------------------------------------


def log_softmax(values):
    return tensor([values]).log_softmax(1)


def test_distances_of_anchors():
    outcomes = log_softmax((0.0, 1.0, 2.0))
    for anchor, divergence in (((0.1, 0.2, 0.7), 0.0057874119), ((0.7, 0.2, 0.1), 1.2057874119)):
        found = cross_entropy(tensor(anchor), outcomes).item() + (np.array(anchor) * np.log(anchor)).sum()
        assert found == pytest.approx(divergence, abs=1e-9)


@pytest.mark.parametrize("skew", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("k", [2, 5, 51])
def test_anchors_are_distributions_that_lie_apart(k, skew):
    real, fake = anchors(k, skew, torch.device("cpu"), torch.float64)
    places = torch.linspace(-1, 1, k, dtype=torch.float64)
    for anchor in (real, fake):
        assert anchor.min() >= 0
        assert anchor.sum().item() == pytest.approx(1, abs=1e-12)
    assert (real * places).sum() > 0 > (fake * places).sum()
    if skew == 2:
        assert (real[-1].item(), fake[0].item()) == pytest.approx((1, 1))


def test_a_moved_anchor_keeps_its_mean_inside_its_support():
    anchor = tensor([0, 0.5, 0.5, 0, 0])  # its places are -1, -0.5, 0, 0.5, 1
    moved_up = project(anchor, 0.6)
    assert moved_up.tolist() == pytest.approx([0, 0, 0.4, 0.5, 0.1])
    assert project(anchor, 2).tolist() == [0, 0, 0, 0, 1]


def test_two_outcomes_and_anchors_of_one_each_are_the_cross_entropy_of_the_difference():
    said = [DiscriminatorOutput(torch.zeros(2, dtype=torch.float64), (tensor(v),)) for v in (X, G)]
    loss = build("realness", generator="anchored", skew=2.0)
    difference = [DiscriminatorOutput(side.features[0][:, 1] - side.features[0][:, 0]) for side in said]
    plain = build("nonsaturating")
    assert loss.discriminator(*said).item() == pytest.approx(plain.discriminator(*difference).item(), abs=1e-12)
    expected = plain.generator(difference[1]) - plain.fake_half(difference[1])
    assert loss.generator(said[1]).item() == pytest.approx(expected.item(), abs=1e-12)


@pytest.mark.parametrize("generator", ["relativistic", "anchored"])
def test_the_gradient_of_realness(generator):
    loss = build("realness", generator=generator, skew=1.0)
    real_anchor, fake_anchor = (a.numpy() for a in anchors(3, 1.0, torch.device("cpu"), torch.float64))
    x, g = [(0.0, 1.0, 2.0), (0.3, -1.0, 0.0)], [(1.0, 0.0, -1.0), (0.2, 0.1, 0.5)]

    def logs(values):
        return values - np.log(np.exp(values).sum(1, keepdims=True))

    def formula(values):
        wanted = np.exp(logs(np.array(x))) if generator == "relativistic" else real_anchor
        return -(wanted * logs(values)).sum(1).mean() + (fake_anchor * logs(values)).sum(1).mean()

    leaf = tensor(g).requires_grad_()
    said = DiscriminatorOutput(torch.zeros(2, dtype=torch.float64), heads={"vector": leaf})
    real = DiscriminatorOutput(torch.zeros(2, dtype=torch.float64), heads={"vector": tensor(x)})
    value = loss.generator(said, real if loss.generator_needs_real else None)
    assert value.item() == pytest.approx(formula(np.array(g)), abs=1e-12)
    (gradient,) = torch.autograd.grad(value, leaf)
    assert gradient.numpy() == pytest.approx(finite_differences(formula, g), abs=1e-7)


def test_one_outcome_is_none():
    with pytest.raises(ConfigError, match="at least two outcomes"):
        build("realness").real_half(DiscriminatorOutput(torch.zeros(2), (torch.zeros(2, 1),)))


@pytest.mark.parametrize(
    ("name", "settings", "word"),
    [
        ("realness", {"generator": "none"}, "generator='none'"),
        ("realness", {"skew": 0.0}, "skew=0.0"),
        ("stein", {"weight": 0.0}, "weight=0.0"),
        ("stein", {"kernel": "pixels"}, "kernel='pixels'"),
        ("energy_margin", {"margin": -1.0}, "margin=-1.0"),
    ],
)
def test_settings_that_cannot_be_right_are_named(name, settings, word):
    with pytest.raises(ConfigError) as refused:
        build(name, **settings)
    assert word in str(refused.value)


def test_a_pair_gives_stein_the_samples_that_it_moves():
    def judge(x, labels=None, *given):
        return DiscriminatorOutput(-x.square().sum(1), samples=x)

    g = tensor([(1.0, 0.0), (0.0, -2.0)]).requires_grad_()
    pair = Pair(judge, Batch(torch.zeros(2, 2)), Latent(torch.zeros(2, 1)), g)
    (gradient,) = torch.autograd.grad(build("stein").generator(pair.fake_output), g)
    assert gradient.shape == g.shape and gradient.abs().sum() > 0


def test_a_loss_that_differentiates_beside_the_usual_pass_is_not_compiled():
    game = image_game(build("stein"))
    with pytest.raises(ConfigError, match=r"train\.compile=true cannot go with the loss Stein"):
        compile_networks(game)
