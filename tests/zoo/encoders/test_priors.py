"""The priors that codes of AAE are to look like."""

import math

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry

CPU = torch.device("cpu")


def drawn(n=20_000, **settings):
    return registry.build("priors", settings).draw(n, CPU, torch.Generator().manual_seed(0)).z


def test_gaussians_lie_on_a_circle_and_are_stretched_along_its_radius():
    z = drawn(name="gaussian_mixture", dim=4, components=4, radius=20.0, along=2.0, across=0.5)
    assert z.shape == (20_000, 4)
    for pair in z.unflatten(1, (2, 2)).unbind(1):
        nearest = (torch.atan2(pair[:, 1], pair[:, 0]) / (math.pi / 2)).round().long() % 4
        assert nearest.bincount().tolist() == pytest.approx([5000] * 4, rel=0.05)
        right = pair[nearest == 0]
        assert right.mean(0).tolist() == pytest.approx([20, 0], abs=0.1)
        assert right.std(0).tolist() == pytest.approx([2, 0.5], rel=0.05)


def test_one_round_gaussian_is_a_normal_prior_of_any_deviation():
    """AAE's for digits: N(0, 5²) of 8."""
    z = drawn(name="gaussian_mixture", dim=8, components=1, radius=0.0, along=5.0, across=5.0)
    torch.testing.assert_close(z.T.cov(), 25 * torch.eye(8), atol=0.8, rtol=0)


def test_a_spiral_is_as_likely_all_along():
    z = drawn(name="swiss_roll", dim=2, radius=3.0, turns=2.0, std=0.0)
    radius = z.square().sum(1).sqrt()
    assert radius.max() <= 3
    angle = torch.atan2(z[:, 1], z[:, 0])
    wanted = (4 * math.pi * radius / 3).remainder(2 * math.pi)
    apart = (angle.remainder(2 * math.pi) - wanted).abs()
    assert torch.minimum(apart, 2 * math.pi - apart).max() < 1e-3
    # The length of a spiral grows with the square of its radius, so that is uniform.
    assert (radius / 3).square().histc(5, 0, 1).tolist() == pytest.approx([4000] * 5, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"name": "gaussian_mixture", "dim": 3}, "dim=3: the entries go in pairs; set prior.dim=4"),
        ({"name": "gaussian_mixture", "along": 0.0}, "along=0.0, across=0.1: the deviations must be positive"),
        ({"name": "swiss_roll", "turns": -1.0}, "turns=-1.0, std=0.0: the first two must be positive"),
    ],
)
def test_what_is_no_prior_is_refused(settings, reason):
    defaults = {
        "gaussian_mixture": {"dim": 2, "components": 10, "radius": 1.4, "along": 0.5, "across": 0.1},
        "swiss_roll": {"dim": 2, "radius": 3.0, "turns": 2.0, "std": 0.0},
    }
    with pytest.raises(ConfigError, match=reason):
        registry.build("priors", defaults[settings["name"]] | settings)
