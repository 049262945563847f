"""Scores samples: one pass over real and generated ones, whatever the number of metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_framework.config.schema import EvaluateConfig, read
from gan_framework.core import distributed, seeding
from gan_framework.core.game import Game
from gan_framework.core.records import EMPTY, Latent
from gan_framework.data import Data, DataSource, build_source
from gan_framework.errors import ConfigError, NonFinite
from gan_framework.evaluation import decoding
from gan_framework.evaluation.baselines import Baseline, Baselines
from gan_framework.evaluation.cache import Cache
from gan_framework.evaluation.cost import Cost
from gan_framework.evaluation.extractor import Extractor, Features
from gan_framework.evaluation.features import Bounds, extract_all, keep
from gan_framework.evaluation.fitting import check_generates, check_metric
from gan_framework.evaluation.held_out import HELD_OUT, show_held_out
from gan_framework.evaluation.inputs import Inputs, source_of_inputs
from gan_framework.evaluation.metric import Comparison, FeatureSet, Metric, PairedSamples, scored
from gan_framework.evaluation.protocol import Protocol
from gan_framework.evaluation.reference import Reference
from gan_framework.evaluation.sampler import Sampler
from gan_framework.evaluation.sampling import check, draw_latents, inputs_for, samples, sampling_as
from gan_framework.evaluation.sharing import BrokenOff, Share, failed, share, together
from gan_framework.evaluation.trained_by import doubt, has_pretrained, places_of, refuse_judges
from gan_framework.registry import registry
from gan_framework.storage import garbage
from gan_framework.storage.numbers import rounded


@dataclass(frozen=True)
class Evaluation:
    """Scores by name with the protocol under which they were measured.

    Attributes:
        scores: the scores, each named after its extractor (`fid_inception`); means over the sample seeds.
        protocol: see `gan_framework.evaluation.protocol`.
        warnings: what makes the scores less than they seem, as sentences.
        pictures: images (C, H, W), uint8, by metric.
        deviations: the scores' standard deviations over the sample seeds; empty for a single seed.
        baselines: what real held-out samples and noise score; not of scores that only a model has.
        higher_is_better: for each score that ranks, which direction is better.
    """

    scores: dict[str, float]
    protocol: Protocol
    warnings: list[str] = field(default_factory=list)
    pictures: dict[str, Tensor] = field(default_factory=dict)
    deviations: dict[str, float] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)
    higher_is_better: dict[str, bool] = field(default_factory=dict)


class Evaluator:
    """Scores a game's samples against a dataset's, without changing the game or any random state.

    Built once per run, which loads nothing; `check` reads the data, and downloads or trains the extractor's weights.
    """

    def __init__(
        self,
        extractor: Extractor,
        metrics: Mapping[str, Metric],
        source: DataSource,
        dataset: str,
        settings: EvaluateConfig,
        device: torch.device,
        cache_folder: Path | None = None,
        sampler: Sampler | None = None,
        further: Mapping[str, Mapping[str, Any]] = EMPTY,
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
            sampler: draws the samples; None takes what the game's network makes.
            further: the settings of the further sources by name, for games that make samples of one of them.

        Raises:
            ConfigError: the data do not fit the extractor, or a metric fits neither.
        """
        extractor.check(source.shape)
        for name, metric in metrics.items():
            check_metric(name, metric, extractor, source)
        self.extractor = extractor
        self.metrics = dict(metrics)
        self.settings = settings
        self.sampler = sampler
        self.shape = source.shape
        self.device = device
        cache = Cache(cache_folder)
        self.reference = Reference(source, dataset, extractor, device, settings.batch_size, settings.reference, cache)
        self._further = further
        self._split_of = lru_cache(maxsize=None)(self._load)
        self.baselines = Baselines(self.reference, self.metrics, settings.split, cache)
        garbage.as_usual()  # an extractor may be trained

    @classmethod
    def from_config(cls, config: Mapping[str, Any], source: DataSource, device: torch.device) -> Evaluator:
        """Build the evaluator that `extractor`, `metrics` and `evaluate` of a configuration describe."""
        wanted = config["evaluate"]
        evaluator = cls(
            registry.build("extractors", config["extractor"]),
            {name: registry.build("metrics", settings) for name, settings in config["metrics"].items()},
            source,
            config["data"]["name"],
            read(EvaluateConfig, "evaluate", wanted),
            device,
            sampler=registry.build("samplers", config["sampler"]) if config.get("sampler") else None,
            further=config.get("sources") or {},
        )
        best, ranking = wanted.get("best"), evaluator.higher_is_better
        if best is not None and best not in ranking:
            raise ConfigError(f"evaluate.best={best}: choose one of {', '.join(ranking) or 'none'}")
        return evaluator

    @property
    def higher_is_better(self) -> dict[str, bool]:
        """For each score that ranks runs, which direction is better."""
        return {
            self._score_name(score): higher
            for metric in self.metrics.values()
            for score, higher in metric.higher_is_better.items()
        }

    def check(self, game: Game) -> None:
        """Find before training what would fail at its end.

        Raises:
            ConfigError: the data lack a split that is read, a setting or metric does not fit the game or the samples,
                or an extractor that learns from the data has learnt nothing.
            RunFailed: weights cannot be downloaded.
        """
        check_generates(game, self.metrics)
        self._check_samples(self.settings.samples)
        check(game, self.settings, self.sampler)
        if self.sampler is not None and self.sampler.held_out:
            self._check_splits(f"sampler={self.sampler.name}", (HELD_OUT,))
        for name, metric in self.metrics.items():
            metric.check(game)
            if metric.needs_game and decoding.of(game) is not None:
                raise ConfigError(
                    f"metrics.{name} asks the game itself, which makes latents, and data.decoder has images scored: "
                    "leave one of the two out"
                )
            if metric.needs_pairs:
                self._check_pairs(game, name)
        if self.extractor.downloads or self.extractor.learns or has_pretrained(game):
            with self._random_state_kept():
                refuse_judges(game, self.reference.extractor)

    def __call__(self, game: Game) -> Evaluation:
        """Score a game.

        Raises:
            ConfigError: the settings do not fit the game.
            NonFinite: the samples are not finite.
        """
        wanted = self.settings
        data = self.reference.data(wanted.split)
        seeds = range(wanted.seed, wanted.seed + wanted.seeds)
        made_of = self._inputs_of(game)
        sampling = sampling_as(game, wanted, data.labels, self.sampler, made_of)
        with self._random_state_kept(), sampling as protocol:
            show_held_out(self.sampler, game, self.reference.data)
            protocol |= {"samples": wanted.samples, "sample_seeds": [*seeds], "truncation": wanted.truncation}
            trained_by = places_of(game, self.reference.extractor) if has_pretrained(game) else []
            if trained_by:
                protocol["trained_by_extractor"] = trained_by
            return self._evaluate(self._compared(game, seeds, data, made_of, protocol), protocol)

    def assist(self, game: Game) -> None:
        """Extract the features of this process's share of the samples for the first, which scores the game.

        Raises:
            NonFinite: the samples of a process are not finite.
        """
        wanted = self.settings
        if self._shared(game) is None:
            return
        data = self.reference.data(wanted.split)
        with self._random_state_kept(), sampling_as(game, wanted, data.labels):
            for seed in range(wanted.seed, wanted.seed + wanted.seeds):
                latents = draw_latents(game, wanted, seed, data.labels)
                distributed.reseed(seed, "drawn by the network")
                try:
                    self._features_of(game, latents, Bounds(), [])
                except BrokenOff:  # the first process says why
                    return

    def score_images(
        self, batches: Iterable[Tensor], count: int, read: Callable[[Tensor], Tensor] | None = None
    ) -> Evaluation:
        """Score images from elsewhere.

        Args:
            batches: the images (n, C, H, W), uint8.
            count: how many there are in all.
            read: returns the images at indices once more; None keeps the first ones, for metrics that read some.

        Raises:
            ConfigError: the data lack a split that is read, or a metric does not fit the images.
        """
        self._check_samples(count)
        with self._random_state_kept():
            return self._evaluate([self._compare(batches, count, None, None, read=read)], {"samples": count})

    def _check_samples(self, generated: int) -> None:
        """Raise ConfigError if a split that is read is missing, or a metric does not fit the samples."""
        self.reference.data(self.settings.split)
        self._check_splits(f"extractor={self.extractor.name}", self.extractor.needs_splits)
        real = self.reference.count(self.settings.split)
        for name, metric in self.metrics.items():
            self._check_splits(f"metrics.{name}", metric.needs_splits)
            if real < metric.least_real:
                raise ConfigError(
                    f"metrics.{name} needs at least {metric.least_real} real samples, and there are {real} in the "
                    f"split {self.settings.split}: set evaluate.split, or use more data (data.test_share)"
                )
            metric.check_samples(self.shape, generated, real)
            labels = self.reference.labels(self.settings.split)
            if metric.needs_labels and labels is not None:
                metric.check_labels(labels)

    def _check_splits(self, reader: str, splits: Iterable[str]) -> None:
        for split in splits:
            try:
                self.reference.data(split)
            except ConfigError as error:
                raise ConfigError(f"{reader} needs the {split} split of the data: {error}") from error

    def _inputs_of(self, game: Game) -> Data:
        """Return the data that a game makes samples of, where it does: of the reference split, or a further source."""
        name, split = source_of_inputs(game), self.settings.split
        return self.reference.data(split) if name is None else self._split_of(name, split)

    def _load(self, name: str, split: str) -> Data:
        try:
            return build_source(self._further[name]).load(split)
        except ConfigError as error:
            raise ConfigError(f"sources.{name}: {error}") from error

    def _check_pairs(self, game: Game, name: str) -> None:
        """Raise ConfigError if it is not known what the samples of a game should be."""
        kind, split = type(game).__name__, self.settings.split
        if game.generates_from is None:
            raise ConfigError(
                f"metrics.{name} compares each sample with what it should be, and {kind} draws samples from its prior "
                "alone; leave it out"
            )
        inputs = inputs_for(game, self._inputs_of(game), 1)
        if inputs is None or not inputs.know_targets(game):
            source = source_of_inputs(game)
            where = "data" if source is None else f"sources.{source}"
            raise ConfigError(
                f"metrics.{name} compares each sample with what it should be, and the {split} split of {where} does "
                f"not say what {kind} should make of its samples; leave it out"
            )

    def _compared(
        self, game: Game, seeds: Iterable[int], data: Data, made_of: Data, protocol: Protocol
    ) -> Iterator[Comparison]:
        """Yield the samples of each seed beside real ones, and add to the protocol what a sampler cost."""
        cost = Cost()
        for seed in seeds:
            yield self._sample(game, seed, data, made_of, cost)
        if self.sampler is not None:
            protocol["generated_per_sample"] = cost.generated_per_sample

    def _sample(self, game: Game, seed: int, data: Data, made_of: Data, cost: Cost) -> Comparison:
        count, batch_size = self.settings.samples, self.settings.batch_size
        inputs = inputs_for(game, made_of, count, seed, self._kept)
        latents = draw_latents(game, self.settings, seed, data.labels, inputs)
        random = seeding.generator(seed, "sampler")
        distributed.reseed(seed, "drawn by the network")  # of networks that draw some of a sample themselves
        batches = samples(game, latents, batch_size, self.sampler, random, inputs, cost)
        return self._compare(batches, count, latents, game, inputs)

    def _shared(self, game: Game) -> Share | None:
        """Return how samples are shared out among processes; None where one draws them all.

        What follows from the samples before, and what is made of samples, is not divided.
        """
        if self.sampler is not None or game.generates_from is not None or not game.generates:
            return None
        return share(self.settings.samples, self.settings.batch_size, self._kept, distributed.current())

    @property
    def _kept(self) -> int:
        return max((metric.samples_kept for metric in self.metrics.values()), default=0)

    def _features_of(self, game: Game, latents: Latent, bounds: Bounds, kept: list[Tensor]) -> Features | None:
        """Return the features of the samples of latents, drawn by several processes; None in all but the first."""
        shared = self._shared(game)
        assert shared is not None
        own = samples(game, latents.part(shared.own), self.settings.batch_size)
        passing = bounds.watching(keep(own, self._kept, kept))
        return together(shared, passing, bounds, self._extract)

    def _extract(self, batches: Iterable[Tensor], count: int) -> Features:
        return extract_all(self.reference.extractor, batches, count, self.device, "the generated samples", NonFinite)

    def _compare(
        self,
        batches: Iterable[Tensor],
        count: int,
        latents: Latent | None,
        game: Game | None,
        inputs: Inputs | None = None,
        read: Callable[[Tensor], Tensor] | None = None,
    ) -> Comparison:
        kept: list[Tensor] = []
        bounds = Bounds()
        if game is None or latents is None or self._shared(game) is None:
            found = self._extract(bounds.watching(keep(batches, self._kept if read is None else 0, kept)), count)
        else:
            found = self._of_all_processes(game, latents, bounds, kept)
        labels = None if latents is None else latents.labels
        generated = FeatureSet(
            found.features,
            found.logits,
            _asked(labels, inputs),
            (lambda indices: torch.cat(kept)[indices]) if read is None else read,
            self._kept if read is None else None,
        )
        comparison = Comparison(
            generated,
            self.reference.features(self.settings.split),
            self.reference.all_features,
            self.shape,
            self.extractor.classifies_labels,
            game=game,
            extractor=self.reference.extractor,
            pairs=_paired(game, inputs, kept),
        )
        comparison.warnings.extend(_collapse(found.features, bounds, count))
        return comparison

    def _of_all_processes(self, game: Game, latents: Latent, bounds: Bounds, kept: list[Tensor]) -> Features:
        try:
            found = self._features_of(game, latents, bounds, kept)
        except BrokenOff:
            raise failed() from None
        assert found is not None, "the first process has the features of all"
        return found

    def _evaluate(self, comparisons: Iterable[Comparison], protocol: Protocol) -> Evaluation:
        values: dict[str, list[float]] = {}
        settings: dict[str, Any] = {}
        warnings: dict[str, None] = dict.fromkeys(self.reference.extractor.doubts())
        pictures: dict[str, Tensor] = {}
        if protocol.get("trained_by_extractor"):
            warnings[doubt(protocol["trained_by_extractor"], self.extractor)] = None
        conditional = False
        for comparison in comparisons:
            conditional = comparison.generated.labels is not None
            for metric in self.metrics.values():
                for score, value in scored(metric, comparison).items():
                    name = self._score_name(score)
                    values.setdefault(name, []).append(float(value))
                    settings[name] = metric.settings()
            warnings |= dict.fromkeys(comparison.warnings)
            pictures = pictures or comparison.pictures
        for name, found in values.items():
            if not np.isfinite(found).all():
                warnings[f"{name} is {np.mean(found)}: it is left out of every ranking"] = None
        return Evaluation(
            {name: rounded(np.mean(found)) for name, found in values.items()},
            self.reference.protocol(self.settings.split) | protocol | {"metrics": settings},
            list(warnings),
            pictures,
            {name: rounded(np.std(found, ddof=1)) for name, found in values.items() if len(found) > 1},
            self._baselines(protocol["samples"], conditional),
            self.higher_is_better,
        )

    def _baselines(self, count: int, conditional: bool) -> dict[str, Baseline]:
        if not self.settings.baselines:
            return {}
        return {self._score_name(score): found for score, found in self.baselines.of(count, conditional).items()}

    def _score_name(self, score: str) -> str:
        return f"{score}_{self.extractor.name}"

    def _random_state_kept(self) -> AbstractContextManager[None]:
        """Return a context after which torch's random numbers go on as if it had not been."""
        return torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else [])


def _asked(labels: Tensor | None, inputs: Inputs | None) -> Tensor | None:
    """Return the labels that samples should be of: those of the latents, or what the game says of what it is given."""
    chosen = labels if inputs is None or inputs.asked is None else inputs.asked
    return None if chosen is None else chosen.cpu()


def _paired(
    game: Game | None, inputs: Inputs | None, kept: list[Tensor]
) -> Callable[[], Iterator[PairedSamples]] | None:
    if game is None or inputs is None or not inputs.know_targets(game):
        return None
    return lambda: inputs.beside(game, torch.cat(kept)) if kept else iter(())


def _collapse(features: Tensor, bounds: Bounds, count: int) -> Iterator[str]:
    """Say it where samples do not differ at all, or features (N, D) of them."""
    if bounds.constant:
        yield (
            f"mode collapse: every value of all {count} generated samples is {bounds.lowest:g}; "
            "their scores mean little"
        )
    elif (features == features[0]).all():
        yield f"mode collapse: all {count} generated samples have the same features; their scores mean little"
