"""Clipped Density and Clipped Coverage."""

import numpy as np
import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_zoo.metrics.clipped import Clipped, clipped, expected_coverage


def normal(n, dim, seed):
    return torch.randn(n, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_definition(generated, real, k):
    """Both before coverage is put on its scale, sample by sample."""
    generated, real = generated.numpy(), real.numpy()
    apart = lambda a, b: float(np.sqrt(((a - b) ** 2).sum()))  # noqa: E731
    radii = [sorted(apart(x, y) for j, y in enumerate(real) if i != j)[k - 1] for i, x in enumerate(real)]
    narrow = [min(radius, float(np.median(radii))) for radius in radii]
    holding = [sum(apart(x, y) <= r for x, r in zip(real, narrow, strict=True)) for y in generated]
    ideal = [sum(apart(x, y) <= narrow[i] for i, x in enumerate(real) if i != j) for j, y in enumerate(real)]
    density = np.mean([min(n / k, 1) for n in holding]) / np.mean([min(n / k, 1) for n in ideal])
    covered = np.mean([min(sum(apart(x, y) < r for y in generated) / k, 1) for x, r in zip(real, radii, strict=True)])
    return min(density, 1), covered


@pytest.mark.parametrize("shift", [0.0, 0.7, 2.0])
def test_they_are_those_of_the_definition(shift):
    generated, real = normal(30, 2, 0) + shift, normal(40, 2, 1)
    density, covered = by_definition(generated, real, 3)
    found = clipped(generated, real, 3)
    assert found[0] == pytest.approx(density)
    assert found[1] == np.searchsorted(expected_coverage(30, 40, 3), covered) / 31


def test_coverage_is_what_is_expected_of_good_samples():
    """Simulated: balls around 40 real samples that m of 25 samples of the same distribution fall into, in one
    dimension, where the radii have the same law as in any."""
    random = np.random.default_rng(0)
    expected = expected_coverage(25, 40, 3)
    assert (expected[:3] == 0).all() and (np.diff(expected[3:]) > 0).all()
    for good in (5, 25):
        found = []
        for _ in range(1500):
            real, samples = random.random((40, 4)), random.random((good, 4))
            to_real = np.sort(np.linalg.norm(real[0] - real[1:], axis=1))[2]
            found.append(min((np.linalg.norm(real[0] - samples, axis=1) < to_real).sum() / 3, 1))
        assert np.mean(found) == pytest.approx(expected[good], abs=4 * np.std(found) / 1500**0.5)


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_they_are_the_share_of_good_samples(share):
    real, generated = normal(1500, 4, 0), normal(1500, 4, 1)
    generated[int(share * 1500) :] += 100
    density, coverage = clipped(generated, real, 5)
    assert density == pytest.approx(share, abs=0.04)
    assert coverage == pytest.approx(share, abs=0.04)


def test_outliers_of_the_data_raise_no_density():
    """Bad samples around one far real sample, whose ball would hold them all."""
    real, generated = normal(300, 2, 0), normal(300, 2, 1)
    real[0] = 60
    generated[150:] = 40
    density, _ = clipped(generated, real, 5)
    assert density == pytest.approx(0.5, abs=0.06)


def test_copies_of_the_data_are_perfect_whatever_rounding_does():
    real = normal(600, 20, 0).float().double()
    assert clipped(real.clone(), real, 5) == (1.0, 1.0)


def test_too_few_samples_and_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="neighbours=0: it must be at least 1"):
        Clipped(0)
    shape = DataShape((2,))
    Clipped(5).check_samples(shape, 5, 6)
    for generated, real in ((4, 6), (5, 5)):
        with pytest.raises(ConfigError, match=f"there are {generated} and {real}"):
            Clipped(5).check_samples(shape, generated, real)
