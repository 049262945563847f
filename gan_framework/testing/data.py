"""The contracts of datasets, extractors and metrics."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.data import Data, DataSource
from gan_framework.errors import ConfigError
from gan_framework.evaluation.cache import Cache
from gan_framework.evaluation.extractor import Extractor
from gan_framework.evaluation.metric import Comparison, FeatureSet, Metric
from gan_framework.storage.images import to_uint8
from gan_framework.testing.guards import expect, expect_finite, inputs_kept, own_randomness
from gan_framework.testing.subject import Subject

SCORED = 100
"""How many samples metrics are tried on."""

FEATURES = 16
CLASSES = 10


# -- datasets ---------------------------------------------------------------------------------------


def knows_its_shape(subject: Subject) -> None:
    """The shape of the samples is known once the source is built."""
    source: DataSource = subject.build()
    shape = source.shape.sample
    expect(
        len(shape) in (1, 3) and all(size > 0 for size in shape), f"shape.sample={shape} is no (C, H, W) and no (D,)"
    )
    expect(
        not source.classes or len(source.classes) == source.shape.num_classes,
        f"it names {len(source.classes)} classes and shape.num_classes is {source.shape.num_classes}",
    )


def loads_splits(subject: Subject) -> None:
    """Both splits hold samples of the shape, with labels that fit, the same every time."""
    source: DataSource = subject.build()
    for split in ("train", "test"):
        another: DataSource = subject.build(seed=1)
        with own_randomness(f"load({split!r})", torch_too=True):
            data, again = source.load(split), another.load(split)
        expect(data.content_hash() == again.content_hash(), f"load({split!r}) gives other samples the second time")
        _check_samples(data, source, split)
        _check_labels(data, source, split)


def _check_samples(data: Data, source: DataSource, split: str) -> None:
    expect(len(data) > 0, f"the split {split!r} is empty")
    indices = torch.tensor([0, len(data) - 1])
    samples = data.read(indices)
    wanted, dtype = (2, *source.shape.sample), torch.uint8 if len(source.shape.sample) == 3 else torch.float32
    expect(
        tuple(samples.shape) == wanted and samples.dtype == dtype,
        f"read gives {samples.dtype} {tuple(samples.shape)} for two samples of {split!r}, not {dtype} {wanted}",
    )
    expect_finite(f"what read gives of {split!r}", samples)
    expect(
        torch.equal(samples, torch.cat([data.read(indices[:1]), data.read([len(data) - 1])])),
        "read gives other samples one by one than together",
    )


def _check_labels(data: Data, source: DataSource, split: str) -> None:
    shape, labels = source.shape, data.labels
    if labels is None:
        expect(not (shape.num_classes or shape.condition_dim), f"the split {split!r} has no labels, and shape has")
        return
    expect(len(labels) == len(data), f"the split {split!r} has {len(labels)} labels for {len(data)} samples")
    if labels.ndim == 1:
        low, high = int(labels.min()), int(labels.max())
        expect(
            labels.dtype == torch.int64 and low >= 0 and high < shape.num_classes,
            f"labels of {split!r} are {labels.dtype} from {low} to {high}: int64 from 0 to num_classes - 1 = "
            f"{shape.num_classes - 1}",
        )
    else:
        expect(
            labels.dtype == torch.float32 and labels.shape[1] == shape.condition_dim,
            f"condition vectors of {split!r} are {labels.dtype} {tuple(labels.shape)}: float32 (N, condition_dim="
            f"{shape.condition_dim})",
        )


def refuses_unknown_splits(subject: Subject) -> None:
    """A split that it has not is the user's mistake."""
    source: DataSource = subject.build()
    try:
        source.load("no_such_split")
    except ConfigError:
        return
    expect(False, "load('no_such_split') raises no ConfigError")


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
    return to_uint8(samples) if samples.ndim == 4 else samples


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
    return Comparison(
        generated=_features(subject, 1),
        real=real,
        split=lambda split: real if split == "train" else _features(subject, 2),
        shape=subject.shape,
        classifies_labels=True,
        game=subject.game(),
    )


def _features(subject: Subject, seed: int) -> FeatureSet:
    random = seeding.generator(seed, "features")
    samples = _scored(subject, SCORED, seed)
    features = samples if samples.ndim == 2 else torch.randn(SCORED, FEATURES, generator=random)
    logits = torch.randn(SCORED, subject.shape.num_classes or CLASSES, generator=random) * 3
    labels = subject.labels(SCORED, seed)
    return FeatureSet(features, logits, labels if labels is None or labels.ndim == 1 else None, lambda at: samples[at])


DATASETS = [knows_its_shape, loads_splits, refuses_unknown_splits]
EXTRACTORS = [extracts_features]
METRICS = [scores]
