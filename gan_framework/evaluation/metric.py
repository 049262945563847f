"""The contract of a metric: from the features of two sets of samples to scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from torch import Tensor

from gan_framework.core.records import DataShape
from gan_framework.errors import RunFailed
from gan_framework.evaluation.spacing import evenly_spaced

if TYPE_CHECKING:
    from gan_framework.core.game import Game
    from gan_framework.evaluation.extractor import Extractor


class FeatureSet(NamedTuple):
    """What an extractor says of a set of samples, on the CPU.

    Attributes:
        features: float32 (N, D).
        logits: class logits (N, K), or None for an extractor that does not classify.
        labels: class indices (N,) where known: of real data, and those a conditional game was asked for or, where it
            makes samples of samples, those of what it was given.
        read: returns the samples at indices, images (n, C, H, W) uint8 or vectors (n, D). Of samples that a model makes
            only the first are kept, as many as the metrics ask for (`Metric.samples_kept`).
        kept: how many that are; None where all can be read.
    """

    features: Tensor
    logits: Tensor | None
    labels: Tensor | None
    read: Callable[[Tensor], Tensor]
    kept: int | None = None

    def some(self, most: int) -> Tensor:
        """Return the indices (n,) of at most so many samples that can be read, evenly spaced.

        The first ones will not do: data are often in an order, by their classes or by time.
        """
        available = len(self.features) if self.kept is None else min(self.kept, len(self.features))
        return evenly_spaced(available, min(most, available))


class PairedSamples(NamedTuple):
    """Samples beside what they were made of and what they should be, on the CPU, 8-bit ones uint8.

    Attributes:
        input: what they were made of (n, ...).
        generated: the samples (n, ...).
        target: what they should be (n, ...).
        extra: the further tensors of the targets by name (a mask).
    """

    input: Tensor
    generated: Tensor
    target: Tensor
    extra: Mapping[str, Tensor]


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        generated: the samples to score.
        real: the reference samples.
        split: returns the features of all samples of a split (`train`, `test`), whatever `evaluate.reference`
            is; extracted when first asked for.
        shape: the samples' shape and number of classes.
        classifies_labels: whether the logits are over the dataset's classes.
        warnings: takes what makes the scores less than they seem (too few samples), as sentences.
        pictures: takes pictures (C, H, W), uint8, that explain the scores, by metric.
        game: what made the generated samples; None where they were read from files.
        extractor: what made the features; None where these came from elsewhere.
        pairs: iterates over the generated samples, each input once and in order, beside their inputs and targets; as
            many as are kept (`Metric.samples_kept`). None where samples are not made of samples, or no target is known.
    """

    generated: FeatureSet
    real: FeatureSet
    split: Callable[[str], FeatureSet]
    shape: DataShape
    classifies_labels: bool
    warnings: list[str] = field(default_factory=list)
    pictures: dict[str, Tensor] = field(default_factory=dict)
    game: Game | None = None
    extractor: Extractor | None = None
    pairs: Callable[[], Iterator[PairedSamples]] | None = None


class Metric(ABC):
    """Scores generated samples. Its public attributes are its settings and part of the protocol.

    Attributes:
        higher_is_better: for each score that ranks runs, which direction is better. A score left
            out (a standard deviation) ranks nothing.
        needs_logits: whether it only works with an extractor that classifies.
        needs_labels: whether it only works with labelled data.
        needs_images: whether it only works with images.
        needs_samples: whether it scores samples that a model generates, and not what it finds in real ones: there are
            games that generate none (`Game.generates`).
        needs_game: whether it only works with a model that made the samples, not with samples read from files.
        needs_pairs: whether it compares each sample with what it should be (`Comparison.pairs`), so that it only works
            with games that make samples of samples and with data that know the targets.
        least_real: how many real samples it needs at least.
        samples_kept: how many generated samples it reads, beside their features (`FeatureSet.some`).
        needs_splits: which splits of the data it reads, beside the reference.
        legend: what each score says, in one line, with its range; `gan-framework plugins metrics` shows it.
        held_out: the split of which real samples are scored to compare with; None for the one that is not the
            reference. Needed by a metric that reads one of the splits itself.
        labels_suffice: whether all that a metric which `needs_game` asks of it are the classes that samples were asked
            for, so that real samples and noise can be scored too.
    """

    higher_is_better: ClassVar[dict[str, bool]]
    needs_logits: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = False
    needs_images: ClassVar[bool] = False
    needs_samples: ClassVar[bool] = True
    needs_game: ClassVar[bool] = False
    needs_pairs: ClassVar[bool] = False
    least_real: ClassVar[int] = 1
    samples_kept: ClassVar[int] = 0
    needs_splits: ClassVar[tuple[str, ...]] = ()
    legend: ClassVar[dict[str, str]] = {}
    held_out: ClassVar[str | None] = None
    labels_suffice: ClassVar[bool] = False

    @property
    def has_baselines(self) -> bool:
        """Whether real samples and noise can be scored in the place of generated samples."""
        return not self.needs_pairs and (not self.needs_game or self.labels_suffice)

    @abstractmethod
    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return the scores by name; the driver appends the extractor's name (`fid_inception`)."""

    def check(self, game: Game) -> None:  # noqa: B027 (most metrics fit every game)
        """Raise ConfigError, naming both parts, if the metric cannot score samples of such a game."""

    def check_extractor(self, extractor: Extractor) -> None:  # noqa: B027 (most metrics take the features of any)
        """Raise ConfigError, naming both parts, if the metric cannot use such an extractor; it is not prepared yet."""

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:  # noqa: B027 (most metrics score any)
        """Raise ConfigError if the metric cannot score so many generated and real samples of such a shape."""

    def check_labels(self, labels: Tensor) -> None:  # noqa: B027 (most metrics score any)
        """Raise ConfigError if a metric that `needs_labels` cannot score against samples of these classes (N,)."""

    def settings(self) -> dict[str, Any]:
        """Return the settings, for the protocol."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


def scored(metric: Metric, comparison: Comparison) -> dict[str, float]:
    """Return the scores of a metric by name.

    Raises:
        RunFailed: the metric gives something else, or a score that ranks runs is not among them.
    """
    scores = metric.scores(comparison)
    what = f"the metric {type(metric).__name__}"
    if not isinstance(scores, dict):
        raise RunFailed(f"{what} gives {type(scores).__name__}, not a dict of scores by name")
    for name, value in scores.items():
        try:
            float(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise RunFailed(f"{what} gives {name}={value!r:.60}, not a number") from error
    if metric.higher_is_better and not scores.keys() & metric.higher_is_better.keys():
        raise RunFailed(
            f"{what} says of {', '.join(metric.higher_is_better)} which direction is better, but gives the scores "
            f"{', '.join(scores) or 'none'}"
        )
    return scores
