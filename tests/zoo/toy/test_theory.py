"""The integrals against closed forms."""

import math

import pytest
import torch
from scipy.integrate import quad
from torch import distributions

from gan_zoo import theory

X = torch.linspace(-30, 30, 60_001, dtype=torch.float64)


def log_density(mean, std):
    return theory.normal_log_density(X, mean, std)


def points(p, g):
    return theory.Points(X, log_density(*p), log_density(*g))


def optimal(p, g):
    """D* as a function of any points."""
    return lambda x: theory.normal_log_density(x, *p) - theory.normal_log_density(x, *g)


def test_the_normal_density_is_that_of_torch():
    expected = distributions.Normal(torch.tensor(1.5, dtype=torch.float64), 0.7).log_prob(X)
    torch.testing.assert_close(log_density(1.5, 0.7), expected)


def test_at_the_optimum_of_both_d_is_one_half_and_v_is_minus_log_4():
    same = (2.0, 0.5)
    assert theory.optimal_logit(log_density(*same), log_density(*same)).sigmoid().eq(0.5).all()
    both = points(same, same)
    assert theory.jensen_shannon(both, both).item() == pytest.approx(0, abs=1e-12)
    assert theory.value(optimal(same, same), both, both).item() == pytest.approx(-math.log(4))


def test_densities_that_do_not_meet():
    p, g = (-10.0, 0.5), (10.0, 0.5)
    both = points(p, g)
    assert theory.jensen_shannon(both, both).item() == pytest.approx(math.log(2))
    assert theory.value(optimal(p, g), both, both).item() == pytest.approx(0, abs=1e-9)


def test_the_optimal_value_is_minus_log_4_plus_twice_the_divergence():
    p, g = (2.0, 0.5), (0.3, 1.2)
    both = points(p, g)
    expected = -math.log(4) + 2 * theory.jensen_shannon(both, both)
    assert theory.value(optimal(p, g), both, both).item() == pytest.approx(expected.item(), abs=1e-10)


def test_no_other_discriminator_reaches_the_optimal_value():
    p, g = (2.0, 0.5), (0.3, 1.2)
    both, best = points(p, g), optimal(p, g)
    value = theory.value(best, both, both)
    for change in (lambda x: 0.1 * torch.sin(x), lambda x: torch.full_like(x, 0.05), lambda x: -0.1 * best(x)):
        assert theory.value(lambda x, change=change: best(x) + change(x), both, both) < value


def test_the_divergence_against_sampling():
    # JSD = ½ KL(p || m) + ½ KL(g || m), estimated from a million samples each.
    torch.manual_seed(0)
    p, g = distributions.Normal(2.0, 0.5), distributions.Normal(0.3, 1.2)

    def half(of, other):
        x = of.sample((1_000_000,)).double()
        return (of.log_prob(x) - torch.logaddexp(of.log_prob(x), other.log_prob(x)) + math.log(2)).mean() / 2

    both = points((2.0, 0.5), (0.3, 1.2))
    found = theory.jensen_shannon(both, both)
    assert found.item() == pytest.approx((half(p, g) + half(g, p)).item(), abs=1e-3)


def test_the_error_of_a_discriminator_that_always_says_one_half():
    # Where only one density is, D* is 1 or 0, so |½ - D*| is ½ everywhere that matters.
    p, g = (-10.0, 0.5), (10.0, 0.5)
    both = points(p, g)
    assert theory.discriminator_error(torch.zeros_like, both, both).item() == pytest.approx(0.5)
    assert theory.discriminator_error(optimal(p, g), both, both).item() == 0


def test_each_expectation_has_a_grid_of_its_own_and_is_exact_on_it():
    # The union of two such grids integrates these densities to 1.000004.
    p, g = (2.0, 0.5), (1.983, 0.512)

    def around(mean, std):
        x = mean + std * torch.linspace(-10, 10, 1001, dtype=torch.float64)
        return theory.Points(x, theory.normal_log_density(x, *p), theory.normal_log_density(x, *g))

    data, generated = around(*p), around(*g)
    one = torch.ones(1001, dtype=torch.float64)
    assert data.mean_over_data(one).item() == pytest.approx(1, abs=1e-12)
    assert generated.mean_over_generated(one).item() == pytest.approx(1, abs=1e-12)

    def logit(x):
        return 0.3 * x - 0.55

    def integrand(x):
        log_d, log_not_d = (-math.log1p(math.exp(sign * (0.3 * x - 0.55))) for sign in (-1, 1))
        density = [math.exp(-0.5 * ((x - m) / s) ** 2) / (s * math.sqrt(2 * math.pi)) for m, s in (p, g)]
        return density[0] * log_d + density[1] * log_not_d

    truth, _ = quad(integrand, -4, 8, epsabs=1e-13, limit=500)
    assert theory.value(logit, data, generated).item() == pytest.approx(truth, abs=1e-10)
