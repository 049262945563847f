"""The likelihood of features under a Gaussian of real ones."""

import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet
from gan_framework.registry import registry
from gan_zoo.metrics.embedding_likelihood import EmbeddingLikelihood, Gaussian
from tests.helpers.independent import image_game

REAL, FAKE = [(1, 0), (0, 1), (2, 2)], [(0, 0), (1, 0), (0, -1)]


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def test_the_likelihood_by_hand():
    fitted = Gaussian.of(tensor(REAL), ridge=0.1)
    found = fitted.log_likelihood(tensor(FAKE))
    assert found.tolist() == pytest.approx([-2.3764990533, -2.2716039484, -4.0897857666], abs=1e-9)
    assert found.mean().item() == pytest.approx(-2.9126295894, abs=1e-9)
    assert fitted.log_likelihood(tensor(REAL)).mean().item() == pytest.approx(-2.3065689833, abs=1e-9)


@pytest.mark.parametrize("samples", [4, 30])
def test_the_likelihood_is_that_of_the_covariance_also_where_samples_are_few(samples):
    features = torch.randn(samples, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    points = torch.randn(5, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    centred = features - features.mean(0)
    covariance = centred.T @ centred / samples + 0.3 * torch.eye(9, dtype=torch.float64)
    expected = torch.distributions.MultivariateNormal(features.mean(0), covariance).log_prob(points)
    torch.testing.assert_close(Gaussian.of(features, 0.3).log_likelihood(points), expected)


def sets(n, seed):
    stored = torch.randint(0, 256, (n, 1, 2, 2), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    return FeatureSet(torch.zeros(n, 1), None, None, lambda indices: stored[indices]), stored


def test_the_scores_are_those_of_the_discriminators_features():
    game = image_game().float()
    (train, x), (test, y), (generated, g) = (sets(n, seed) for n, seed in ((40, 0), (20, 1), (30, 2)))
    game.discriminator.train()
    comparison = Comparison(
        generated, train, {"train": train, "test": test}.__getitem__, DataShape((1, 2, 2)), False, game=game
    )
    scores = EmbeddingLikelihood(ridge=0.01, samples=1000).scores(comparison)
    with torch.no_grad():
        features = [game.discriminator(side / 127.5 - 1).features[-1].double() for side in (x, y, g)]
    fitted = torch.distributions.MultivariateNormal(
        features[0].mean(0), features[0].T.cov(correction=0) + 0.01 * torch.eye(3, dtype=torch.float64)
    )
    held_out, made = (fitted.log_prob(side).mean().item() for side in features[1:])
    assert scores["embedding_likelihood"] == pytest.approx(made, abs=1e-5)
    assert scores["embedding_likelihood_gap"] == pytest.approx(held_out - made, abs=1e-5)
    assert game.discriminator.training


def test_few_samples_are_a_warning():
    game = image_game().float()
    train, _ = sets(3, 0)
    comparison = Comparison(train, train, lambda name: train, DataShape((1, 2, 2)), False, game=game)
    EmbeddingLikelihood(0.1, 100).scores(comparison)
    assert "a Gaussian of 3 features is fitted to 3 samples" in comparison.warnings[0]


def test_a_discriminator_that_judges_packs_is_refused():
    game = image_game(start=False)
    registry.build("strategies", {"name": "pack", "m": 2, "batch_size": 4}).apply(game)
    game.start(torch.device("cpu"))
    with pytest.raises(ConfigError, match=r"metrics\.embedding_likelihood asks what is said of each single sample"):
        EmbeddingLikelihood(0.1, 100).check(game)


@pytest.mark.parametrize(("ridge", "samples", "word"), [(0.0, 100, "ridge=0.0"), (0.1, 1, "samples=1")])
def test_settings_that_cannot_be_right_are_named(ridge, samples, word):
    with pytest.raises(ValueError, match=word):
        EmbeddingLikelihood(ridge, samples)
