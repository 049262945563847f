"""What real held-out samples and noise score beside a model's samples."""

import numpy as np
import pytest
import torch

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, InMemory
from gan_framework.errors import ConfigError
from gan_framework.evaluation import baselines
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.metric import Metric
from gan_framework.evaluation.sampling import draw_latents
from gan_framework.storage.images import to_uint8
from gan_zoo.extractors.raw import Raw
from gan_zoo.metrics.fid import FID
from gan_zoo.metrics.frechet import frechet_distance, moments
from gan_zoo.metrics.memorisation import Memorisation
from gan_zoo.metrics.parzen import Parzen
from gan_zoo.metrics.prc import PRC
from tests.evaluation.conftest import Blobs

CPU = torch.device("cpu")


def make(source, folder, metrics=None, extractor=None, **settings):
    settings = EvaluateConfig(**({"samples": 60, "batch_size": 16} | settings))
    return Evaluator(extractor or Raw(), metrics or {"fid": FID()}, source, "blobs", settings, CPU, folder)


def flat(images):
    return images.flatten(1).float() / 127.5 - 1


def fid(a, b):
    return frechet_distance(moments(flat(a)), moments(flat(b)))


def evenly(samples, count):
    return samples[np.linspace(0, len(samples) - 1, count).round().astype(int)]


def test_real_samples_are_as_many_of_the_other_split_and_noise_is_uniform_and_quantised(source, game, tmp_path):
    found = make(source, tmp_path)(game).baselines["fid_raw"]
    train, test = source.load("train").samples, source.load("test").samples
    assert found.real == pytest.approx(fid(evenly(test, 60), train), rel=1e-6)
    assert found.samples == "held-out: 60 real samples of the test split; noise: 60 samples uniform in [-1, 1]"
    pieces = [*baselines.noise(make(source, tmp_path).reference, "train", 260)]
    noise = torch.cat(pieces)
    assert noise.shape == (260, 1, 8, 8) and noise.dtype == torch.uint8
    share = noise.flatten().bincount(minlength=256).double() / noise.numel()
    ends = to_uint8(torch.tensor([-1.0, 1.0]))
    assert ends.tolist() == [0, 255]
    # Uniform: means of 16,640 values, and of every eighth of the range, within five standard deviations.
    assert noise.double().mean() == pytest.approx(127.5, abs=5 * 73.6 / 129)
    assert share[:-1].view(-1, 15).sum(1).numpy() == pytest.approx(15 / 255, abs=5 * 0.0019)
    assert found.noise == pytest.approx(fid(noise[:60], train), rel=1e-6)


def test_where_the_reference_is_the_test_split_real_samples_are_training_samples(source, game, tmp_path):
    found = make(source, tmp_path, split="test")(game).baselines["fid_raw"]
    train, test = source.load("train").samples, source.load("test").samples
    assert found.real == pytest.approx(fid(evenly(train, 60), test), rel=1e-6)


def test_too_few_real_samples_are_all_taken_and_that_is_said(source, game, tmp_path):
    found = make(source, tmp_path, samples=201)(game).baselines["fid_raw"]
    train, test = source.load("train").samples, source.load("test").samples
    assert found.real == pytest.approx(fid(test, train), rel=1e-6)
    assert "200 real samples of the test split (fewer than 201);" in found.samples


class TrainOnly(Blobs):
    def load(self, split):
        if split == "test":
            raise ConfigError("there is no split 'test'")
        return super().load(split)


def test_without_another_split_the_reference_is_halved_at_random(game, tmp_path):
    found = make(TrainOnly(), tmp_path)(game).baselines["fid_raw"]
    samples, real = baselines.halves(200)
    assert sorted([*samples.tolist(), *real.tolist()]) == [*range(200)] and len(samples) == len(real) == 100
    train = TrainOnly().load("train").samples
    assert found.real == pytest.approx(fid(train[samples[:60]], train[real]), rel=1e-6)
    # Classes that take turns are on both sides: each side has one alone where every second sample is taken.
    assert found.real < 0.3 * fid(train[1::2], train[::2])
    assert "60 real samples of the train split against other 100 of it" in found.samples


def test_a_metric_that_reads_a_split_is_given_samples_of_another(source, game, tmp_path):
    metrics = {"memorisation": Memorisation(2, 2), "parzen": Parzen([0.1, 0.5, 1.0], 0.2)}
    found = make(source, tmp_path, metrics)(game).baselines
    assert found["memorisation_raw"].real == pytest.approx(0.5, abs=0.15)
    assert found["memorisation_raw"].noise < 0.01
    assert "of the test split" in found["memorisation_raw"].samples
    # Windows around test samples themselves would be far above those around training samples.
    assert found["parzen_raw"].noise < found["parzen_raw"].real < 100
    assert "of the train split" in found["parzen_raw"].samples


class Asked(Metric):
    """The share of samples of which a label is known, and the labels' mean."""

    higher_is_better = {"known": True}

    def scores(self, comparison):
        labels = comparison.generated.labels
        return {"known": 0.0 if labels is None else len(labels) / len(comparison.generated.features), "mean": 0.5}


def test_classes_are_known_where_those_of_the_samples_are(source, game, conditional_game, tmp_path):
    evaluator = make(source, tmp_path, {"asked": Asked()})
    for model, known in ((game, 0.0), (conditional_game, 1.0)):
        found = evaluator(model).baselines["known_raw"]
        assert (found.real, found.noise) == (known, known)


class OfTheModel(Asked):
    needs_game = True


class Breaks(Asked):
    def scores(self, comparison):
        if comparison.game is None:
            raise ZeroDivisionError("by a sample of noise")
        return super().scores(comparison)


@pytest.mark.parametrize("metric", [OfTheModel(), Breaks()])
def test_a_metric_that_has_none_costs_nobody_the_scores(source, game, tmp_path, metric):
    evaluation = make(source, tmp_path, {"asked": metric, "fid": FID()})(game)
    assert evaluation.scores.keys() == {"known_raw", "mean_raw", "fid_raw"}
    assert evaluation.baselines.keys() == {"fid_raw"}


def test_a_side_that_cannot_be_scored_is_left_out(game, tmp_path):
    class FewHeldOut(Blobs):
        def load(self, split):
            data = super().load(split)
            return data if split == "train" else InMemory(data.samples[:4], data.labels[:4])

    found = make(FewHeldOut(), tmp_path, {"prc": PRC(3, 5)})(game).baselines["precision_raw"]
    assert found.real is None
    assert found.noise == 0


def test_they_are_kept_under_all_that_they_depend_on(source, game, tmp_path, monkeypatch):
    first = make(source, tmp_path)(game).baselines
    drawn = []
    monkeypatch.setattr(baselines, "noise", lambda *args: drawn.append(args) or baselines.original(*args))
    monkeypatch.setattr(baselines, "original", noise, raising=False)
    assert make(source, tmp_path)(game).baselines == first
    assert drawn == []
    for change in ({"samples": 61}, {"reference": 150}, {"split": "test"}, {"metrics": {"fid": OtherFID()}}):
        make(source, tmp_path, **change)(game)
        assert len(drawn) == 1, change
        drawn.clear()


noise = baselines.noise


class OtherFID(FID):
    """The same under another name, as one of another package may be."""


def test_they_change_no_score_and_no_random_state(source, game, tmp_path):
    before = torch.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()
    with_them = make(source, tmp_path)(game)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)
    without = make(source, tmp_path, baselines=False)(game)
    assert without.baselines == {}
    assert without.scores == with_them.scores
    assert without.protocol == with_them.protocol
    assert draw_latents(game, EvaluateConfig(samples=3), 0, None).z.shape == (3, 4)


class Vectors(DataSource):
    shape = DataShape((2,), 0)

    def load(self, split):
        points = torch.rand(500, 2, generator=torch.Generator().manual_seed(len(split)))
        return InMemory(points * torch.tensor([2.0, 30.0]) + torch.tensor([5.0, -40.0]), None)


class Sequences(Vectors):
    shape = DataShape((3, 4), 0, value_range=(-2.0, 6.0))

    def load(self, split):
        return InMemory(torch.rand(50, 3, 4), None)


class Tokens(Vectors):
    shape = DataShape((4, 6), vocabulary=6)

    def load(self, split):
        return InMemory(torch.randint(0, 6, (50, 4), generator=torch.Generator().manual_seed(1)), None)


def test_noise_of_vectors_fills_the_box_that_the_data_fill(tmp_path):
    found = torch.cat([*baselines.noise(make(Vectors(), tmp_path).reference, "train", 3000)])
    data = Vectors().load("train").samples
    assert (found.amin(0) >= data.amin(0)).all() and (found.amax(0) <= data.amax(0)).all()
    assert found.mean(0).tolist() == pytest.approx([6.0, -25.0], abs=1.0)
    assert found.std(0).tolist() == pytest.approx([2 / 12**0.5, 30 / 12**0.5], rel=0.1)


def test_noise_of_other_data_is_uniform_in_their_range(tmp_path):
    found = torch.cat([*baselines.noise(make(Sequences(), tmp_path).reference, "train", 400)])
    assert found.shape == (400, 3, 4)
    assert -2 <= found.min() < -1.9 and 5.9 < found.max() <= 6


def test_noise_of_tokens_is_of_tokens(tmp_path):
    found = torch.cat([*baselines.noise(make(Tokens(), tmp_path).reference, "train", 300)])
    assert found.shape == (300, 4, 6)
    assert (found.sum(2) == 1).all() and set(found.unique().tolist()) == {0.0, 1.0}
    assert found.mean((0, 1)).tolist() == pytest.approx([1 / 6] * 6, abs=0.06)
