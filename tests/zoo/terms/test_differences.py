"""R1 and R2 estimated by differences of scores: by hand, and equal in expectation on a net with a known gradient."""

import pytest
import torch
from torch import nn

from gan_framework.build import build_game
from gan_framework.core.judge import Judge
from gan_framework.core.pair import Pair
from gan_framework.core.precision import Precision
from gan_framework.core.records import Batch, DataShape, DiscriminatorOutput, Latent
from gan_framework.errors import ConfigError
from gan_zoo.terms.zero_centered import R1, R2, ApproximateR1, ApproximateR2

SIDES = {"real": (ApproximateR1, R1), "fake": (ApproximateR2, R2)}


class Linear(nn.Module):
    """D(x) = w · x + ½ c ‖x‖², whose gradient is w + c x."""

    def __init__(self, dim, curvature):
        super().__init__()
        self.w = nn.Parameter(torch.linspace(-1, 1, dim))
        self.curvature = curvature

    def forward(self, x, labels=None):
        return DiscriminatorOutput(x @ self.w + 0.5 * self.curvature * x.square().sum(1), (x,))


def pair_of(network, real, fake, dtype=None):
    judge = Judge("discriminator", network, Precision("bf16" if dtype else "fp32", torch.device("cpu")))
    return Pair(judge, Batch(real), Latent(torch.zeros(len(fake), 1)), fake)


@pytest.mark.parametrize("side", SIDES)
def test_the_estimate_written_out(side):
    real, fake = torch.randn(4, 6), torch.randn(4, 6) + 1
    pair = pair_of(Linear(6, 0.3), real, fake)
    torch.manual_seed(7)
    value = SIDES[side][0](0.25)(pair, None)
    torch.manual_seed(7)
    x = getattr(pair, side)
    near = x + 0.25 * torch.randn(4, 6)
    network = pair.judge.network
    expected = 0.5 * (((near - x) @ network.w + 0.15 * (near.square() - x.square()).sum(1)) / 0.25).square().mean()
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("side", SIDES)
def test_equal_in_expectation_to_the_penalty_of_the_gradient(side):
    """At 40,000 copies of two points the mean is within four standard errors of ½ ‖w + c x‖²."""
    points = torch.tensor([[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]])
    many = points.repeat_interleave(40_000, 0)
    network = Linear(3, 0.5)
    approximate, exact = SIDES[side]
    torch.manual_seed(0)
    found = approximate(1e-3)(pair_of(network, many, many), None)
    known = 0.5 * (network.w + 0.5 * points).square().sum(1).mean()
    torch.testing.assert_close(exact()(pair_of(network, points, points), None), known)
    # (∇D · ε)² of a normal ε is ‖∇D‖² times chi-squared of one degree, whose variance is 2.
    error = (0.25 * 2 * (network.w + 0.5 * points).square().sum(1).square().mean() / len(many)) ** 0.5
    assert abs(found - known) < 4 * error + 1e-3


def test_its_gradient_reaches_the_network_and_no_second_derivative_is_taken():
    network = Linear(3, 0.0)
    x = torch.randn(1000, 3)
    pair = pair_of(network, x, x)
    torch.manual_seed(0)
    ApproximateR1(0.1)(pair, None).backward()
    torch.manual_seed(0)
    noise = torch.randn(1000, 3)
    torch.testing.assert_close(network.w.grad, (noise.T @ (noise @ network.w) / 1000).detach(), rtol=1e-3, atol=1e-4)
    assert not ApproximateR1.differentiates_twice
    assert R1.differentiates_twice


def test_half_precision_does_not_round_the_difference_away():
    network = Linear(6, 0.3)
    x = torch.randn(64, 6)
    values = []
    for half in (None, torch.bfloat16):
        torch.manual_seed(1)
        values.append(ApproximateR1(1e-3)(pair_of(network, x, x, half), None))
    torch.testing.assert_close(*values)


@pytest.mark.parametrize("sigma", [0.0, -1.0])
def test_noise_has_to_be_there(sigma):
    with pytest.raises(ValueError, match=r"sigma=.* must be positive"):
        ApproximateR1(sigma)


def test_random_changes_of_samples_are_refused(compose):
    config = compose("model=mlp", "term=[approximate_r1]", "strategy=[instance_noise]")
    with pytest.raises(ConfigError, match="approximate_r1 compares scores of two passes, and .* choose r1"):
        build_game(config, DataShape((1, 32, 32)), torch.device("cpu"))


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
@pytest.mark.parametrize("side", SIDES)
def test_weights_that_follow_their_norm_are_not_taken_for_a_slope(side, dtype):
    """D is linear in x, of slope w / |w|, of which the norm is followed by one iteration in each pass."""
    network = nn.Sequential(nn.Linear(6, 8, bias=False), nn.Linear(8, 1, bias=False))
    for layer in network:
        nn.utils.parametrizations.spectral_norm(layer)
    with torch.no_grad():  # the norms that have been followed are those of other weights
        network[0].parametrizations.weight.original.normal_()
    judge = nn.Module()
    judge.add_module("layers", network)
    judge.forward = lambda x, labels=None: DiscriminatorOutput(network(x).squeeze(1), (x,))
    real, fake = 10 * torch.randn(4000, 6), 10 * torch.randn(4000, 6)
    pair = pair_of(judge, real, fake, dtype)
    pair.outputs  # noqa: B018 (as a loss asks)
    estimate = SIDES[side][0](1e-3)(pair, None)
    slope = (network[1].eval().weight @ network[0].eval().weight).square().sum().item()
    assert estimate.item() == pytest.approx(slope / 2, rel=0.1)
