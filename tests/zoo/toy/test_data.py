import math

import pytest
import torch

from gan_framework.data import build_source
from gan_framework.errors import ConfigError

MIXTURE = {
    "name": "mixture",
    "arrangement": "ring",
    "std": 0.02,
    "samples": 8000,
    "image_size": None,
    "channels": 2,
    "num_classes": None,
}
GAUSSIAN = {"name": "gaussian", "image_size": None, "channels": 3, "num_classes": 0, "mean": 2.0, "std": 0.5}


@pytest.mark.parametrize(("arrangement", "modes"), [("ring", 8), ("grid", 25), ("spiral", 16)])
def test_modes_are_where_they_are_said_to_be(arrangement, modes):
    source = build_source({**MIXTURE, "arrangement": arrangement})
    assert source.shape[:3] == ((2,), modes, 0)
    data = source.load("train")
    assert data.labels.bincount().tolist() == [8000 // modes] * modes
    means = torch.stack([data.samples[data.labels == mode].mean(0) for mode in range(modes)])
    torch.testing.assert_close(means, source.centres, atol=0.005, rtol=0)
    scattered = data.samples - source.centres[data.labels]
    torch.testing.assert_close(scattered.std(0), torch.full((2,), 0.02), atol=0.001, rtol=0)
    # Modes are told apart: no two are nearer than thirty deviations.
    apart = torch.cdist(source.centres, source.centres).fill_diagonal_(math.inf).min()
    assert apart > 30 * 0.02


def test_the_ring_is_that_of_metz():
    centres = build_source(MIXTURE).centres
    torch.testing.assert_close(centres.norm(dim=1), torch.full((8,), 2.0))
    angles = torch.atan2(centres[:, 1], centres[:, 0]) % (2 * math.pi)
    torch.testing.assert_close(angles, torch.arange(8) * math.pi / 4, atol=1e-5, rtol=0)


def test_the_grid_is_five_by_five():
    rows = [[a, b] for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)]
    assert build_source({**MIXTURE, "arrangement": "grid"}).centres.tolist() == rows


def test_the_splits_differ_and_stay():
    for settings in (MIXTURE, {**GAUSSIAN, "samples": 100}):
        first, again = (build_source(settings).load("train").samples for _ in range(2))
        assert torch.equal(first, again)
        assert not torch.equal(first, build_source(settings).load("test").samples)


def test_the_gaussian_has_its_mean_and_deviation():
    samples = build_source({**GAUSSIAN, "samples": 100_000}).load("train").samples
    torch.testing.assert_close(samples.mean(0), torch.full((3,), 2.0), atol=0.01, rtol=0)
    torch.testing.assert_close(samples.std(0), torch.full((3,), 0.5), atol=0.01, rtol=0)
    assert build_source({**GAUSSIAN, "std": 0.0, "samples": 2}).load("train").samples.eq(2).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({**MIXTURE, "arrangement": "star"}, "data.arrangement=star: choose one of ring, grid, spiral"),
        ({**MIXTURE, "num_classes": 10}, "data.num_classes=10, but the ring has 8 classes"),
        ({**MIXTURE, "channels": 3}, "channels=3 must be null and 2"),
        ({**MIXTURE, "std": 0.0}, "must be positive"),
        ({**GAUSSIAN, "samples": 10, "image_size": 8}, "image_size=8 must be null"),
        ({**GAUSSIAN, "samples": 0}, "samples=0: it must be at least 1"),
    ],
)
def test_other_settings_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        build_source(settings)


def test_there_are_two_splits():
    for settings in (MIXTURE, {**GAUSSIAN, "samples": 10}):
        with pytest.raises(ConfigError, match="has no split 'all'"):
            build_source(settings).load("all")
