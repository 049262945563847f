"""Fréchet distances, and the scores that are made of them."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet
from gan_framework.evaluation.statistics import write_statistics
from gan_framework.registry import registry
from gan_zoo.metrics.fid import FID
from gan_zoo.metrics.fid_infinity import FIDInfinity
from gan_zoo.metrics.fid_interval import FIDInterval
from gan_zoo.metrics.frechet import DistanceTo, frechet_distance, moments, read_statistics
from gan_zoo.metrics.intra_fid import IntraFID

VECTORS = DataShape((2,), 3)


def normal(n, dim, mean=0.0, seed=0):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)) + mean


def compare(generated, real, labels=(None, None)):
    sides = [FeatureSet(x, None, y, lambda indices: None) for x, y in zip((generated, real), labels, strict=True)]
    return Comparison(*sides, {"train": sides[1]}.__getitem__, VECTORS, False)


@pytest.mark.parametrize("count", [5000, 5])
def test_the_statistics_are_float64_in_chunks(count):
    x = normal(count, 6, mean=100)
    found = moments(x)
    assert np.allclose(found.mean, x.double().numpy().mean(0), rtol=1e-13)
    assert np.allclose(found.sigma(), np.cov(x.double().numpy(), rowvar=False), rtol=1e-10)
    assert float(found.trace) == pytest.approx(np.trace(np.cov(x.double().numpy(), rowvar=False)))


@pytest.mark.parametrize(("n", "m"), [(500, 400), (500, 20), (20, 500), (20, 25), (30, 31)])
def test_the_distance_is_torch_fidelitys_for_many_and_for_few_samples(n, m):
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    mixing = normal(30, 30, seed=5)
    x, y = normal(n, 30) @ mixing, normal(m, 30, mean=0.3, seed=1)
    theirs = fid_statistics_to_metric(*(fid_features_to_statistics(side.double()) for side in (x, y)), verbose=False)
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(theirs[KEY_METRIC_FID], rel=1e-6)
    assert DistanceTo(moments(y))(x) == pytest.approx(theirs[KEY_METRIC_FID], rel=1e-6)


def test_what_is_left_between_torch_fidelity_and_us_is_its_mean_in_float32():
    """It adds features up in their own precision, which shows where they are many and their distance is small."""
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    x, y = normal(20_000, 8).abs(), normal(20_000, 8, seed=1).abs() + 0.03
    statistics = [fid_features_to_statistics(side) for side in (x, y)]
    ours = frechet_distance(moments(x), moments(y))
    theirs = fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID]
    assert 1e-7 < abs(ours / theirs - 1) < 1e-3
    means = [side.double().numpy().mean(0) for side in (x, y)]
    right = [known | {"mu": mean} for known, mean in zip(statistics, means, strict=True)]
    assert fid_statistics_to_metric(*right, verbose=False)[KEY_METRIC_FID] == pytest.approx(ours, rel=1e-9)


def test_the_small_matrix_at_inceptions_size_is_that_of_the_definition():
    """Two sets of 60 samples of 2048 features, by scipy's root of one covariance times the other."""
    x, y = normal(60, 2048).relu(), normal(50, 2048, mean=0.1, seed=1).relu()
    span = torch.linalg.qr(torch.cat([x, y]).double().T).Q  # all variation is within these 110 directions
    a, b = (side.double() @ span for side in (x, y))
    root = sqrtm(np.cov(a.numpy(), rowvar=False))
    traces = np.trace(np.cov(a.numpy(), rowvar=False)) + np.trace(np.cov(b.numpy(), rowvar=False))
    product = np.trace(sqrtm(root @ np.cov(b.numpy(), rowvar=False) @ root).real)
    expected = float((a.mean(0) - b.mean(0)).square().sum()) + traces - 2 * product
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(expected, rel=1e-6)


def test_statistics_are_written_as_other_programs_read_them(tmp_path):
    """Keys and estimator of pytorch-fid's --save-stats, clean-fid and EDM's ref: numpy's mean and covariance."""
    x = normal(50, 4)
    write_statistics(tmp_path / "a.npz", x)
    with np.load(tmp_path / "a.npz") as written:
        assert sorted(written.files) == ["mu", "sigma"]
        assert (written["mu"].dtype, written["sigma"].dtype) == (np.float64, np.float64)
        assert np.allclose(written["mu"], np.mean(x.double().numpy(), axis=0), rtol=1e-13)
        assert np.allclose(written["sigma"], np.cov(x.double().numpy(), rowvar=False), rtol=1e-12)


def test_fid_against_statistics_of_a_file_is_that_against_the_features(tmp_path):
    generated, real, other = normal(40, 4), normal(50, 4, mean=0.5, seed=1), normal(9, 4, seed=2)
    np.savez(tmp_path / "real.npz", mu=real.numpy().mean(0), sigma=np.cov(real.numpy(), rowvar=False))
    given = FID(tmp_path / "real.npz")
    assert given.scores(compare(generated, other))["fid"] == pytest.approx(
        FID().scores(compare(generated, real))["fid"], rel=1e-5
    )
    assert FID().settings() == {}
    copied = tmp_path / "elsewhere.npz"
    copied.write_bytes((tmp_path / "real.npz").read_bytes())
    assert given.settings() == FID(copied).settings() != {}
    np.savez(copied, mu=real.numpy().mean(0) + 1, sigma=np.cov(real.numpy(), rowvar=False))
    assert given.settings() != FID(copied).settings()


def test_what_stands_beside_fid_is_of_the_same_reference(compose, tmp_path):
    """An interval, and a limit, of distances to the data's own features would be those of another score."""
    generated, real, other = normal(400, 2), normal(300, 2, mean=1, seed=1), normal(200, 2, mean=3, seed=2)
    write_statistics(tmp_path / "a.npz", other)
    typed = ["metrics=[fid,fid_interval,fid_infinity]", f"metrics.fid.statistics={tmp_path / 'a.npz'}"]
    metrics = {name: registry.build("metrics", of) for name, of in compose(*typed)["metrics"].items()}
    scores = {}
    for metric in metrics.values():
        scores |= metric.scores(compare(generated, real))
    assert scores["fid"] == pytest.approx(FID().scores(compare(generated, other))["fid"], rel=1e-6)
    assert scores["fid_low"] < scores["fid"] < scores["fid_high"] < scores["fid"] + 5
    assert scores["fid_infinity"] == pytest.approx(scores["fid"], rel=0.1)
    assert len({metric.settings()["statistics"] for metric in metrics.values()}) == 1
    assert FIDInterval(5).settings() == {"groups": 5}


def test_statistics_of_another_network_are_refused(tmp_path):
    write_statistics(tmp_path / "a.npz", normal(50, 4))
    with pytest.raises(ConfigError, match=r"a.npz is of 4 features, and the extractor gives 3"):
        FID(tmp_path / "a.npz").scores(compare(normal(9, 3), normal(9, 3, seed=1)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        ({"mu": np.zeros(3)}, "mu .D,. and sigma"),
        ({"mu": np.zeros(3), "sigma": np.eye(4)}, r"mu has the shape \(3,\) and sigma \(4, 4\)"),
        ({"mu": np.full(3, np.nan), "sigma": np.eye(3)}, "not finite"),
        ({"mu": np.array([None, 1], dtype=object), "sigma": np.eye(2)}, "mu .D,. and sigma"),
    ],
)
def test_what_is_no_file_of_statistics_is_refused(content, said, tmp_path):
    if content is not None:
        np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(ConfigError, match=rf"metrics.fid.statistics=.*a.npz.*{said}"):
        read_statistics(tmp_path / "a.npz", "metrics.fid.statistics")


def test_the_interval_is_as_wide_as_fids_of_new_samples_spread():
    """Over 80 draws of 300 samples, the jackknife's mean error against the deviation of the FIDs themselves."""
    real = normal(1000, 3, seed=10_000)
    metric, found = FIDInterval(10), []
    for seed in range(80):
        drawn = compare(1.3 * normal(300, 3, mean=0.2, seed=seed), real)
        found.append({**metric.scores(drawn), **FID().scores(drawn)})
    deviation = np.std([one["fid"] for one in found], ddof=1)
    assert np.mean([one["fid_se"] for one in found]) == pytest.approx(deviation, rel=0.25)  # itself known to 8 percent
    expected = np.mean([one["fid"] for one in found])
    held = np.mean([one["fid_low"] < expected < one["fid_high"] for one in found])
    assert held > 0.8  # 0.93 over 400 draws


def test_the_interval_does_not_hang_on_the_order_of_samples():
    """Images of a folder come class after class, and each group of neighbours would be of one class."""
    real, drawn = normal(1000, 2, seed=1), normal(300, 2)
    drawn[:, 0] += 8 * (torch.arange(300) % 3)
    errors = [
        FIDInterval(10).scores(compare(samples, real))["fid_se"] for samples in (drawn, drawn[drawn[:, 0].argsort()])
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.5)  # 35 by neighbours, 6 at random


def test_the_interval_is_the_jackknifes_by_hand():
    generated, real = normal(10, 2), normal(30, 2, mean=1, seed=1)
    found = FIDInterval(5).scores(compare(generated, real))
    generated = generated[torch.randperm(10, generator=torch.Generator().manual_seed(0))]
    fid = lambda x: FID().scores(compare(x, real))["fid"]  # noqa: E731
    left = [fid(torch.cat([generated[: 2 * i], generated[2 * i + 2 :]])) for i in range(5)]
    error = math.sqrt(4 / 5 * sum((one - sum(left) / 5) ** 2 for one in left))
    assert found["fid_se"] == pytest.approx(error, rel=1e-6)
    assert found["fid_high"] == pytest.approx(fid(generated) + 2.776445 * error, rel=1e-6)  # t, 4 degrees of freedom
    assert found["fid_low"] == pytest.approx(fid(generated) - 2.776445 * error, rel=1e-6)


def test_fid_infinity_has_lost_the_bias():
    """Two normal distributions of 20 features whose means are 0.5 apart in one: the distance is 0.25."""
    shift = torch.zeros(20)
    shift[0] = 0.5
    real = normal(20_000, 20, seed=9)
    biased, corrected = [], []
    for seed in range(6):
        drawn = compare(normal(500, 20, seed=seed) + shift, real)
        biased.append(FID().scores(drawn)["fid"] - 0.25)
        corrected.append(FIDInfinity(15, 0.1).scores(drawn)["fid_infinity"] - 0.25)
    assert np.mean(biased) > 0.15
    assert abs(np.mean(corrected)) < 0.2 * np.mean(biased)


def test_fid_infinity_is_the_intercept_of_a_line_through_its_fids(monkeypatch):
    monkeypatch.setattr("gan_zoo.metrics.fid_infinity.DistanceTo", lambda target: lambda x: 3.0 + 70.0 / len(x))
    found = FIDInfinity(4, 0.2).scores(compare(normal(100, 2), normal(10, 2)))
    assert found["fid_infinity"] == pytest.approx(3.0, rel=1e-9)


def test_intra_fid_is_the_mean_of_the_classes_distances():
    labels = torch.arange(60) % 3
    generated, real = normal(60, 2), normal(60, 2, seed=1) + 2 * labels[:, None]
    found = IntraFID().scores(compare(generated, real, (labels, labels)))["intra_fid"]
    each = [FID().scores(compare(generated[labels == c], real[labels == c]))["fid"] for c in range(3)]
    assert found == pytest.approx(sum(each) / 3)
    assert found > FID().scores(compare(generated, real))["fid"] + 1  # classes that are ignored show here


def test_intra_fid_of_a_class_that_was_not_asked_for_is_no_number():
    labels = torch.arange(60) % 3
    drawn = compare(normal(60, 2), normal(60, 2, seed=1), (labels.clamp(max=1), labels))
    assert math.isnan(IntraFID().scores(drawn)["intra_fid"])
    assert "of some only 0 was asked for" in drawn.warnings[0]


@pytest.mark.parametrize(
    ("metric", "generated", "said"),
    [
        (FIDInterval(10), 19, "at least 20 generated samples"),
        (FIDInfinity(15, 0.1), 29, "at least 30 generated samples"),
        (FIDInfinity(3, 0.1), 19, "at least 20 generated samples"),
        (IntraFID(), 5, "of 3 classes needs at least 6 samples"),
    ],
)
def test_too_few_samples_are_refused_before_training(metric, generated, said):
    with pytest.raises(ConfigError, match=said):
        metric.check_samples(VECTORS, generated, 100)
    metric.check_samples(VECTORS, generated + 1, 100)


def test_intra_fid_needs_two_real_samples_of_a_class(game, conditional_game):
    with pytest.raises(ConfigError, match="one of class 1, 2"):
        IntraFID().check_labels(torch.tensor([0, 0, 1, 2, 4, 4]))
    IntraFID().check_labels(torch.tensor([0, 0, 2, 2]))
    with pytest.raises(ConfigError, match="asked for no classes"):
        IntraFID().check(game)
    IntraFID().check(conditional_game)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: FIDInterval(4), "metrics.fid_interval.groups=4"),
        (lambda: FIDInfinity(2, 0.1), "metrics.fid_infinity.points=2"),
        (lambda: FIDInfinity(5, 1.0), "metrics.fid_infinity.least=1.0"),
    ],
)
def test_wrong_settings_name_the_setting(build, said):
    with pytest.raises(ConfigError, match=said):
        build()
