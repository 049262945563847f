"""The typed schema of the configuration's scalar settings; a wrong key or type is an error naming it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hydra.core.config_store import ConfigStore


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


@dataclass
class TrainConfig:
    """How a run trains."""

    steps: int = 700
    batch_size: int = 64
    device: str = "auto"
    precision: PrecisionName = PrecisionName.fp32
    compile: bool = False
    sync_batch_norm: bool = False
    resume: str | None = "auto"
    log_every: int = 10
    sample_every: int = 100
    checkpoint_every: int = 100
    keep: int = 2
    on_nonfinite: OnNonfinite = OnNonfinite.stop
    threads: int | None = None


@dataclass
class EvaluateConfig:
    """How a run is scored."""

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


@dataclass
class SampleConfig:
    """The sample grid that is drawn during training."""

    count: int = 64
    columns: int = 8


@dataclass
class SweepConfig:
    """How a sweep goes on."""

    resume: str | None = None
    retry_failed: bool = False
    trial: int | None = None


@dataclass
class Config:
    """A run. Groups of plugins are mappings: a plugin's `name` beside its settings."""

    seed: int = 0
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    sample: SampleConfig = field(default_factory=SampleConfig)
    sweep: SweepConfig = field(default_factory=SweepConfig)
    data: dict[str, Any] = field(default_factory=dict)
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
    tracker: dict[str, Any] = field(default_factory=dict)


ConfigStore.instance().store(name="schema", node=Config, provider="gan-framework")
