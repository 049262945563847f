"""The real side of a comparison: a dataset's features, cached by all they depend on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from typing import Any

import torch
from torch import Tensor

from gan_framework.data import Data, DataSource, one_hot
from gan_framework.errors import ConfigError, RunFailed
from gan_framework.evaluation.cache import Cache
from gan_framework.evaluation.extractor import Extractor
from gan_framework.evaluation.features import Bounds, extract_all
from gan_framework.evaluation.metric import FeatureSet
from gan_framework.evaluation.protocol import Protocol
from gan_framework.evaluation.spacing import evenly_spaced

log = logging.getLogger(__name__)

SPLITS = ("train", "test")
"""The parts of a dataset."""

CACHE_VERSION = 1
"""Raised when the way in which features are computed changes."""


class Reference:
    """A dataset as an extractor sees it; nothing is loaded before it is asked for.

    Attributes:
        cache_key: the extractor's (`Extractor.cache_key`).

    Args:
        source: the data.
        dataset: their name, for the protocol.
        extractor: makes the features.
        device: where features are computed.
        batch_size: samples at a time.
        limit: use no more than so many samples of a split, evenly spaced; None uses all.
        cache: keeps the features.
    """

    def __init__(
        self,
        source: DataSource,
        dataset: str,
        extractor: Extractor,
        device: torch.device,
        batch_size: int,
        limit: int | None,
        cache: Cache,
    ) -> None:
        self.source = source
        self.dataset = dataset
        self.device = device
        self._extractor = extractor
        self.cache_key = extractor.cache_key()  # before it is used: it may count what it has seen
        self._batch_size = batch_size
        self._limit = limit
        self._cache = cache
        self.data = lru_cache(maxsize=None)(source.load)
        self._features = lru_cache(maxsize=None)(self._load_features)

    @cached_property
    def extractor(self) -> Extractor:
        """The extractor, its weights loaded or trained when it is first asked for."""
        self._extractor.prepare(self.source, self.device, self._cache)
        return self._extractor.eval().requires_grad_(False)

    def splits(self) -> tuple[str, ...]:
        """Return which of the splits `train` and `test` the data have."""
        return tuple(split for split in SPLITS if self._has(split))

    def count(self, split: str) -> int:
        """Return how many samples of a split are the reference."""
        available = len(self.data(split))
        return available if self._limit is None else min(available, self._limit)

    def labels(self, split: str) -> Tensor | None:
        """Return the labels of a split's reference samples, or None."""
        labels = self.data(split).labels
        return None if labels is None else labels[evenly_spaced(len(labels), self.count(split))]

    def features(self, split: str) -> FeatureSet:
        """Return the features of a split's reference samples, which the limit may make a part of it."""
        return self._features(split, self.count(split))

    def all_features(self, split: str) -> FeatureSet:
        """Return the features of all samples of a split."""
        return self._features(split, len(self.data(split)))

    def part(self, split: str, count: int) -> FeatureSet:
        """Return the features of so many samples of a split, evenly spaced; of all, if it has fewer."""
        return self._features(split, min(count, len(self.data(split))))

    def protocol(self, split: str) -> Protocol:
        """Return the protocol's fields that the extractor and a split of the data determine."""
        data, extractor = self.data(split), self.extractor
        return {
            "extractor": extractor.name,
            "extractor_hash": extractor.fingerprint(),
            "extractor_precision": extractor.precision,
            **{f"extractor_{name}": value for name, value in extractor.describe().items()},
            "resize": extractor.resize,
            "quantisation": "uint8, nearest" if self.source.shape.is_8_bit else "none",
            "dataset": self.dataset,
            "shape": list(self.source.shape.sample),
            "split": split,
            "reference_count": self.count(split),
            "reference_hash": data.content_hash()[:16],
            "classes": [*self.source.classes],
        }

    def _has(self, split: str) -> bool:
        try:
            self.data(split)
        except ConfigError:
            return False
        return True

    def _load_features(self, split: str, count: int) -> FeatureSet:
        data = self.data(split)
        chosen = evenly_spaced(len(data), count)
        key = {
            "version": CACHE_VERSION,
            "content": data.content_hash(),
            **self.protocol(split),
            "reference_count": count,
            "extractor_key": self.cache_key,
        }
        del key["classes"]  # features do not depend on what classes are called
        found = self._cache.get(
            "features", key, lambda: self._extract(data, chosen, split), partial(_are_features, count)
        )
        return FeatureSet(
            found["features"],
            found.get("logits"),
            data.labels[chosen] if data.labels is not None else None,
            lambda indices: _read(data, chosen[indices]),
        )

    def _extract(self, data: Data, chosen: Tensor, split: str) -> dict[str, Tensor]:
        what = f"the {split} split of {self.dataset}"
        log.info("extracting features of %s samples of %s with %s", f"{len(chosen):,}", what, self.extractor.name)
        batches = (_read(data, indices) for indices in chosen.split(self._batch_size))
        bounds = Bounds()
        passing = bounds.watching(batches)
        found: dict[str, Any] = extract_all(self.extractor, passing, len(chosen), self.device, what)._asdict()
        if bounds.constant:
            raise RunFailed(
                f"{what} cannot be compared with: every value of all {len(chosen)} samples is {bounds.lowest:g}"
            )
        return {name: tensor for name, tensor in found.items() if tensor is not None}


def _are_features(count: int, found: Mapping[str, Tensor]) -> bool:
    """Return whether cached tensors are the features, and perhaps the logits, of so many samples."""
    tables = [found["features"], *(found[name] for name in found if name == "logits")]
    return all(
        table.ndim == 2 and len(table) == count and table.dtype == torch.float32 and bool(table.isfinite().all())
        for table in tables
    )


def _read(data: Data, indices: Tensor) -> Tensor:
    """Return real samples as generated ones are scored: 8-bit ones uint8, tokens one-hot."""
    stored = data.read(indices)
    return one_hot(stored, data.vocabulary) if data.vocabulary else stored
