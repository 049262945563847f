import numpy as np
import pytest
import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet
from gan_zoo.datasets.mixture import centres
from gan_zoo.metrics.mode_coverage import ModeCoverage, mode_coverage
from gan_zoo.reference import Reference

PLANE = DataShape((2,), 8)


def test_coverage_by_hand():
    modes = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = torch.tensor(
        [
            [0.0, 0.29],  # near the first
            [0.2, 0.2],  # near the first: 0.283 away
            [10.0, 0.31],  # 0.31 from the second: too far
            [5.0, 5.0],  # nowhere
            [0.3, 10.0],  # at the edge of the third
        ]
    )
    assert mode_coverage(points, modes, std=0.1 + 1e-6) == (2, pytest.approx(3 / 5))
    assert mode_coverage(points, modes, std=0.11) == (3, pytest.approx(4 / 5))
    assert mode_coverage(points[3:4], modes, std=0.1) == (0, 0.0)


def test_all_real_samples_cover_all_modes():
    torch.manual_seed(0)
    points = centres("grid").repeat(400, 1) + 0.05 * torch.randn(10_000, 2)
    covered, share = mode_coverage(points, centres("grid"), 0.05)
    assert covered == 25
    # Within 3 deviations of a plane's Gaussian: 1 - exp(-9/2).
    assert share == pytest.approx(1 - np.exp(-4.5), abs=0.004)


def test_the_metric_reads_the_samples():
    points = centres("ring")[[0, 0, 3]]
    samples = FeatureSet(torch.empty(3, 1), None, None, lambda indices: points[indices])
    scores = ModeCoverage("ring", 0.02).scores(Comparison(samples, samples, lambda split: samples, PLANE, False))
    assert scores == {"modes_covered": 2.0, "high_quality": 1.0}


def test_the_metric_needs_points_in_the_plane():
    ModeCoverage("ring", 0.02).check_samples(PLANE, 10, 10)
    with pytest.raises(ConfigError, match="points in the plane"):
        ModeCoverage("ring", 0.02).check_samples(DataShape((1, 8, 8)), 10, 10)
    with pytest.raises(ConfigError, match="choose one of ring, grid, spiral"):
        ModeCoverage("star", 0.02)


def test_the_reference_keeps_the_first_samples_and_changes_no_batch():
    reference = Reference(5, (2,))
    batches = [Batch(torch.full((3, 2), float(i)), torch.arange(3)) for i in range(4)]
    drawn = iter(batches)
    for batch in batches:
        assert reference.watching(lambda: next(drawn))() is batch
        if batch is batches[0]:
            assert reference.kept.tolist() == [[0, 0]] * 3
    assert reference.kept.tolist() == [[0, 0]] * 3 + [[1, 1]] * 2

    other = Reference(5, (2,))
    other.load_state_dict(reference.state_dict())
    assert torch.equal(other.kept, reference.kept)


@pytest.fixture
def game(compose):
    return build_game(compose("experiment=mixture_2d", "debug=smoke"), PLANE, torch.device("cpu"))


def test_the_picture_shows_samples_on_real_points(game):
    game.step(lambda: Batch(centres("ring")))
    latent = game.latent(50)
    first = game.picture(latent, 8)
    with torch.no_grad():
        game.generator.layers[-2].bias += 1.0
    second = game.picture(latent, 8)
    assert first.shape == (3, 320, 320) and first.dtype == torch.uint8
    a, b = (picture.permute(1, 2, 0).numpy().astype(int) for picture in (first, second))
    blue = [(image[..., 2] > image[..., 0] + 50) for image in (a, b)]
    # Samples have moved to the right and up.
    (rows_a, columns_a), (rows_b, columns_b) = (np.nonzero(mask[60:, :]) for mask in blue)
    assert columns_b.mean() > columns_a.mean() + 20
    assert rows_b.mean() < rows_a.mean() - 20


def test_other_samples_are_refused(compose):
    config = compose("experiment=mixture_2d", "data=gaussian", "data.channels=3", "metrics=[]")
    with pytest.raises(ConfigError, match="points in the plane, and the data are \\(3,\\)"):
        build_game(config, DataShape((3,)), torch.device("cpu"))
