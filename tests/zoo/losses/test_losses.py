"""Losses against numbers worked out by hand, and against numpy formulas and their finite differences."""

from math import log

import numpy as np
import pytest
import torch

from gan_framework.core.contracts.loss import SeparableLoss
from gan_framework.core.records import DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from tests.helpers.independent import finite_differences, image_game, images

NAMES = ["minimax", "nonsaturating", "maximum_likelihood", "least_squares", "hinge", "relativistic", "wasserstein"]


def build(name):
    return registry.build("losses", {"name": name})


def output(logits):
    return DiscriminatorOutput(torch.as_tensor(logits, dtype=torch.float64))


def d(logits):
    return 1 / (1 + np.exp(-logits))


def d_cross_entropy(real, fake):
    return -np.log(d(real)).mean() - np.log(1 - d(fake)).mean()


# Each formula from its paper: what D minimises, what G minimises.
FORMULAS = {
    "minimax": (d_cross_entropy, lambda real, fake: np.log(1 - d(fake)).mean()),
    "nonsaturating": (d_cross_entropy, lambda real, fake: -np.log(d(fake)).mean()),
    "maximum_likelihood": (d_cross_entropy, lambda real, fake: -(d(fake) / (1 - d(fake))).mean()),
    "least_squares": (
        lambda real, fake: ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2,
        lambda real, fake: ((fake - 1) ** 2).mean() / 2,
    ),
    "hinge": (
        lambda real, fake: -np.minimum(0, real - 1).mean() - np.minimum(0, -fake - 1).mean(),
        lambda real, fake: -fake.mean(),
    ),
    "relativistic": (
        lambda real, fake: np.log(1 + np.exp(fake - real)).mean(),
        lambda real, fake: np.log(1 + np.exp(real - fake)).mean(),
    ),
    "wasserstein": (lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean()),
}

# Logits with D = 1/2 and 3/4 on real samples, 1/2 and 1/4 on generated ones.
REAL, FAKE = [0.0, log(3)], [0.0, -log(3)]
BY_HAND = {
    "minimax": (log(8 / 3), log(3 / 8) / 2),
    "nonsaturating": (log(8 / 3), log(8) / 2),
    "maximum_likelihood": (log(8 / 3), -2 / 3),
    "least_squares": ((1 + (log(3) - 1) ** 2 + log(3) ** 2) / 4, (1 + (log(3) + 1) ** 2) / 4),
    "hinge": (0.5 + 0.5, log(3) / 2),
    "relativistic": ((log(2) + log(10 / 9)) / 2, (log(2) + log(10)) / 2),
    "wasserstein": (-log(3), log(3) / 2),
}


@pytest.mark.parametrize("name", NAMES)
def test_values_worked_out_by_hand(name):
    loss = build(name)
    real, fake = output(REAL), output(FAKE)
    values = loss.discriminator(real, fake).item(), loss.generator(fake, real).item()
    assert values == pytest.approx(BY_HAND[name], abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_of_both_sides(name):
    random = np.random.default_rng(0)
    # Away from the hinge's corners, where there is no derivative.
    real, fake = random.normal(0, 2, 9), random.normal(0, 2, 9)
    loss = build(name)
    for method, formula in zip((loss.discriminator, lambda r, f: loss.generator(f, r)), FORMULAS[name], strict=True):
        r, f = (torch.tensor(x, requires_grad=True) for x in (real, fake))
        value = method(DiscriminatorOutput(r), DiscriminatorOutput(f))
        assert value.item() == pytest.approx(formula(real, fake), rel=1e-12)
        got = torch.autograd.grad(value, [r, f], allow_unused=True)
        expected = (
            finite_differences(lambda x, formula=formula: formula(x, fake), real),
            finite_differences(lambda x, formula=formula: formula(real, x), fake),
        )
        for gradient, truth in zip(got, expected, strict=True):
            gradient = torch.zeros(9) if gradient is None else gradient
            np.testing.assert_allclose(gradient.numpy(), truth, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("minimax", lambda d: -d),
        ("nonsaturating", lambda d: -(1 - d)),
        ("maximum_likelihood", lambda d: -d / (1 - d)),
    ],
)
def test_how_the_three_generator_losses_pull_on_a_logit(name, slope):
    """Where D is sure that a sample is generated, only the non-saturating loss still pulls."""
    logits = torch.linspace(-6, 6, 13, requires_grad=True)
    (gradient,) = torch.autograd.grad(build(name).generator(DiscriminatorOutput(logits)) * 13, logits)
    np.testing.assert_allclose(gradient.numpy(), slope(d(logits.detach().numpy())), rtol=1e-10)


@pytest.mark.parametrize("name", ["minimax", "nonsaturating", "least_squares", "hinge", "relativistic"])
def test_extreme_logits_stay_finite_in_float32(name):
    loss = build(name)
    logits = torch.tensor([-1e4, 1e4], dtype=torch.float32, requires_grad=True)
    real, fake = DiscriminatorOutput(logits), DiscriminatorOutput(-logits)
    total = loss.discriminator(real, fake) + loss.generator(fake, real)
    (gradient,) = torch.autograd.grad(total, logits)
    assert torch.isfinite(total) and torch.isfinite(gradient).all()


def test_relativistic_sees_differences_alone_and_turns_round():
    loss = build("relativistic")
    real, fake = output([0.3, -1.0, 2.0]), output([1.0, 0.5, -0.7])
    shifted = [DiscriminatorOutput(side.logits + 7) for side in (real, fake)]
    assert loss.discriminator(*shifted).item() == pytest.approx(loss.discriminator(real, fake).item(), rel=1e-12)
    assert loss.generator(fake, real).item() == pytest.approx(loss.discriminator(fake, real).item(), rel=1e-12)
    assert not isinstance(loss, SeparableLoss)


def test_relativistic_generator_is_shown_the_real_samples_of_its_round():
    game = image_game(build("relativistic"))
    meeting = game.meet(images())
    pair = meeting["main"]
    value = game.player("generator").evaluate(meeting)["adversarial"]
    real, fake = (side.logits.detach().numpy() for side in (pair.real_output, pair.fake_output))
    assert value.item() == pytest.approx(FORMULAS["relativistic"][1](real, fake), rel=1e-12)
    before = [p.clone() for p in game.discriminator.parameters()]
    game.player("generator").play(game.meet(images()))
    assert all(torch.equal(p, b) for p, b in zip(game.discriminator.parameters(), before, strict=True))


@pytest.mark.parametrize("name", ["minimax", "nonsaturating", "maximum_likelihood", "least_squares"])
def test_one_sided_label_smoothing_changes_the_real_half_alone(name):
    smooth, plain = build(name), build(name)
    game = image_game(smooth, start=False)
    registry.build("strategies", {"name": "one_sided_label_smoothing", "real_target": 0.9}).apply(game)
    real, fake = output(REAL), output(FAKE)
    logits = np.array(REAL)
    if name == "least_squares":
        expected = ((logits - 0.9) ** 2).mean() / 2
    else:
        expected = -(0.9 * np.log(d(logits)) + 0.1 * np.log(1 - d(logits))).mean()
    assert smooth.real_half(real).item() == pytest.approx(expected, rel=1e-12)
    assert smooth.fake_half(fake).item() == plain.fake_half(fake).item()
    assert smooth.generator(fake).item() == plain.generator(fake).item()


@pytest.mark.parametrize("objective", ["swapped", {"main": "swapped"}])
def test_one_sided_label_smoothing_is_refused_where_it_would_smooth_the_generators_target(objective):
    game = image_game(build("nonsaturating"), start=False)
    game.player("generator").objective = objective
    with pytest.raises(ConfigError, match="target at 1, and the player 'generator' of Game minimises"):
        registry.build("strategies", {"name": "one_sided_label_smoothing", "real_target": 0.9}).apply(game)
    assert game.loss.real_target == 1


def test_separable_losses_are_the_sum_of_their_halves():
    real, fake = output(REAL), output(FAKE)
    for name in NAMES:
        loss = build(name)
        if isinstance(loss, SeparableLoss):
            halves = loss.real_half(real) + loss.fake_half(fake)
            assert loss.discriminator(real, fake).item() == pytest.approx(halves.item(), rel=1e-14)
