"""All the real data of a run: the source under `data`, and further ones by name under `sources`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch

from gan_framework.core.records import DataShape
from gan_framework.data.batches import Batches
from gan_framework.data.encoding import describe
from gan_framework.data.near_duplicates import without_near_duplicates
from gan_framework.data.source import Data, DataSource, build_source
from gan_framework.errors import ConfigError

Settings = Mapping[str, Any]

OF_BATCHES = ("flip", "transform", "workers")
"""Those of a source's settings that say how batches are drawn."""


class Sources:
    """The sources of a run; their `train` splits are loaded once, when they are first asked for.

    Attributes:
        first: the source under `data`, the only one that samples are scored against.
        others: the further sources by name.

    Args:
        data: the settings under `data`.
        further: the settings under `sources`, for each further source as under `data`.

    Raises:
        ConfigError: no such dataset, or a setting it refuses.
    """

    def __init__(self, data: Settings, further: Mapping[str, Settings]) -> None:
        self._settings = {name: _with_a_name(name, settings) for name, settings in further.items()} | {"": data}
        self.first = build_source(data)
        self.others = {name: _build_further(name, self._settings[name]) for name in further}

    @cached_property
    def _train(self) -> dict[str, Data]:
        loaded = {"": training_data(self.first, self._settings[""])}
        for name, source in self.others.items():
            try:
                loaded[name] = training_data(source, self._settings[name], f"sources.{name}")
            except ConfigError as error:
                raise _of(name, error) from error
        return loaded

    @cached_property
    def shape(self) -> DataShape:
        """What is known of the first source's samples, and of the others' by name.

        Raises:
            ConfigError: the data cannot be loaded, or are not what their source says of them.
        """
        others = {}
        for name, source in self.others.items():
            try:
                others[name] = shape_of(source, self._train[name])
            except ConfigError as error:
                raise _of(name, error) from error
        return shape_of(self.first, self._train[""])._replace(others=others)

    def batches(self, batch_size: int, seed: int, device: torch.device, rank: int = 0, world: int = 1) -> Batches:
        """Return what draws from all sources in lockstep, each in an order of its own.

        Args:
            batch_size: samples per batch and source, of all processes together.
            seed: what the orders and the flips follow from.
            device: where the batches are wanted.
            rank: this process's number.
            world: the number of processes.

        Raises:
            ConfigError: a source cannot fill one batch, or what cannot be mirrored or transformed was to be.
        """

        def of(name: str, source: DataSource, others: Mapping[str, Batches]) -> Batches:
            common = {key: self._settings[name][key] for key in OF_BATCHES if key in self._settings[name]}
            return Batches(
                self._train[name],
                batch_size,
                seed,
                device,
                rank=rank,
                world=world,
                name=name,
                mirrors=source.mirrors,
                others=others,
                **common,
            )

        return of("", self.first, {name: of(name, source, {}) for name, source in self.others.items()})


def training_data(source: DataSource, settings: Settings, section: str = "data") -> Data:
    """Return what is trained on: the split `train`, without near-duplicates if the settings ask for that.

    Raises:
        ConfigError: the data cannot be loaded, or the threshold is none.
    """
    data = source.load("train")
    threshold = settings.get("drop_near_duplicates")
    return without_near_duplicates(data, threshold, f"{section}.drop_near_duplicates")


def _with_a_name(name: str, settings: Settings) -> Settings:
    if not name.isidentifier() or not (isinstance(settings, Mapping) and settings.get("name")):
        raise ConfigError(
            f"sources.{name}={settings}: a further source has a word for a name and the settings of a dataset, as in "
            f"+data@sources.b=digits"
        )
    return settings


def _build_further(name: str, settings: Settings) -> DataSource:
    try:
        return build_source(settings)
    except ConfigError as error:
        raise _of(name, error) from error


def _of(name: str, error: ConfigError) -> ConfigError:
    """Return an error that names the settings of a further source; datasets themselves speak of `data`."""
    said = re.sub(r"(?<![\w./])data\.(?=[a-z_]+(=| is missing))", f"sources.{name}.", str(error))
    return ConfigError(said if said.startswith(f"sources.{name}.") else f"sources.{name}: {said}")


def _check_labels(source: DataSource, train: Data) -> None:
    """Raise ConfigError if labels are not those of the classes that a source speaks of."""
    what, classes, labels = type(source).__name__, source.shape.num_classes, train.labels
    if source.classes and len(source.classes) != classes:
        raise ConfigError(f"{what}: it names {len(source.classes)} classes, but shape.num_classes={classes}")
    if classes and labels is not None and labels.ndim == 1:
        low, high = (int(bound) for bound in labels.aminmax())
        if low < 0 or high >= classes:
            raise ConfigError(f"{what}: its labels go from {low} to {high}, but shape.num_classes={classes}")


def shape_of(source: DataSource, train: Data) -> DataShape:
    """Return a source's shape with all that its `train` split knows: extras, vocabulary and size.

    Raises:
        ConfigError: the samples are not what the source says of them, and would be scored as what they are not.
    """
    if not len(train):
        raise ConfigError(f"{type(source).__name__}: its split `train` has no samples")
    shape, samples = source.shape, train.read([0])
    if tuple(samples.shape[1:]) != tuple(shape.sample) and not train.vocabulary:
        raise ConfigError(
            f"{type(source).__name__}: a sample of its split `train` has the shape {tuple(samples.shape[1:])}, but "
            f"shape.sample={tuple(shape.sample)}"
        )
    if samples.is_floating_point() and shape.is_8_bit:
        raise ConfigError(
            f"{type(source).__name__}: the samples are {describe(samples)}, but shape.value_range=None says that they "
            "are of 8 bits: the dataset must say their range, (-1.0, 1.0) or (-math.inf, math.inf)"
        )
    if samples.dtype == torch.uint8 and not shape.is_8_bit:
        raise ConfigError(
            f"{type(source).__name__}: the samples are {describe(samples)}, but shape.value_range={shape.value_range}: "
            "it must be None for samples of 8 bits"
        )
    if shape.vocabulary not in (0, train.vocabulary):
        raise ConfigError(
            f"{type(source).__name__}: shape.vocabulary={shape.vocabulary}, but its split `train` has "
            f"{train.vocabulary} symbols"
        )
    _check_labels(source, train)
    first = train.read_extra([0])
    return shape._replace(
        extra={name: tuple(tensor.shape[1:]) for name, tensor in first.items()},
        integers=tuple(name for name, tensor in first.items() if tensor.dtype == torch.int64),
        vocabulary=train.vocabulary,
        size=len(train),
    )
