"""The typed schema of the configuration's scalar settings; a wrong key, type or range is an error naming it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, TypeVar

from hydra.core.config_store import ConfigStore

from gan_framework.errors import ConfigError

MOST_THREADS = 1024
BATCH_NORM = ("running", "batch", "standing")

Section = TypeVar("Section")


class PrecisionName(str, Enum):
    """The number formats of `train.precision`."""

    fp32 = "fp32"
    tf32 = "tf32"
    bf16 = "bf16"
    fp16 = "fp16"


class OnNonfinite(str, Enum):
    """What to do when a loss is not finite."""

    stop = "stop"
    skip = "skip"
    rollback = "rollback"


def _require(section: str, settings: Any, least: int, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if value is not None and value < least:
            raise ConfigError(f"{section}.{name}={value}: it must be at least {least}")


@dataclass
class TrainConfig:
    """How a run trains.

    Attributes:
        steps: updates of the generator (steps of the schedule).
        batch_size: real images per discriminator update, of all processes together.
        accumulate: the number of parts in which each batch goes through the networks.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.
        precision: the number format.
        compile: whether torch compiles the networks.
        cuda_graph: whether steps are captured as CUDA graphs and replayed.
        sync_batch_norm: whether batch norm sees the batch of all processes.
        resume: `auto` (from this run's folder), a checkpoint, or None.
        resume_changed: whether to go on with another loss, networks, data or batch size than the checkpoint's.
        log_every: steps between log lines.
        sample_every: steps between grids of samples.
        checkpoint_every: steps between checkpoints.
        keep: how many numbered checkpoints are kept.
        patience: evaluations in a row without a better best score after which the run has finished early; None for any
            number.
        on_nonfinite: what to do when a loss is not finite.
        threads: CPU threads; None for torch's choice.
    """

    steps: int = 700
    batch_size: int = 64
    accumulate: int = 1
    device: str = "auto"
    precision: PrecisionName = PrecisionName.fp32
    compile: bool = False
    cuda_graph: bool = False
    sync_batch_norm: bool = False
    resume: str | None = "auto"
    resume_changed: bool = False
    log_every: int = 10
    sample_every: int = 100
    checkpoint_every: int = 100
    keep: int = 2
    patience: int | None = None
    on_nonfinite: OnNonfinite = OnNonfinite.stop
    threads: int | None = None

    def __post_init__(self) -> None:
        _require("train", self, 1, "steps", "batch_size", "accumulate", "patience")
        _require("train", self, 0, "log_every", "sample_every", "checkpoint_every")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise ConfigError(
                f"train.threads={self.threads}: it must be from 1 to {MOST_THREADS}, or null for torch's choice"
            )
        if self.batch_size % self.accumulate:
            raise ConfigError(f"train.accumulate={self.accumulate} must divide train.batch_size={self.batch_size}")


@dataclass
class EvaluateConfig:
    """How a run is scored.

    Attributes:
        every: steps between scores; 0 means only at the end.
        samples: the number of generated samples for each sample seed; 0 scores nothing while a run trains.
        batch_size: samples at a time.
        split: the reference split, `train` or `test`.
        reference: use no more than so many real samples, evenly spaced; None uses all.
        seed: the first sample seed.
        seeds: the number of sample seeds over which scores are averaged.
        truncation: latents whose entries are larger in absolute value are drawn again (Brock et al.
            2019, arXiv 1809.11096, section 3.1); None leaves them.
        ema: whether samples come from the averaged weights; None follows the model.
        batch_norm: the statistics that batch norm uses: `running` ones, those of the `batch`, or
            `standing` ones, estimated anew (Brock et al. 2019, appendix C.1).
        best: the score by which the best checkpoint is chosen; None for the first that ranks.
        baselines: whether real held-out samples and noise are scored once too, to compare with.
    """

    every: int = 0
    samples: int = 1000
    batch_size: int = 100
    split: str = "train"
    reference: int | None = None
    seed: int = 0
    seeds: int = 1
    truncation: float | None = None
    ema: bool | None = None
    batch_norm: str = "running"
    best: str | None = None
    baselines: bool = True

    def __post_init__(self) -> None:
        _require("evaluate", self, 0, "every", "samples")
        _require("evaluate", self, 1, "batch_size", "seeds")
        _require("evaluate", self, 2, "reference")
        if self.samples == 1:
            raise ConfigError("evaluate.samples=1: it must be at least 2, or 0 to score nothing")
        if self.truncation is not None and self.truncation <= 0:
            raise ConfigError(f"evaluate.truncation={self.truncation} must be above 0, or null")
        if self.batch_norm not in BATCH_NORM:
            raise ConfigError(f"evaluate.batch_norm={self.batch_norm}: choose one of {', '.join(BATCH_NORM)}")


@dataclass
class SampleConfig:
    """The sample grid that is drawn during training.

    Attributes:
        count: how many samples.
        columns: how many side by side.
    """

    count: int = 64
    columns: int = 8

    def __post_init__(self) -> None:
        _require("sample", self, 1, "count", "columns")


@dataclass
class SweepConfig:
    """How a sweep goes on.

    Attributes:
        resume: the folder of the sweep to go on with.
        retry_failed: whether runs that failed are tried again.
        trial: the number of a search's trial.
        folder: what the sweep calls the folder of a run of it.
    """

    resume: str | None = None
    retry_failed: bool = False
    trial: int | None = None
    folder: str | None = None


@dataclass
class Config:
    """A run. Groups of plugins are mappings: a plugin's `name` beside its settings.

    Attributes:
        seed: everything random follows from it.
        train: how it trains.
        evaluate: how it is scored.
        sample: the sample grid.
        sweep: how the sweep goes on that the run belongs to.
        data: the dataset.
        sources: further datasets by name, for games that have several.
        game: the game.
        networks: the networks by name.
        prior: where latents come from.
        loss: the adversarial loss.
        terms: further summands of players' objectives by name.
        schedule: who is updated when.
        strategy: edits of the game by name.
        optimizer: the optimizers by player.
        extractor: what makes features.
        metrics: the metrics by name.
        sampler: another way of drawing samples; empty for the game's own.
        tracker: the trackers by name.
    """

    seed: int = 0
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)
    sweep: SweepConfig = field(default_factory=SweepConfig)
    data: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Any] = field(default_factory=dict)
    game: dict[str, Any] = field(default_factory=dict)
    networks: dict[str, Any] = field(default_factory=dict)
    prior: dict[str, Any] = field(default_factory=dict)
    loss: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    schedule: dict[str, Any] = field(default_factory=dict)
    strategy: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    extractor: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    sampler: dict[str, Any] = field(default_factory=dict)
    tracker: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Config:
        """Return the object of a resolved configuration; what an older one does not have is the default.

        Raises:
            ConfigError: a setting is out of its range, or a section is missing or no group of settings.
        """
        groups: dict[str, Any] = {}
        for section in fields(cls):
            name = section.name
            value = plain.get(name, [] if name in OPTIONAL else None)
            if name in SECTIONS:
                groups[name] = read(SECTIONS[name], name, plain.get(name, {}))
            elif name == "seed":
                groups[name] = plain["seed"]
            elif name not in plain and name not in OPTIONAL:
                raise ConfigError(f"{name} is missing from the configuration")
            elif value is not None and not isinstance(value, Mapping | list):
                raise ConfigError(f"{name}={value}: it must be a group of settings, as in conf/")
            else:
                groups[name] = value or {}
        found = cls(**groups)
        if found.train.patience is not None and not (found.evaluate.every and found.evaluate.samples):
            raise ConfigError(
                f"train.patience={found.train.patience} counts evaluations, and there are none before the end: set "
                "evaluate.every and evaluate.samples"
            )
        return found


SECTIONS: dict[str, type[Any]] = {
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "sample": SampleConfig,
    "sweep": SweepConfig,
}
"""The sections of scalar settings."""

OPTIONAL = ("sources", "sampler")
"""Groups that configurations of version 0.1 do not have."""


def read(section: type[Section], name: str, settings: Any) -> Section:
    """Return a section of a resolved configuration as its own class; a setting that it does not know is left out.

    Raises:
        ConfigError: it is no group of settings, or one is out of its range.
    """
    if not isinstance(settings, Mapping):
        raise ConfigError(f"{name}={settings}: it must be a group of settings, as in conf/")
    known = {one.name for one in fields(section)}  # type: ignore[arg-type]
    return section(**{key: value for key, value in settings.items() if key in known})


ConfigStore.instance().store(name="schema", node=Config, provider="gan-framework")
