"""Scores games: one pass over real and generated samples, whatever the number of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework import registry
from gan_framework.data import Data, DataSource
from gan_framework.errors import ConfigError
from gan_framework.evaluation.cache import Cache
from gan_framework.evaluation.extractor import Extractor, Features
from gan_framework.evaluation.features import extract_all
from gan_framework.evaluation.generated import draw_latents, samples
from gan_framework.evaluation.metric import Comparison, FeatureSet, Metric
from gan_framework.evaluation.protocol import Protocol
from gan_framework.game import Game

CACHE_VERSION = 1
"""Raised when the way in which features are computed changes."""


@dataclass(frozen=True)
class Settings:
    """How samples are drawn and what they are compared with.

    Attributes:
        samples: the number of generated samples.
        batch_size: samples at a time.
        split: the reference split, `train` or `test`.
        seed: the sample seed.
    """

    samples: int = 1000
    batch_size: int = 100
    split: str = "train"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("samples", 2), ("batch_size", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"evaluate.{name}={getattr(self, name)} must be at least {least}")


@dataclass(frozen=True)
class Evaluation:
    """Scores by name with the protocol under which they were measured.

    Attributes:
        scores: the scores, each named after its extractor (`fid_inception`).
        protocol: see `gan_framework.evaluation.protocol`.
        warnings: what makes the scores less than they seem, as sentences.
        pictures: images (C, H, W), uint8, by metric.
    """

    scores: dict[str, float]
    protocol: Protocol
    warnings: list[str] = field(default_factory=list)
    pictures: dict[str, Tensor] = field(default_factory=dict)


class Evaluator:
    """Scores a game's samples against a dataset's, without changing the game or any random state.

    Built once per run; nothing is loaded, downloaded or trained before the first evaluation.
    """

    def __init__(
        self,
        extractor: Extractor,
        metrics: Mapping[str, Metric],
        source: DataSource,
        dataset: str,
        settings: Settings,
        device: torch.device,
        cache_folder: Path | None = None,
    ) -> None:
        """Take up the parts and check that they fit.

        Args:
            extractor: makes the features.
            metrics: the metrics by name.
            source: the reference data.
            dataset: the name of the reference data, for the protocol.
            settings: how samples are drawn.
            device: where features are computed.
            cache_folder: where features of real data are kept; None is the user's cache folder.

        Raises:
            ConfigError: the data do not fit the extractor, or a metric fits neither.
        """
        self.extractor = extractor
        self.metrics = dict(metrics)
        self.source = source
        self.dataset = dataset
        self.settings = settings
        self.device = device
        self._cache = Cache(cache_folder)
        extractor.check(source.shape)
        for name, metric in self.metrics.items():
            _check(name, metric, extractor, source)
        self._features_of_split = lru_cache(maxsize=None)(self._extract_split)
        self._load = lru_cache(maxsize=None)(source.load)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], source: DataSource, device: torch.device) -> Evaluator:
        """Build the evaluator that `extractor`, `metrics` and `evaluate` of a configuration describe."""
        wanted = config["evaluate"]
        return cls(
            registry.build("extractors", config["extractor"]),
            {name: registry.build("metrics", settings) for name, settings in config["metrics"].items()},
            source,
            config["data"]["name"],
            Settings(**{name: wanted[name] for name in Settings.__dataclass_fields__ if name in wanted}),
            device,
        )

    @property
    def higher_is_better(self) -> dict[str, bool]:
        """For each score that ranks runs, which direction is better."""
        return {
            self._score_name(score): higher
            for metric in self.metrics.values()
            for score, higher in metric.higher_is_better.items()
        }

    def check(self, game: Game) -> None:
        """Raise ConfigError if a metric cannot score samples of such a game."""
        for metric in self.metrics.values():
            metric.check(game)

    def __call__(self, game: Game) -> Evaluation:
        """Score a game.

        Raises:
            RunFailed: the samples are not finite or all of one value.
        """
        with _random_state_kept(self.device), torch.no_grad():
            self._prepared  # noqa: B018 (loads or trains the extractor's weights)
            wanted = self.settings
            latents = draw_latents(game, wanted.samples, wanted.seed, self._load(wanted.split).labels)
            protocol = {
                "samples": wanted.samples,
                "sample_seed": wanted.seed,
                "ema": game.sampling_network.endswith("_ema"),
                "batch_norm": "running",
            }
            batches = samples(game, latents, wanted.batch_size)
            return self._score(batches, wanted.samples, latents.labels, protocol, game)

    def _score(
        self,
        batches: Iterable[Tensor],
        count: int,
        labels: Tensor | None,
        protocol: Protocol,
        game: Game | None = None,
    ) -> Evaluation:
        kept: list[Tensor] = []
        passing = _keep(batches, max((m.samples_kept for m in self.metrics.values()), default=0), kept)
        found = extract_all(self.extractor, passing, count, self.device, "the generated samples")
        generated = FeatureSet(
            found.features,
            found.logits,
            labels.cpu() if labels is not None else None,
            lambda indices: torch.cat(kept)[indices],
        )
        comparison = Comparison(
            generated,
            self._features_of_split(self.settings.split),
            self._features_of_split,
            self.source.shape,
            self.extractor.classifies_labels,
            game=game,
        )
        scores, settings = {}, {}
        for metric in self.metrics.values():
            for score, value in metric.scores(comparison).items():
                scores[self._score_name(score)] = rounded(float(value))
                settings[self._score_name(score)] = metric.settings()
        protocol = self._protocol() | protocol | {"metrics": settings}
        return Evaluation(scores, protocol, comparison.warnings, comparison.pictures)

    def _score_name(self, score: str) -> str:
        return f"{score}_{self.extractor.name}"

    @cached_property
    def _prepared(self) -> Extractor:
        self.extractor.prepare(self.source, self.device, self._cache)
        return self.extractor.eval().requires_grad_(False)

    def _extract_split(self, split: str) -> FeatureSet:
        data = self._load(split)
        found = self._cache.get("features", self._reference_key(split), lambda: self._features_of(data, split))
        return FeatureSet(found["features"], found.get("logits"), data.labels, data.read)

    def _features_of(self, data: Data, split: str) -> dict[str, Tensor]:
        size = self.settings.batch_size
        batches = (data.read(range(i, min(i + size, len(data)))) for i in range(0, len(data), size))
        what = f"the {split} split of {self.dataset}"
        found: Features = extract_all(self._prepared, batches, len(data), self.device, what)
        return {name: tensor for name, tensor in found._asdict().items() if tensor is not None}

    def _reference_key(self, split: str) -> dict[str, Any]:
        return {
            "version": CACHE_VERSION,
            "data": self._load(split).content_hash(),
            "split": split,
            "extractor": self.extractor.name,
            "weights": self._prepared.fingerprint(),
            "precision": self.extractor.precision,
            "resize": self.extractor.resize,
        }

    def _protocol(self) -> Protocol:
        reference = self._load(self.settings.split)
        return {
            "extractor": self.extractor.name,
            "extractor_hash": self._prepared.fingerprint(),
            "extractor_precision": self.extractor.precision,
            **{f"extractor_{name}": value for name, value in self.extractor.describe().items()},
            "resize": self.extractor.resize,
            "quantisation": "uint8, nearest" if len(self.source.shape.sample) == 3 else "none",
            "dataset": self.dataset,
            "shape": list(self.source.shape.sample),
            "split": self.settings.split,
            "reference_count": len(reference),
            "reference_hash": reference.content_hash()[:16],
        }


def rounded(value: float) -> float:
    """Return a score to seven digits: matrix roots differ in later ones from run to run on the same machine."""
    return float(f"{value:.7g}")


def _check(name: str, metric: Metric, extractor: Extractor, source: DataSource) -> None:
    """Raise ConfigError, naming both parts, if a metric fits not the extractor or not the data."""
    if metric.needs_logits and not extractor.classifies:
        raise ConfigError(
            f"metrics.{name} needs class logits, and extractor={extractor.name} gives none; "
            "use extractor=classifier or extractor=inception"
        )
    if metric.needs_labels and not source.shape.num_classes:
        raise ConfigError(f"metrics.{name} needs labelled data, and the data have no class labels")
    if metric.needs_images and len(source.shape.sample) != 3:
        raise ConfigError(f"metrics.{name} needs images, and the samples have the shape {source.shape.sample}")


def _keep(batches: Iterable[Tensor], count: int, kept: list[Tensor]) -> Iterator[Tensor]:
    """Yield batches as they come and keep the first `count` samples, on the CPU."""
    for batch in batches:
        have = sum(map(len, kept))
        if have < count:
            kept.append(batch[: count - have].cpu())
        yield batch


def _random_state_kept(device: torch.device) -> Any:
    """Return a context after which torch's random numbers go on as if it had not been."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
