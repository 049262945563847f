import math

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation.metric import Comparison, FeatureSet
from gan_zoo.metrics.fid import FID
from gan_zoo.metrics.inception_score import InceptionScore, inception_score
from gan_zoo.metrics.kid import KID
from gan_zoo.metrics.memorisation import Memorisation
from gan_zoo.metrics.modes import Modes
from gan_zoo.metrics.ms_ssim import MSSSIM, ms_ssim, pairs_within_classes, scales
from gan_zoo.metrics.neighbours import nearest
from gan_zoo.metrics.prc import PRC, density_and_coverage

VECTORS = DataShape((2,), 3)


def feature_set(features, logits=None, labels=None, images=None):
    return FeatureSet(features, logits, labels, lambda indices: images[indices])


def compare(generated, real, test=None, shape=VECTORS, classifies_labels=False):
    splits = {"train": real, "test": test}
    return Comparison(generated, real, splits.__getitem__, shape, classifies_labels)


def normal(n, dim, mean=0.0, seed=0):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)) + mean


def test_fid_of_known_gaussians():
    # Diagonal covariances: |m1 - m2|^2 + sum (s1 - s2)^2, up to the sampling error of 200,000 samples.
    generated, real = 2 * normal(200_000, 3) + 1, normal(200_000, 3, seed=1)
    scores = FID().scores(compare(feature_set(generated), feature_set(real)))
    assert scores["fid"] == pytest.approx(3 * (1 + 1), rel=0.02)


def test_inception_score_of_certain_and_uncertain_predictions():
    certain = 1000 * torch.eye(4).repeat(25, 1)
    assert InceptionScore(splits=1).scores(compare(feature_set(certain, certain), None))["is"] == pytest.approx(4)
    blank = torch.zeros(100, 4)
    scores = InceptionScore(splits=10).scores(compare(feature_set(blank, blank), None))
    assert scores == pytest.approx({"is": 1, "is_std": 0})


def test_the_mode_score_is_the_inception_score():
    """Che et al. 2017, whatever the data's classes are: their probabilities drop out."""
    p, q = np.random.default_rng(0).dirichlet([0.3] * 4, 50), np.array([0.1, 0.2, 0.3, 0.4])
    kl = lambda a, b: (a * np.log(a / b)).sum(-1)  # noqa: E731
    mode_score = np.exp(kl(p, q).mean() - kl(p.mean(0), q))
    assert inception_score(torch.from_numpy(np.log(p))) == pytest.approx(mode_score)


def test_inception_score_needs_a_sample_for_each_part():
    InceptionScore(splits=10).check_samples(VECTORS, 10, 100)
    with pytest.raises(ConfigError, match="splits=10 .*there are 9"):
        InceptionScore(splits=10).check_samples(VECTORS, 9, 100)


def unbiased_mmd(x, y):
    """The definition, pair by pair (Gretton et al. 2012, equation 3)."""
    n, m, dim = len(x), len(y), x.shape[1]
    kernel = lambda a, b: (float(a @ b) / dim + 1) ** 3  # noqa: E731
    same_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    same_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return same_x + same_y - 2 * sum(kernel(a, b) for a in x for b in y) / (n * m)


def test_kid_is_the_unbiased_mmd():
    x, y = normal(20, 4), normal(20, 4, mean=1, seed=1)
    comparison = compare(feature_set(x), feature_set(y))
    scores = KID(subsets=3, subset_size=20).scores(comparison)
    assert scores["kid"] == pytest.approx(unbiased_mmd(x.double(), y.double()), rel=1e-9)
    assert scores["kid_std"] == pytest.approx(0, abs=1e-12)
    assert comparison.warnings == []


def test_kid_with_too_few_samples_says_what_it_did():
    comparison = compare(feature_set(normal(20, 4)), feature_set(normal(30, 4, mean=1, seed=1)))
    KID(subsets=2, subset_size=100).scores(comparison)
    assert "N=20 < subset_size=100: subsets of 20 are used" in comparison.warnings[0]


def test_kid_and_inception_score_draw_the_parts_that_torch_fidelity_draws():
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = normal(50, 4), normal(40, 4, mean=1, seed=1)
    comparison = compare(feature_set(x, x), feature_set(y))
    theirs = kid_features_to_metric(x, y, kid_subsets=5, kid_subset_size=20, verbose=False)
    assert list(KID(5, 20).scores(comparison).values()) == pytest.approx(list(theirs.values()), rel=1e-4)
    theirs = isc_features_to_metric(x, splits=5)
    assert list(InceptionScore(5).scores(comparison).values()) == pytest.approx(list(theirs.values()), rel=1e-9)


def balls_by_hand(generated, real, k, k_density):
    between = np.linalg.norm(generated[:, None] - real[None], axis=2)
    radius = lambda x, k: np.sort(np.linalg.norm(x[:, None] - x[None], axis=2), 1)[:, k]  # noqa: E731
    inside = between < radius(real, k_density)
    return {
        "precision": (between <= radius(real, k)).any(1).mean(),
        "recall": (between.T <= radius(generated, k)).any(1).mean(),
        "density": inside.sum(1).mean() / k_density,
        "coverage": inside.any(0).mean(),
    }


def test_prc_by_hand():
    generated, real = normal(80, 3, mean=0.7), normal(60, 3, seed=1)
    scores = PRC(neighbours=3, density_neighbours=5).scores(compare(feature_set(generated), feature_set(real)))
    assert scores == pytest.approx(balls_by_hand(generated.numpy(), real.numpy(), 3, 5), abs=1e-6)
    assert len({round(value, 3) for value in scores.values()}) == 4  # the four say different things here


def test_prc_needs_more_samples_than_neighbours():
    PRC(3, 5).check_samples(VECTORS, 6, 6)
    for generated, real in ((5, 50), (50, 5)):
        with pytest.raises(ConfigError, match=f"more than 5.* {generated} generated and {real} real"):
            PRC(3, 5).check_samples(VECTORS, generated, real)


def test_prc_of_close_neighbours_far_from_the_origin():
    generated, real = normal(300, 1, mean=30, seed=2), normal(1500, 1, mean=30, seed=1)
    scores = PRC(neighbours=3, density_neighbours=5).scores(compare(feature_set(generated), feature_set(real)))
    expected = balls_by_hand(generated.double().numpy(), real.double().numpy(), 3, 5)
    # Features in float32 leave some ties, which the definition leaves to rounding.
    assert scores == pytest.approx(expected, abs=3e-3)


def test_modes_counts_the_classes_the_classifier_sees():
    logits = torch.eye(3)[torch.tensor([0] * 6 + [1] * 2)]
    real = feature_set(normal(12, 2), labels=torch.arange(12) % 3)
    scores = Modes().scores(compare(feature_set(logits, logits), real, classifies_labels=True))
    assert scores["modes"] == 2
    assert scores["modes_entropy"] == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert scores["modes_kl"] == pytest.approx(0.75 * math.log(0.75 * 3) + 0.25 * math.log(0.25 * 3))


def test_modes_without_a_classifier_takes_the_nearest_real_class():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    labels = torch.arange(30) % 3
    real = feature_set(centres[labels] + normal(30, 2), labels=labels)
    generated = centres[torch.tensor([0, 0, 2, 2])] + normal(4, 2, seed=1)
    other_logits = normal(4, 1000)
    scores = Modes().scores(compare(feature_set(generated, other_logits), real))
    assert scores["modes"] == 2
    assert scores["modes_entropy"] == pytest.approx(math.log(2))


def test_nearest_finds_equal_samples_at_distance_zero():
    points = normal(1500, 64, mean=50)
    distances, indices = nearest(points[200:1400], points, k=2)
    assert torch.equal(indices[:, 0], torch.arange(200, 1400))
    assert torch.equal(distances[:, 0], torch.zeros(1200, dtype=torch.float64))
    expected = (points[200] - points).norm(dim=1).sort().values[1]
    assert distances[0, 1] == pytest.approx(float(expected), rel=1e-6)


def test_nearest_tells_close_neighbours_apart_far_from_the_origin():
    from scipy.spatial import cKDTree

    queries, points = normal(700, 1, mean=30), normal(5000, 1, mean=30, seed=1)
    expected, _ = cKDTree(points.double().numpy()).query(queries.double().numpy(), k=3)
    assert np.allclose(nearest(queries, points, k=3)[0].numpy(), expected, rtol=0, atol=1e-12)


class TestMemorisation:
    shape = DataShape((1, 4, 4), 0)

    def side(self, features):
        images = torch.randint(0, 255, (len(features), 1, 4, 4), dtype=torch.uint8)
        return feature_set(features, images=images)

    def score(self, generated):
        train, test = normal(400, 3, seed=1), normal(300, 3, seed=2)
        comparison = compare(self.side(generated), self.side(train), self.side(test), self.shape)
        return Memorisation(rows=4, neighbours=5).scores(comparison), comparison

    def test_samples_like_held_out_ones(self):
        scores, comparison = self.score(normal(500, 3, seed=3))
        assert scores["memorisation"] == pytest.approx(0.5, abs=0.07)
        assert scores["memorisation_ratio"] == pytest.approx(1, abs=0.15)
        assert comparison.warnings == []

    def test_copies(self):
        scores, comparison = self.score(normal(400, 3, seed=1)[:100])
        assert scores == {"memorisation": 1.0, "memorisation_ratio": 0.0}
        assert "copies" in comparison.warnings[0]

    def test_copies_of_close_neighbours_far_from_the_origin(self):
        train, test = normal(5000, 1, mean=30, seed=1), normal(300, 1, mean=30, seed=2)
        comparison = compare(feature_set(train[:200]), feature_set(train), feature_set(test))
        # A few held-out values equal training values in float32, and count half.
        assert Memorisation(rows=4, neighbours=5).scores(comparison)["memorisation"] == pytest.approx(1, abs=0.01)

    def test_the_picture_puts_the_nearest_training_image_beside_a_copy(self):
        train = normal(400, 3, seed=1)
        generated = normal(50, 3, seed=3)
        generated[7] = train[123]
        comparison = compare(self.side(generated), self.side(train), self.side(normal(300, 3, seed=2)), self.shape)
        Memorisation(rows=4, neighbours=5).scores(comparison)
        picture = comparison.pictures["memorisation"]
        assert picture.shape == (3, 4 * 6 + 2, 6 * 6 + 2)
        assert torch.equal(picture[0, 2:6, 2:6], comparison.generated.read(torch.tensor(7))[0])
        assert torch.equal(picture[0, 2:6, 8:12], comparison.real.read(torch.tensor(123))[0])


class TestMSSSIM:
    def side(self, images, labels):
        return feature_set(images.flatten(1).float(), labels=labels, images=images)

    def score(self, generated, real, labels):
        shape = DataShape(tuple(real.shape[1:]), 2)
        return MSSSIM(pairs=20).scores(compare(self.side(generated, labels), self.side(real, labels), shape=shape))

    def test_collapsed_classes_are_all_alike(self):
        labels = torch.arange(40) % 2
        noise = torch.randint(0, 255, (40, 1, 24, 24), dtype=torch.uint8)
        scores = self.score(noise[labels], noise, labels)
        assert scores["ms_ssim"] == pytest.approx(1, abs=1e-5)
        assert scores["ms_ssim_real"] < 0.3

    def test_pairs_are_of_different_samples_of_one_class(self):
        labels = torch.tensor([0, 1, 0, 1, 1, 2])
        first, second = pairs_within_classes(labels, 30)
        assert len(first) == 60  # class 2 has one sample only
        assert torch.equal(labels[first], labels[second])
        assert (first != second).all()

    @pytest.mark.parametrize(("size", "count"), [(11, 1), (21, 1), (22, 2), (44, 3), (87, 3), (88, 4), (176, 5)])
    def test_as_many_scales_as_the_window_fits_into(self, size, count):
        betas = scales(size)
        assert len(betas) == count
        assert sum(betas) == pytest.approx(1)
        x = 255 * torch.rand(2, 1, size, size, dtype=torch.float64)
        torch.testing.assert_close(ms_ssim(x, x, betas), torch.ones(2, dtype=torch.float64))

    @pytest.mark.parametrize("size", [28, 32, 50])
    def test_against_sums_over_windows_inside_the_image(self, size):
        random = np.random.default_rng(0)
        a = random.uniform(0, 255, (3, size, size))
        b = np.clip(a + random.normal(0, 40, a.shape), 0, 255)
        betas = scales(size)
        found = ms_ssim(torch.from_numpy(a)[None], torch.from_numpy(b)[None], betas)
        assert found.item() == pytest.approx(self.by_convolution(a, b, betas), rel=1e-10)

    def by_convolution(self, a, b, betas):
        """Wang et al. 2003 with scipy: valid windows, each scale the mean of four pixels."""
        line = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
        window = np.outer(line, line) / line.sum() ** 2

        def mean(x):
            return np.stack([convolve2d(channel, window, mode="valid") for channel in x])

        result = 1.0
        for beta in betas:
            ma, mb = mean(a), mean(b)
            va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
            contrast = (2 * cov + (0.03 * 255) ** 2) / (va + vb + (0.03 * 255) ** 2)
            light = (2 * ma * mb + (0.01 * 255) ** 2) / (ma**2 + mb**2 + (0.01 * 255) ** 2)
            result *= max((light * contrast if beta is betas[-1] else contrast).mean(), 0) ** beta
            even = a.shape[1] // 2 * 2
            a, b = (x[:, :even, :even].reshape(3, even // 2, 2, even // 2, 2).mean((2, 4)) for x in (a, b))
        return result

    def test_images_too_small(self):
        MSSSIM(pairs=20).check_samples(DataShape((1, 16, 11), 2), 10, 10)
        with pytest.raises(ConfigError, match="at least 11 pixels, not 8"):
            MSSSIM(pairs=20).check_samples(DataShape((1, 16, 8), 2), 10, 10)

    MSSSIM(pairs=20).check_labels(torch.tensor([0, 1, 1]))
    with pytest.raises(ConfigError, match="of the 3 real samples no two are of one"):
        MSSSIM(pairs=20).check_labels(torch.tensor([0, 2, 1]))


@pytest.mark.parametrize(
    ("build", "setting"),
    [
        (lambda: KID(0, 10), "kid.subsets=0"),
        (lambda: KID(1, 1), "kid.subset_size=1"),
        (lambda: PRC(0, 5), "neighbours=0"),
        (lambda: InceptionScore(0), "splits=0"),
        (lambda: Memorisation(0, 1), "rows=0"),
        (lambda: MSSSIM(0), "pairs=0"),
    ],
)
def test_wrong_settings_name_the_setting(build, setting):
    with pytest.raises(ValueError, match=setting):
        build()


def test_an_inception_score_of_classes_without_any_probability():
    logits = (torch.eye(10)[3] * 746).repeat(50, 1)  # exp(-746) is zero in float64
    assert inception_score(logits.double()) == 1.0


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_the_density_of_copies_does_not_hang_on_rounding(shift):
    # Strictly inside: a sample's k-th neighbour lies on its ball, so each ball holds itself and k - 1 others at least.
    real = normal(300, 64, seed=3).double() + shift
    exact = (real[:, None] - real[None]).norm(dim=2)
    radii = exact.kthvalue(6, dim=1).values
    truth = int((exact < radii[:, None]).sum()) / (5 * len(real))
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    assert density_and_coverage(real[order].clone(), real, 5) == (truth, 1.0)
