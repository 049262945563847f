"""What the benchmarks measure of a run beside its scores, against what is known of it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from evidence import measures
from scipy import stats


@pytest.fixture
def restored(monkeypatch):
    """Let the next run that is restored be a game, and its configuration."""

    def restore(game, config):
        monkeypatch.setattr("gan_framework.runs.restore.load_game", lambda run: (game, config))
        return Path("a run")

    return restore


def test_a_gaussian_is_as_far_from_the_data_as_its_two_numbers(restored):
    generator = SimpleNamespace(mean=torch.tensor([2.3]), std=torch.tensor([-0.9]))
    game = SimpleNamespace(networks={"generator": generator})
    run = restored(game, {"data": {"mean": 2.0, "std": 0.5}})
    assert measures.distance_to_data(run)["distance"] == pytest.approx(0.5)


def variation(means, others):
    """Half the integral of the difference of two mixtures."""
    x = np.linspace(-15, 15, 6001)
    p, q = (stats.norm.pdf(x, np.array(of)[:, None]).mean(0) for of in (means, others))
    return np.trapezoid(np.abs(p - q), x) / 2


@pytest.mark.slow
def test_two_means_are_played_from_other_places_by_each_seed(restored, compose):
    rates = [f"optimizer.{player}.lr=0" for player in ("generator", "discriminator")]
    config = compose("experiment=gmm_gan", "train.steps=1", *rates)
    found = []
    for seed in (0, 1):
        run = restored(None, config | {"seed": seed})
        found.append(measures.total_variation(run)["total_variation"])
    random = torch.Generator().manual_seed(0)
    starts = [torch.empty(3, 2).uniform_(-3, 3, generator=random)[0].tolist() for _ in range(measures.STARTS)]
    expected = np.mean([variation((-1.0, 1.0), start) for start in starts])
    assert found[0] == pytest.approx(expected, abs=1e-5)
    assert found[1] != pytest.approx(expected, abs=1e-2)
