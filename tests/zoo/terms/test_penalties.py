"""Gradient penalties against the chain rule written out in numpy, and finite differences of it."""

import numpy as np
import pytest
import torch
from torch import nn

from gan_framework.build import start as start_game
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_zoo.losses.relativistic import Relativistic
from gan_zoo.terms.critic_gradient import between
from tests.helpers.independent import Critic, Spy, finite_differences, image_game, images


def norms(gradient):
    return np.sqrt((gradient**2).sum(axis=1))


PENALTIES = {
    "two_sided": ({"name": "gradient_penalty", "one_sided": False}, lambda g: ((norms(g) - 1) ** 2).mean()),
    "one_sided": (
        {"name": "gradient_penalty", "one_sided": True},
        lambda g: (np.maximum(norms(g) - 1, 0) ** 2).mean(),
    ),
    "root_mean": (
        {"name": "gradient_penalty", "one_sided": False, "root_mean": True},
        lambda g: ((np.sqrt((g**2).mean(axis=1)) - 1) ** 2).mean(),
    ),
    "dragan": ({"name": "dragan", "scale": 0.5}, lambda g: ((norms(g) - 1) ** 2).mean()),
    "r1": ({"name": "r1"}, lambda g: (g**2).sum() / len(g) / 2),
    "r2": ({"name": "r2"}, lambda g: (g**2).sum() / len(g) / 2),
}


def measured(game, settings, batch):
    """The penalty of one pair, and the points at which it was taken."""
    term = registry.build("terms", settings)
    pair = game.meet(batch)["main"]
    spy = Spy(game)
    value = term(pair, game.player("discriminator"))
    (points,) = spy.seen
    return value, points, pair


@pytest.mark.parametrize("name", PENALTIES)
def test_value_and_parameter_gradient(name):
    settings, formula = PENALTIES[name]
    game = image_game()
    # Steep enough that norms lie on either side of 1.
    game.discriminator.output.weight.data *= 2
    value, points, pair = measured(game, settings, images())
    critic = Critic(game)

    def independent(values):
        return formula(critic.input_gradient(values, points))

    assert value.item() == pytest.approx(independent(critic.values), rel=1e-10)
    assert 0 < value.item()
    np.testing.assert_allclose(
        critic.gradient_of(value), finite_differences(independent, critic.values), rtol=1e-5, atol=1e-7
    )


def test_the_one_sided_penalty_forgives_small_slopes():
    game = image_game()
    game.discriminator.output.weight.data *= 1e-3
    value, *_ = measured(game, PENALTIES["one_sided"][0], images())
    assert value.item() == 0
    value, *_ = measured(game, PENALTIES["two_sided"][0], images())
    assert value.item() == pytest.approx(1, abs=0.01)


def test_r1_is_taken_at_real_samples_and_r2_at_generated_ones():
    game = image_game()
    _, points, pair = measured(game, {"name": "r1"}, images())
    np.testing.assert_array_equal(points, pair.real.numpy())
    _, points, pair = measured(game, {"name": "r2"}, images())
    np.testing.assert_array_equal(points, pair.fake.detach().numpy())


def test_gradient_penalty_draws_one_factor_for_each_sample():
    game = image_game()
    _, points, pair = measured(game, PENALTIES["two_sided"][0], images(50))
    real, fake = pair.real.numpy(), pair.fake.detach().numpy()
    factors = ((points - real) / (fake - real)).reshape(50, 4)
    assert np.ptp(factors, axis=1).max() < 1e-9
    assert factors.min() >= 0 and factors.max() <= 1
    assert len(set(factors[:, 0].round(9))) == 50


def test_factors_are_uniform():
    torch.manual_seed(0)
    factors = between(torch.zeros(4000, 1, 1, 1), torch.ones(4000, 1, 1, 1)).flatten()
    deciles = torch.histc(factors, bins=10, min=0, max=1)
    assert deciles.sum() == 4000
    # Five standard deviations of a bin that holds a tenth of 4000.
    assert (deciles - 400).abs().max() < 5 * (4000 * 0.1 * 0.9) ** 0.5


def test_dragan_perturbs_real_samples_within_half_a_deviation():
    torch.manual_seed(0)
    game = image_game()
    _, points, pair = measured(game, PENALTIES["dragan"][0], images(3000))
    real = pair.real.numpy()
    steps = ((points - real) / (0.5 * real.std(ddof=1))).reshape(3000, 4)
    assert steps.min() >= 0 and steps.max() <= 1
    # Factor and direction are independent and uniform on [0, 1]: means 1/2 * 1/2, and within a
    # sample they share the factor, whose variance 1/12 times (1/2)² is their covariance.
    assert steps.mean() == pytest.approx(1 / 4, abs=0.01)
    covariance = np.cov(steps.T)
    assert covariance[np.triu_indices(4, 1)].mean() == pytest.approx(1 / 48, abs=0.003)


def test_a_flat_discriminator_gives_finite_gradients():
    for settings, _ in PENALTIES.values():
        game = image_game()
        nn.init.zeros_(game.discriminator.output.weight)
        value, *_ = measured(game, settings, images())
        assert np.isfinite(Critic(game).gradient_of(value)).all()


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_are_computed_in_float32_whatever_the_precision(name):
    torch.set_default_dtype(torch.float32)
    game = image_game(start=False)
    game.start(torch.device("cpu"), "bf16")
    seen = []
    game.discriminator.output.register_forward_hook(lambda _, inputs, output: seen.append(output.dtype))
    pair = game.meet(images())["main"]
    assert pair.real_output is not None and seen.pop() == torch.bfloat16
    value = registry.build("terms", PENALTIES[name][0])(pair, game.player("discriminator"))
    assert seen == [torch.float32] and value.dtype == torch.float32


@pytest.mark.parametrize("name", PENALTIES)
def test_batch_norm_in_the_discriminator_is_refused(name):
    game = image_game(start=False)
    game.discriminator.hidden.append(nn.BatchNorm1d(3))
    game.player("discriminator").add_term(name, registry.build("terms", PENALTIES[name][0]))
    with pytest.raises(ConfigError, match=f"{name}.*MLPDiscriminator has batch norm"):
        game.start(torch.device("cpu"))


@pytest.mark.parametrize("name", PENALTIES)
def test_a_player_that_does_not_move_the_discriminator_is_refused(name):
    game = image_game(start=False)
    game.player("generator").add_term(name, registry.build("terms", PENALTIES[name][0]))
    with pytest.raises(ConfigError, match=rf"terms\.{name}\.player=generator.*discriminator"):
        game.start(torch.device("cpu"))


def test_all_terms_of_a_player_are_summed_into_one_optimizer_step():
    """The step that SGD takes on the sum, worked out by finite differences of all four summands."""
    weights = {"two_sided": 10.0, "r1": 3.0, "r2": 0.5}
    game = image_game(Relativistic("paired", "standard"), start=False)
    discriminator = game.player("discriminator")
    for name, weight in weights.items():
        discriminator.add_term(name, registry.build("terms", PENALTIES[name][0]), weight)
    start_game(game, torch.device("cpu"))
    steps = []
    discriminator.optimizer.register_step_post_hook(lambda *_: steps.append(1))

    meeting = game.meet(images()).detached()
    pair = meeting["main"]
    real, fake = pair.real.numpy(), pair.fake.numpy()
    critic, spy = Critic(game), Spy(game)
    reported = discriminator.play(meeting)
    # One pass for the loss, R1 and R2 together; the other penalty has points of its own.
    joined, between_them = spy.seen
    np.testing.assert_array_equal(joined, np.concatenate([real, fake]))
    points = {"two_sided": between_them, "r1": real, "r2": fake}

    def summand(name, values):
        if name == "adversarial":
            return np.log(1 + np.exp(critic.score(values, fake) - critic.score(values, real))).mean()
        return weights[name] * PENALTIES[name][1](critic.input_gradient(values, points[name]))

    names = ["adversarial", *weights]
    assert steps == [1] and discriminator.updates == 1
    assert reported.keys() == {f"discriminator/{name}" for name in names} | {"real", "fake"}
    for name in names:
        assert reported[f"discriminator/{name}"].item() == pytest.approx(summand(name, critic.values), rel=1e-9)
    slope = finite_differences(lambda values: sum(summand(name, values) for name in names), critic.values)
    np.testing.assert_allclose(Critic(game).values, critic.values - 0.1 * slope, rtol=1e-6, atol=1e-7)
