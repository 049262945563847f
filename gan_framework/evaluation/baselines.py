"""What lends a score a meaning: what real held-out samples and what noise score in the place of generated ones."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.records import DataShape
from gan_framework.data import one_hot
from gan_framework.errors import ConfigError, GanFrameworkError, NonFinite
from gan_framework.evaluation.cache import Cache, Tensors, code_of
from gan_framework.evaluation.features import extract_all, keep
from gan_framework.evaluation.metric import Comparison, FeatureSet, Metric, scored
from gan_framework.evaluation.reference import Reference
from gan_framework.evaluation.spacing import evenly_spaced
from gan_framework.storage.images import to_uint8
from gan_framework.storage.numbers import rounded
from gan_framework.storage.numbers import score as shown

log = logging.getLogger(__name__)

VERSION = 2
"""Raised when the way in which baselines are computed changes."""

SEED = 0
"""Of the noise: baselines are the same in all runs."""

PIECE = 100
"""Samples of noise drawn at a time, so that they are the same whatever the batch size."""

BOX = 1000
"""Real samples at most, evenly spaced, whose least and greatest values bound the noise where no range is known."""

OTHER = {"train": "test", "test": "train"}


@dataclass(frozen=True)
class Baseline:
    """What stands beside a score; None stands for what cannot be scored.

    Attributes:
        real: the score of real samples that are no part of the reference.
        noise: the score of noise.
        samples: which real samples these were, and which the noise, in words.
    """

    real: float | None
    noise: float | None
    samples: str

    def __str__(self) -> str:
        sides = (("real held-out", self.real), ("noise", self.noise))
        return ", ".join(f"{side} {shown(value)}" for side, value in sides if value is not None)

    def plain(self) -> dict[str, Any]:
        """Return what is written to files."""
        return {"real": self.real, "noise": self.noise, "samples": self.samples}


@dataclass(frozen=True)
class _Held:
    """Real samples that take the place of generated ones, and the reference they are compared with."""

    samples: FeatureSet
    real: FeatureSet
    words: str


class Baselines:
    """Scores real samples and noise as a model's samples are scored, and keeps what it found.

    The real samples are as many as are scored, evenly spaced, of the split that is not the reference (of the one that
    a metric names, `Metric.held_out`), and all that it has where it has fewer. Without such a split the reference
    is halved at random, the same way each time. The noise is uniform in [-1, 1] and quantised as samples are; within
    the values that the data take, where these have no bounds; of tokens, each is drawn alike.

    Args:
        reference: the real side of every comparison.
        metrics: the metrics by name.
        split: the reference split.
        cache: keeps the scores, by all they depend on.
    """

    def __init__(self, reference: Reference, metrics: Mapping[str, Metric], split: str, cache: Cache) -> None:
        self._reference = reference
        self._metrics = {name: metric for name, metric in metrics.items() if metric.has_baselines}
        self._split = split
        self._cache = cache
        self._known: dict[tuple[int, bool], dict[str, Baseline]] = {}

    def of(self, count: int, conditional: bool) -> dict[str, Baseline]:
        """Return the baselines of so many samples by the name of the score, without the extractor's.

        Args:
            count: how many samples are scored.
            conditional: whether it is known which classes they were asked for: those of the real samples are then
                known too, and the noise is asked for classes as the reference has them.
        """
        if (count, conditional) not in self._known:
            self._known[count, conditional] = self._found(count, conditional)
        return self._known[count, conditional]

    def _found(self, count: int, conditional: bool) -> dict[str, Baseline]:
        work = _Work(self._reference, self._metrics, self._split, count, conditional)
        found: dict[str, Baseline] = {}
        for name, metric in self._metrics.items():
            try:
                words = work.words(metric)
                key = self._key(metric, count, conditional)
                scores = self._cache.get("baselines", key, partial(work.scores, name, metric), _are_scores)
            except Exception as error:  # no score of a run is worth less because a number beside it cannot be had
                known = isinstance(error, GanFrameworkError)
                reason = str(error) if known else f"{type(error).__name__}: {error}"
                log.log(logging.INFO if known else logging.WARNING, "metrics.%s has no baselines: %s", name, reason)
                continue
            sides = {side: _by_score(scores, side) for side in ("real", "noise")}
            for score in {**sides["real"], **sides["noise"]}:
                found[score] = Baseline(sides["real"].get(score), sides["noise"].get(score), words)
        return found

    def _key(self, metric: Metric, count: int, conditional: bool) -> dict[str, Any]:
        reference = self._reference
        protocol = reference.protocol(self._split)
        del protocol["classes"]
        contents = {split: reference.data(split).content_hash() for split in reference.splits()}
        key = {
            "version": VERSION,
            "metric": f"{type(metric).__module__}.{type(metric).__qualname__}",
            "code": code_of(type(metric)),
            "extractor": reference.cache_key,
            "settings": metric.settings(),
            "protocol": protocol,
            "contents": contents,
            "count": count,
            "conditional": conditional,
        }
        plain: dict[str, Any] = json.loads(json.dumps(key, default=str))
        return plain


class _Work:
    """What the baselines of several metrics share while they are computed; features are made when first asked for."""

    def __init__(
        self, reference: Reference, metrics: Mapping[str, Metric], split: str, count: int, conditional: bool
    ) -> None:
        self._reference = reference
        self._split = split
        self._count = count
        self._conditional = conditional
        self._kept = max((metric.samples_kept for metric in metrics.values()), default=0)
        self._noise: FeatureSet | None = None

    def words(self, metric: Metric) -> str:
        """Return in words what is scored."""
        split = self._held_out(metric)
        if split is None:
            available = self._reference.count(self._split)
            half = min(self._count, available // 2)
            real = f"{half:,} real samples of the {self._split} split against other {-(-available // 2):,} of it"
        else:
            available = len(self._reference.data(split))
            fewer = f" (fewer than {self._count:,})" if available < self._count else ""
            real = f"{min(self._count, available):,} real samples of the {split} split{fewer}"
        return f"held-out: {real}; noise: {self._count:,} samples {_noise_words(self._reference.source.shape)}"

    def scores(self, name: str, metric: Metric) -> Tensors:
        """Return the scores of real samples as `real/<score>` and those of noise as `noise/<score>`."""
        found: Tensors = {}
        for side, make in (("real", self._real), ("noise", self._noisy)):
            try:
                scores = scored(metric, make(metric))
            except (ConfigError, NonFinite) as error:
                log.info("metrics.%s has no score of the %s samples to compare with: %s", name, side, error)
                continue
            for score, value in scores.items():
                found[f"{side}/{score}"] = torch.tensor(rounded(value), dtype=torch.float64)
        return found

    def _held_out(self, metric: Metric) -> str | None:
        """Return the split that real samples are taken of; None where the reference must be halved."""
        for split in (metric.held_out, OTHER.get(self._split)):
            if split is not None and split in self._reference.splits():
                return split
        return None

    def _real(self, metric: Metric) -> Comparison:
        split = self._held_out(metric)
        if split is not None:
            return self._compare(self._reference.part(split, self._count), metric)
        whole = self._reference.features(self._split)
        samples, real = halves(len(whole.features))
        return self._compare(_part(whole, samples[: self._count]), metric, _part(whole, real))

    def _noisy(self, metric: Metric) -> Comparison:
        if self._noise is None:
            self._noise = self._features_of_noise()
        return self._compare(self._noise, metric)

    def _compare(self, samples: FeatureSet, metric: Metric, real: FeatureSet | None = None) -> Comparison:
        if not self._conditional:
            samples = samples._replace(labels=None)
        reference, shape = self._reference, self._reference.source.shape
        real = real if real is not None else reference.features(self._split)
        metric.check_samples(shape, len(samples.features), len(real.features))
        return Comparison(samples, real, reference.all_features, shape, reference.extractor.classifies_labels)

    def _features_of_noise(self) -> FeatureSet:
        reference = self._reference
        kept: list[Tensor] = []
        log.info("scoring %s samples of noise once, to compare with (evaluate.baselines)", f"{self._count:,}")
        pieces = keep(noise(reference, self._split, self._count), self._kept, kept)
        found = extract_all(reference.extractor, pieces, self._count, reference.device, "noise", NonFinite)
        labels = reference.labels(self._split)
        if labels is not None:
            random = seeding.generator(SEED, "baselines", "labels")
            labels = labels[torch.randint(len(labels), (self._count,), generator=random)]
        return FeatureSet(found.features, found.logits, labels, lambda indices: torch.cat(kept)[indices], self._kept)


def halves(count: int) -> tuple[Tensor, Tensor]:
    """Return the indices of two halves of so many samples; of an odd number the second has one more.

    They are drawn: samples in turn would part classes, or the two images of pairs, that follow each other.
    """
    order = torch.randperm(count, generator=seeding.generator(SEED, "baselines", "halves"))
    return order[: count // 2].sort().values, order[count // 2 :].sort().values


def noise(reference: Reference, split: str, count: int) -> Iterator[Tensor]:
    """Yield noise of the shape of the data, `count` samples in all, quantised as samples are scored."""
    shape = reference.source.shape
    random = seeding.generator(SEED, "baselines")
    low, high = _bounds(reference, split, shape)
    for start in range(0, count, PIECE):
        size = min(PIECE, count - start)
        if shape.vocabulary:
            yield one_hot(torch.randint(shape.vocabulary, (size, shape.sample[0]), generator=random), shape.vocabulary)
            continue
        values = low + (high - low) * torch.rand(size, *shape.sample, generator=random)
        yield to_uint8(values) if shape.is_8_bit else values


def _bounds(reference: Reference, split: str, shape: DataShape) -> tuple[Tensor, Tensor]:
    """Return the least and the greatest values of noise."""
    if shape.is_8_bit:
        return torch.tensor(-1.0), torch.tensor(1.0)
    if shape.value_range is not None and torch.tensor(shape.value_range).isfinite().all():
        low, high = map(float, shape.value_range)
        return torch.tensor(low), torch.tensor(high)
    if shape.vocabulary:
        return torch.tensor(0.0), torch.tensor(1.0)
    data = reference.data(split)
    samples = data.read(evenly_spaced(len(data), min(BOX, len(data)))).float()
    return samples.amin(0), samples.amax(0)


def _noise_words(shape: DataShape) -> str:
    if shape.is_8_bit:
        return "uniform in [-1, 1]"
    if shape.vocabulary:
        return "of tokens drawn alike"
    if shape.value_range is not None and torch.tensor(shape.value_range).isfinite().all():
        return f"uniform in [{shape.value_range[0]:g}, {shape.value_range[1]:g}]"
    return "uniform between the data's least and greatest values"


def _part(samples: FeatureSet, indices: Tensor) -> FeatureSet:
    """Return some of the samples."""
    return FeatureSet(
        samples.features[indices],
        None if samples.logits is None else samples.logits[indices],
        None if samples.labels is None else samples.labels[indices],
        lambda chosen: samples.read(indices[chosen]),
    )


def _by_score(scores: Tensors, side: str) -> dict[str, float]:
    return {name.partition("/")[2]: float(value) for name, value in scores.items() if name.startswith(f"{side}/")}


def _are_scores(found: Tensors) -> bool:
    return all(tensor.shape == () and tensor.dtype == torch.float64 for tensor in found.values())
