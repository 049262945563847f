"""The integrals against closed forms."""

import math

import pytest
import torch
from torch import distributions

from gan_zoo import theory

X = torch.linspace(-30, 30, 60_001, dtype=torch.float64)


def log_density(mean, std):
    return theory.normal_log_density(X, mean, std)


def test_the_normal_density_is_that_of_torch():
    expected = distributions.Normal(torch.tensor(1.5, dtype=torch.float64), 0.7).log_prob(X)
    torch.testing.assert_close(log_density(1.5, 0.7), expected)


def test_at_the_optimum_of_both_d_is_one_half_and_v_is_minus_log_4():
    log_p = log_density(2.0, 0.5)
    logit = theory.optimal_logit(log_p, log_p)
    assert logit.sigmoid().eq(0.5).all()
    assert theory.jensen_shannon(log_p, log_p, X).item() == pytest.approx(0, abs=1e-12)
    assert theory.value(logit, log_p, log_p, X).item() == pytest.approx(-math.log(4))


def test_densities_that_do_not_meet():
    log_p, log_g = log_density(-10.0, 0.5), log_density(10.0, 0.5)
    assert theory.jensen_shannon(log_p, log_g, X).item() == pytest.approx(math.log(2))
    assert theory.value(theory.optimal_logit(log_p, log_g), log_p, log_g, X).item() == pytest.approx(0, abs=1e-9)


def test_the_optimal_value_is_minus_log_4_plus_twice_the_divergence():
    log_p, log_g = log_density(2.0, 0.5), log_density(0.3, 1.2)
    value = theory.value(theory.optimal_logit(log_p, log_g), log_p, log_g, X)
    expected = -math.log(4) + 2 * theory.jensen_shannon(log_p, log_g, X)
    assert value.item() == pytest.approx(expected.item(), abs=1e-10)


def test_no_other_discriminator_reaches_the_optimal_value():
    log_p, log_g = log_density(2.0, 0.5), log_density(0.3, 1.2)
    best = theory.value(theory.optimal_logit(log_p, log_g), log_p, log_g, X)
    for change in (0.1 * torch.sin(X), torch.full_like(X, 0.05), -0.1 * theory.optimal_logit(log_p, log_g)):
        assert theory.value(theory.optimal_logit(log_p, log_g) + change, log_p, log_g, X) < best


def test_the_divergence_against_sampling():
    # JSD = ½ KL(p || m) + ½ KL(g || m), estimated from a million samples each.
    torch.manual_seed(0)
    p, g = distributions.Normal(2.0, 0.5), distributions.Normal(0.3, 1.2)

    def half(of, other):
        x = of.sample((1_000_000,)).double()
        return (of.log_prob(x) - torch.logaddexp(of.log_prob(x), other.log_prob(x)) + math.log(2)).mean() / 2

    found = theory.jensen_shannon(log_density(2.0, 0.5), log_density(0.3, 1.2), X)
    assert found.item() == pytest.approx((half(p, g) + half(g, p)).item(), abs=1e-3)


def test_the_error_of_a_discriminator_that_always_says_one_half():
    # Where only one density is, D* is 1 or 0, so |½ - D*| is ½ everywhere that matters.
    log_p, log_g = log_density(-10.0, 0.5), log_density(10.0, 0.5)
    assert theory.discriminator_error(torch.zeros_like(X), log_p, log_g, X).item() == pytest.approx(0.5)
    assert theory.discriminator_error(theory.optimal_logit(log_p, log_g), log_p, log_g, X).item() == 0
