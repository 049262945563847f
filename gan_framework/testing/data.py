"""The contracts of extractors and metrics."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.evaluation.cache import Cache
from gan_framework.evaluation.extractor import Extractor
from gan_framework.evaluation.metric import Comparison, FeatureSet, Metric, PairedSamples
from gan_framework.storage.images import to_uint8
from gan_framework.testing.guards import expect, expect_finite, inputs_kept, own_randomness
from gan_framework.testing.subject import Subject

SCORED = 100
"""How many samples metrics are tried on."""

FEATURES = 16
CLASSES = 10


# -- extractors -------------------------------------------------------------------------------------


def extracts_features(subject: Subject) -> None:
    """Features are float32 (N, dim), of each sample alone, and the same every time."""
    extractor: Extractor = subject.build()
    expect(
        getattr(extractor, "name", None) == subject.name.rpartition(":")[2],
        "its attribute `name` is not its entry point's name, in which the scores' names end",
    )
    extractor.check(subject.shape)
    with tempfile.TemporaryDirectory() as folder:
        extractor.prepare(subject.source, torch.device("cpu"), Cache(Path(folder)))
    extractor.eval()
    samples = _scored(subject, 4)
    with own_randomness("extract", torch_too=True), inputs_kept("extract", samples=samples):
        found, again, alone = extractor(samples), extractor(samples), extractor(samples[:1])
    expect(
        tuple(found.features.shape) == (4, extractor.dim),
        f"features have the shape {tuple(found.features.shape)} for 4 samples, not (4, dim={extractor.dim})",
    )
    expect_finite("what it extracts", found.features)
    expect(torch.equal(found.features, again.features), "it extracts other features the second time")
    expect(
        torch.allclose(found.features[:1], alone.features, rtol=1e-3, atol=1e-4),
        "the features of a sample depend on the others in its batch: put what it holds in evaluation mode",
    )
    expect(
        (found.logits is not None) == extractor.classifies,
        f"classifies={extractor.classifies}, but it gives {'logits' if found.logits is not None else 'no logits'}",
    )
    if extractor.classifies_labels and found.logits is not None:
        expect(
            found.logits.shape[1] == subject.shape.num_classes,
            f"classifies_labels is set, but it gives {found.logits.shape[1]} logits, and the data have "
            f"{subject.shape.num_classes} classes",
        )


def _scored(subject: Subject, n: int, seed: int = 0) -> Tensor:
    samples = subject.samples(n, seed)
    return to_uint8(samples) if subject.shape.is_8_bit else samples


# -- metrics ----------------------------------------------------------------------------------------


def scores(subject: Subject) -> None:
    """Scores are finite numbers that follow from the samples alone, and say which direction is better."""
    metric: Metric = subject.build()
    metric.check(subject.game())
    metric.check_samples(subject.shape, SCORED, SCORED)
    before, comparison = dict(metric.settings()), _comparison(subject)
    torch.manual_seed(0)
    with own_randomness("scores"):
        found = metric.scores(comparison)
    for name, value in found.items():
        expect(isinstance(value, float), f"the score {name} is {type(value).__name__}, not float")
        expect_finite(f"the score {name}", torch.tensor(value))
    missing = metric.higher_is_better.keys() - found.keys()
    expect(not missing, f"higher_is_better names {', '.join(sorted(missing))}, which `scores` does not return")
    torch.manual_seed(1)
    again = metric.scores(comparison)
    expect(found == again, "it gives other scores for the same samples: draw from a generator with a fixed seed")
    expect(metric.settings() == before, "scoring changes its public attributes, which are its settings")


def _comparison(subject: Subject) -> Comparison:
    real = _features(subject, 0)
    pairs = _scored(subject, SCORED, 1), _scored(subject, SCORED, 0)
    return Comparison(
        generated=_features(subject, 1),
        real=real,
        split=lambda split: real if split == "train" else _features(subject, 2),
        shape=subject.shape,
        classifies_labels=True,
        game=subject.game(),
        pairs=lambda: iter([PairedSamples(pairs[1], *pairs, {})]),
    )


def _features(subject: Subject, seed: int) -> FeatureSet:
    random = seeding.generator(seed, "features")
    samples = _scored(subject, SCORED, seed)
    features = samples if samples.ndim == 2 else torch.randn(SCORED, FEATURES, generator=random)
    logits = torch.randn(SCORED, subject.shape.num_classes or CLASSES, generator=random) * 3
    labels = subject.labels(SCORED, seed)
    return FeatureSet(features, logits, labels if labels is None or labels.ndim == 1 else None, lambda at: samples[at])


EXTRACTORS = [extracts_features]
METRICS = [scores]
