"""The Parzen window against scikit-learn's kernel density and against densities that are known."""

import json
import math

import numpy as np
import pytest
import torch
from scipy.stats import norm, sem
from sklearn.neighbors import KernelDensity

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet
from gan_zoo.metrics import parzen
from gan_zoo.metrics.parzen import Parzen, log_density

SIGMAS = [0.05, 0.1, 0.3, 1.0]


def uint8(n, seed, channels=1):
    return torch.randint(256, (n, channels, 3, 3), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def normal(n, dim, seed=0):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))


def theirs(queries, points, sigma):
    """Return scikit-learn's log densities, pixels in [0, 1]."""
    x, y = ((s.flatten(1).double() / (255 if s.dtype == torch.uint8 else 1)).numpy() for s in (queries, points))
    return KernelDensity(bandwidth=sigma, rtol=1e-12).fit(y).score_samples(x)


def samples_of(tensor, kept=None):
    return FeatureSet(torch.zeros(len(tensor), 1), None, None, lambda indices: tensor[:kept][indices], kept)


def compare(generated, test, kept=None):
    shape = DataShape(tuple(test.shape[1:]), value_range=None if test.dtype == torch.uint8 else (-math.inf, math.inf))
    splits = {"test": samples_of(test)}
    return Comparison(samples_of(generated, kept), samples_of(test), splits.__getitem__, shape, False)


@pytest.mark.parametrize("sides", [(uint8(30, 0), uint8(70, 1)), (normal(30, 5), normal(70, 5, seed=1))])
@pytest.mark.parametrize("block", [7, 500])
def test_log_densities_are_scikit_learns_whatever_the_blocks(monkeypatch, sides, block):
    monkeypatch.setattr(parzen, "BLOCK", block)
    found = log_density(*sides, SIGMAS)
    assert found.dtype == torch.float64
    for row, sigma in zip(found, SIGMAS, strict=True):
        assert np.allclose(row.numpy(), theirs(*sides, sigma), rtol=1e-9, atol=0)


def test_far_samples_have_a_finite_log_density():
    # A single Gaussian, whose density is known: 784 pixels, each 1 away at a deviation of 0.1, where exp() is zero.
    black, white = torch.zeros(1, 1, 28, 28, dtype=torch.uint8), torch.full((1, 1, 28, 28), 255, dtype=torch.uint8)
    assert log_density(black, white, [0.1]).item() == pytest.approx(784 * norm(1, 0.1).logpdf(0), rel=1e-12)


def test_the_scores_are_mean_and_standard_error_at_the_deviation_that_fits_the_validation_part():
    generated, test = uint8(80, 0), uint8(40, 1)
    comparison = compare(generated, test)
    scores = Parzen([0.1, 0.2, 0.3, 0.4, 5.0], 0.25).scores(comparison)
    chosen = np.linspace(0, 39, 10).round().astype(int)  # halves to the even number
    others = np.setdiff1d(np.arange(40), chosen)
    means = {sigma: theirs(test[chosen], generated, sigma).mean() for sigma in (0.1, 0.2, 0.3, 0.4, 5.0)}
    best = max(means, key=means.get)
    expected = theirs(test[others], generated, best)
    assert 0.1 < best < 5
    assert scores == pytest.approx({"parzen": expected.mean(), "parzen_sem": sem(expected), "parzen_sigma": best})
    assert comparison.warnings == []


def test_a_perfect_generator_nears_the_likelihood_of_the_truth():
    # Of standard normal samples under the standard normal density: minus its entropy.
    entropy = 2 * norm.entropy()
    scores = Parzen([0.05, 0.1, 0.2, 0.3, 0.5, 1.0], 0.2).scores(compare(normal(10_000, 2), normal(4000, 2, seed=1)))
    assert scores["parzen"] == pytest.approx(-entropy, abs=4 * scores["parzen_sem"] + 0.02)
    worse = Parzen([0.05, 0.1, 0.2, 0.3, 0.5, 1.0], 0.2).scores(compare(normal(10_000, 2) + 1, normal(4000, 2, seed=1)))
    assert worse["parzen"] < scores["parzen"] - 0.5  # the divergence of the two is 1, and wider Gaussians hide a part


def test_copies_of_the_validation_part_are_not_scored_by_it():
    # The scored part has nothing near: samples that copy what chooses the deviation win nothing by it.
    test = normal(40, 3)
    chosen = np.linspace(0, 39, 20).round().astype(int)
    scores = Parzen([1e-3, 1.0], 0.5).scores(compare(test[chosen], test))
    assert scores["parzen_sigma"] == 1e-3
    assert scores["parzen"] < -1000


@pytest.mark.parametrize(("sigmas", "end"), [([0.01, 0.02], "0.02"), ([5.0, 9.0], "5")])
def test_a_deviation_at_the_end_of_the_grid_is_told(sigmas, end):
    comparison = compare(normal(50, 2), normal(50, 2, seed=1))
    Parzen(sigmas, 0.2).scores(comparison)
    (warning,) = comparison.warnings
    assert f"the best deviation is {end}, at the end of metrics.parzen.sigmas" in warning


def test_only_kept_samples_are_read(monkeypatch):
    monkeypatch.setattr(Parzen, "samples_kept", 20)
    generated, test = normal(50, 2), normal(50, 2, seed=1)
    comparison = compare(generated, test, kept=20)
    scores = Parzen([0.5], 0.2).scores(comparison)
    assert scores == Parzen([0.5], 0.2).scores(compare(generated[:20], test))
    assert comparison.warnings == ["parzen: the windows are around 20 of 50 samples"]
    # Of what is kept whole, as a folder of images class after class, they are evenly spaced.
    evenly = generated[torch.linspace(0, 49, 20, dtype=torch.float64).round().long()]
    assert Parzen([0.5], 0.2).scores(compare(generated, test)) == Parzen([0.5], 0.2).scores(compare(evenly, test))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (([], 0.2), r"sigmas=\[\] must be a list of positive numbers"),
        (([0.1, 0.0], 0.2), r"sigmas=\[0.1, 0.0\]"),
        (([0.1, math.inf], 0.2), "sigmas="),
        (([0.1], 0.0), "validation=0.0 must lie between 0 and 1"),
        (([0.1], 1.0), "validation=1.0"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Parzen(*settings)


@pytest.mark.parametrize(("validation", "count"), [(0.1, 1), (0.9, 9)])
def test_a_test_split_that_cannot_be_divided_is_refused(validation, count):
    with pytest.raises(ConfigError, match=f"takes {count} of the 10 samples of the test split"):
        Parzen([0.1, 1.0], validation).scores(compare(normal(20, 2), normal(10, 2)))


def test_it_scores_a_run(program, tmp_path):
    program(
        *("model=mlp", "train.steps=20", "train.batch_size=16", "data.image_size=8", "tracker=[]"),
        *("extractor=raw", "metrics=[parzen]", "evaluate.samples=200", f"hydra.run.dir={tmp_path}"),
        check=0,
    )
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {"eval/parzen_raw", "eval/parzen_sem_raw", "eval/parzen_sigma_raw"} <= summary["metrics"].keys()
    assert summary["metrics"]["eval/parzen_sem_raw"] > 0
