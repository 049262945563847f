"""Data that come in an order, by class or by time: a score must not see the first of them alone."""

import pytest
import torch

from gan_framework.config.schema import EvaluateConfig
from gan_framework.core.records import DataShape
from gan_framework.evaluation.evaluator import Evaluator
from gan_framework.evaluation.metric import Comparison, FeatureSet
from gan_zoo.columns import Column, Layout
from gan_zoo.extractors.raw import Raw
from gan_zoo.metrics import grammar, series_statistics, tables
from gan_zoo.metrics.control import TransitionError
from gan_zoo.metrics.ngrams import Ngrams
from gan_zoo.metrics.series_scores import SeriesClasses
from gan_zoo.metrics.series_statistics import SeriesStatistics
from gan_zoo.metrics.spectrum_distance import SpectrumDistance
from gan_zoo.metrics.tables import Marginals
from tests.evaluation.conftest import Blobs

N, LOOKED_AT = 120, 30

LAYOUT = Layout((Column("kind", "category", ("a", "b", "c")),), "modes")


def series(kinds):
    return torch.sin((1 + kinds[:, None, None]) * torch.arange(20) / 3)


def one_hot(kinds, width):
    return torch.nn.functional.one_hot(kinds, width).float()


ORDERED = {
    "series_statistics": (SeriesStatistics(3), series, (1, 20)),
    "marginals": (Marginals(LAYOUT.plain()), lambda kinds: one_hot(kinds, 3), (3,)),
    "ngrams": (Ngrams(1), lambda kinds: one_hot(kinds, 4)[:, None].expand(-1, 5, -1), (5, 4)),
    "spectrum_distance": (SpectrumDistance(), series, (1, 20)),
}


@pytest.mark.parametrize("name", ORDERED)
def test_of_real_samples_in_order_each_kind_is_looked_at(name, monkeypatch):
    metric, make, shape = ORDERED[name]
    for module, constant in ((series_statistics, "MOST"), (tables, "ROWS"), (grammar, "MOST")):
        monkeypatch.setattr(module, constant, LOOKED_AT)
    monkeypatch.setattr(series_statistics.series_of, "__defaults__", (LOOKED_AT,))
    monkeypatch.setattr(grammar.tokens_of, "__defaults__", (LOOKED_AT,))
    monkeypatch.setattr(type(metric), "samples_kept", LOOKED_AT)
    kinds = torch.arange(N) // (N // 3)  # one after the other
    mixed = make(kinds[torch.randperm(N, generator=torch.Generator().manual_seed(0))])
    real = make(kinds)
    generated = FeatureSet(mixed.flatten(1), None, None, lambda indices: mixed[:LOOKED_AT][indices], LOOKED_AT)
    sides = generated, FeatureSet(real.flatten(1), None, None, lambda indices: real[indices])
    shape = DataShape(shape, vocabulary=shape[1] if name == "ngrams" else 0)
    scores = metric.scores(Comparison(*sides, {}.__getitem__, shape, False))
    (first, *_) = metric.higher_is_better
    limit = {"series_statistics": 0.1, "marginals": 0.15, "ngrams": 0.02, "spectrum_distance": 1.0}[name]
    assert scores[first] < limit  # of the first 30 alone: 0.55, 0.67, 0.32 and 9.6


@pytest.mark.slow
def test_labels_stay_with_the_series_that_are_looked_at(monkeypatch):
    monkeypatch.setattr(SeriesClasses, "samples_kept", 60)
    kinds = torch.arange(N) // (N // 2)
    data = series(4 * kinds)
    side = FeatureSet(data.flatten(1), None, kinds, lambda indices: data[indices])
    comparison = Comparison(side, side, {}.__getitem__, DataShape((1, 20), 2), False)
    assert SeriesClasses(60, 8).scores(comparison)["tstr_accuracy"] == 1


def test_more_samples_than_are_kept_are_no_error():
    kept = torch.zeros(TransitionError.samples_kept, 6)
    side = FeatureSet(torch.zeros(len(kept) + 1, 6), None, None, lambda indices: kept[indices], len(kept))
    TransitionError().scores(Comparison(side, side, {}.__getitem__, DataShape((6,)), False))


def test_images_from_elsewhere_are_read_again_where_a_metric_reads_some(tmp_path):
    read = []

    class Looks(SpectrumDistance):
        samples_kept = 4

        def scores(self, comparison):
            read.append(comparison.generated.read(comparison.generated.some(4)).flatten(1)[:, 0].tolist())
            return super().scores(comparison)

    images = torch.arange(10, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 8, 8).clone()
    images[:, :, 4:] += 100
    settings = EvaluateConfig(samples=10, baselines=False)
    evaluator = Evaluator(Raw(), {"looks": Looks()}, Blobs(), "blobs", settings, torch.device("cpu"), tmp_path)
    evaluator.score_images(images.split(5), 10, lambda indices: images[indices])
    evaluator.score_images(images.split(5), 10)
    assert read == [[0, 3, 6, 9], [0, 1, 2, 3]]
