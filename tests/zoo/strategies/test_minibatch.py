"""Minibatch discrimination against a plain double loop; minibatch standard deviation against NumPy."""

import math

import numpy as np
import pytest
import torch

from gan_framework.core import distributed
from gan_framework.core.records import Batch
from gan_framework.errors import ConfigError
from gan_zoo.losses.vanilla import NonSaturating
from gan_zoo.strategies.minibatch_discrimination import Closeness, MinibatchDiscrimination, closeness
from gan_zoo.strategies.minibatch_stddev import MinibatchStddev, mean_deviation
from gan_zoo.terms.gradient_penalty import GradientPenalty
from tests.helpers.small import Draws, small_game


def by_double_loop(features, tensor):
    """Return o(x_i)_b = Σ_j exp(-‖f_i T_b - f_j T_b‖_1), entry by entry."""
    n, (a, b, c) = len(features), tensor.shape
    m = [
        [[sum(features[i][p] * tensor[p][q][r] for p in range(a)) for r in range(c)] for q in range(b)]
        for i in range(n)
    ]
    o = np.zeros((n, b))
    for i in range(n):
        for j in range(n):
            for q in range(b):
                o[i, q] += math.exp(-sum(abs(m[i][q][r] - m[j][q][r]) for r in range(c)))
    return o


def measure(a=4, b=3, c=2, seed=0):
    torch.manual_seed(seed)
    return Closeness(a, b, c).double()


def test_closeness_equals_the_double_loop():
    layer = measure()
    features = torch.randn(6, 4, dtype=torch.float64)
    layer.tensor.data.normal_()
    expected = by_double_loop(features.numpy(), layer.tensor.detach().numpy())
    np.testing.assert_allclose(layer(features).detach().numpy(), expected, rtol=1e-12)
    layer.normalise = True
    np.testing.assert_allclose(layer(features).detach().numpy(), expected / expected.sum(), rtol=1e-12)


def test_gradients_equal_finite_differences_also_of_second_order():
    layer = measure(a=3, b=2, c=2)
    layer.tensor.data.normal_()
    features = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)

    def output(features, tensor):
        return closeness((features @ tensor.flatten(1)).unflatten(1, tensor.shape[1:]))

    assert torch.autograd.gradcheck(output, (features, layer.tensor))
    assert torch.autograd.gradgradcheck(output, (features, layer.tensor))


def test_equal_samples_are_as_close_as_can_be():
    layer = measure()
    np.testing.assert_allclose(layer(torch.ones(5, 4, dtype=torch.float64)).detach(), 5.0)


def test_calibrated_nearest_neighbours_are_two_apart_on_average():
    layer = measure()
    features = 100 * torch.randn(7, 4, dtype=torch.float64)
    layer.calibrate(features)
    m = layer.matrices(features).detach().numpy()
    for b in range(3):
        nearest = [min(np.abs(m[i, b] - m[j, b]).sum() for j in range(7) if j != i) for i in range(7)]
        assert np.mean(nearest) == pytest.approx(2.0)


def test_processes_calibrate_by_the_mean_of_their_neighbours_distances(monkeypatch):
    def nearest_of(part):
        m = measure().matrices(part).detach().numpy()
        return np.mean(
            [[min(np.abs(m[i, b] - o[b]).sum() for o in np.delete(m, i, 0)) for b in range(3)] for i in range(6)], 0
        )

    parts = [scale * torch.randn(6, 4, dtype=torch.float64) for scale in (100, 300)]
    nearest, scales = [nearest_of(part) for part in parts], []
    for mine, own in zip(parts, nearest, strict=True):

        def mean(value, own=own):
            np.testing.assert_allclose(value, own)
            return torch.from_numpy(np.mean(nearest, axis=0))

        monkeypatch.setattr(distributed, "mean", mean)
        layer = measure()
        layer.calibrate(mine)
        scales.append(layer.scale.flatten())
    assert torch.equal(*scales)
    np.testing.assert_allclose(scales[0], 2 / np.mean(nearest, axis=0))


def with_strategy(strategy, start=True):
    game = small_game(loss=NonSaturating(), start=False)
    strategy.apply(game)
    if start:
        game.start(torch.device("cpu"))
    return game


STRATEGIES = (MinibatchDiscrimination(networks=None, kernels=3, kernel_dim=2), MinibatchStddev(networks=None))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: type(s).__name__)
def test_the_last_layer_is_one_linear_layer_on_the_concatenation(strategy):
    game = with_strategy(strategy)
    d = game.discriminator
    x = torch.randn(6, 2)
    features = d.features(x)[-1]
    inputs = torch.cat([features, d.output.statistic(features)], dim=1)
    weight = torch.cat([d.output.output.weight, d.output.on_statistic.weight], dim=1)
    expected = torch.nn.functional.linear(inputs, weight, d.output.output.bias).squeeze(1)
    torch.testing.assert_close(d(x).logits, expected)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: type(s).__name__)
def test_real_and_generated_batches_are_never_mixed(strategy):
    game = with_strategy(strategy)
    seen = []
    game.discriminator.output.statistic.register_forward_hook(lambda _, inputs, output: seen.append(inputs[0]))
    batch = Draws(n=4)()
    pair = game.meet(batch)["main"]
    alone = game.discriminator(batch.samples).logits
    torch.testing.assert_close(pair.real_output.logits, alone)
    pair.fake_output  # noqa: B018
    assert [len(inputs) for inputs in seen] == [4, 4, 4]
    # The score does depend on the rest of its own batch.
    assert not torch.allclose(game.discriminator(batch.samples[:2]).logits, alone[:2], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: type(s).__name__)
def test_the_new_weights_are_trained(strategy):
    game = with_strategy(strategy)
    torch.manual_seed(0)
    game.step(Draws())
    before = {name: p.clone() for name, p in game.discriminator.output.named_parameters()}
    game.step(Draws())
    assert {n for n, p in game.discriminator.output.named_parameters() if not torch.equal(p, before[n])} == set(before)


def test_the_closeness_is_calibrated_once_on_the_first_real_batch():
    game, draws = with_strategy(STRATEGIES[0]), Draws()
    statistic = game.discriminator.output.statistic
    game.openings[0](game, draws)
    expected = Closeness(4, 3, 2)
    expected.tensor.data.copy_(statistic.tensor)
    expected.calibrate(game.discriminator.features(draws.batches[0].samples)[-1])
    assert torch.equal(statistic.scale, expected.scale)
    game.openings[0](game, draws)
    assert torch.equal(statistic.scale, expected.scale)
    assert len(draws.batches) == 1


def test_a_batch_of_one_has_nothing_to_compare():
    game = with_strategy(STRATEGIES[0])
    with pytest.raises(ConfigError, match="minibatch_discrimination .* train.batch_size above 1"):
        game.step(lambda: Batch(torch.zeros(1, 2)))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: type(s).__name__)
def test_a_gradient_penalty_needs_samples_judged_alone(strategy):
    game = with_strategy(strategy, start=False)
    game.player("discriminator").add_term("gradient_penalty", GradientPenalty(one_sided=False))
    with pytest.raises(ConfigError, match="gradient_penalty needs .* minibatch_"):
        game.start(torch.device("cpu"))


def test_mean_deviation_equals_numpy():
    features = torch.randn(9, 5, dtype=torch.float64)
    expected = np.sqrt(features.numpy().var(axis=0) + 1e-8).mean()
    assert mean_deviation(features).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16, torch.float16])
def test_mean_deviation_of_equal_samples_has_a_finite_gradient(precision):
    features = torch.ones(4, 3, dtype=precision, requires_grad=True)
    mean_deviation(features).backward()
    assert torch.isfinite(features.grad).all()


def test_both_stack():
    game = small_game(start=False)
    for strategy in STRATEGIES:
        strategy.apply(game)
    game.start(torch.device("cpu"))
    assert all(torch.isfinite(loss).all() for loss in game.step(Draws()).values())
