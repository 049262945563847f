"""A trained model as it is published: a folder of weights, configuration and what is known of them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from gan_framework.config import saved
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.runs import checkpoint_fields
from gan_framework.storage import foreign, plain, tensors

T = TypeVar("T")

FORMAT = 1
"""The version of the folder's layout; a newer one is refused."""

ABOUT = "export.json"
"""The file that says what the others are."""

CONFIG = "config.yaml"

REST = "state.safetensors"
"""The tensors that samples are drawn with and that are no network's: a prior's, conditions of grids."""

FIELDS: dict[str, tuple[checkpoint_fields.Check, str]] = {
    "step": (checkpoint_fields.is_count, "a whole number, 0 or more"),
    "images_seen": (checkpoint_fields.is_count, "a whole number, 0 or more"),
    "scores": (checkpoint_fields.are_numbers, "numbers by name"),
    "protocol": (checkpoint_fields.is_mapping, "a mapping"),
    "plain": (checkpoint_fields.are_mappings, "mappings by the names of networks"),
    "networks": (lambda found: all(isinstance(file, str) for file in found.values()), "files by the names of networks"),
}
"""What fields of the description must be, which may be anybody's."""

PIECE = 2**20
"""Bytes of a file that are held at a time."""

NEEDED = ("*.json", "*.yaml", f"*{tensors.SUFFIX}")
"""The files that a model is loaded from."""


@dataclass(frozen=True)
class Exported:
    """What an exported folder holds.

    Attributes:
        folder: where it lies.
        config: the run's configuration, resolved.
        about: what `export.json` says: shape, networks, classes, sampler, protocol, scores, step.
        source: the repository that it was downloaded from into the Hub's cache; empty for other folders.
    """

    folder: Path
    config: dict[str, Any]
    about: dict[str, Any]
    source: str = ""

    @classmethod
    def read(cls, folder: Path, source: str = "") -> Exported:
        """Read the folder's configuration and description; weights are read when they are asked for.

        Args:
            folder: where it lies.
            source: the repository that the Hub's cache holds there.

        Raises:
            ConfigError: it is not an exported model, is damaged, or from a newer version.
        """
        where = source or str(folder)
        # In the Hub's cache the files are links to its own store, where they are called by their hashes.
        description, config = ((folder / name).resolve() if source else folder / name for name in (ABOUT, CONFIG))
        try:
            about = plain.read_json(description, description.parent)
        except FileNotFoundError as error:
            raise ConfigError(f"{where} is not an exported model: it holds no {ABOUT}") from error
        except foreign.Damaged as error:
            raise ConfigError(f"{where} is not an exported model: {_called(error, description, ABOUT)}") from error
        if not isinstance(about.get("format"), int) or not all(
            isinstance(about.get(key), dict) for key in ("networks", "sha256")
        ):
            raise ConfigError(f"{where}: {ABOUT} is damaged: it names no format, no networks or no hashes")
        for name, (right, what) in FIELDS.items():
            if about.get(name) is not None and not right(about[name]):
                raise ConfigError(f"{where}: {ABOUT}: {name} is {plain.shown(about[name])} and not {what}")
        if about["format"] > FORMAT:
            raise ConfigError(
                f"{where} has format {about['format']}, and this version reads formats up to {FORMAT}: upgrade "
                "gan-framework"
            )
        try:
            settings = saved.read(config)
        except ConfigError as error:
            raise ConfigError(_called(error, config, f"{where}: {CONFIG}")) from error
        return cls(folder, settings, about, source)

    @property
    def where(self) -> str:
        """What it is called in messages."""
        return self.source or str(self.folder)

    @property
    def shape(self) -> DataShape:
        """The shape of the data that the model was trained on."""
        try:
            found = _shape(self.about["shape"])
            checkpoint_fields.check_shape(found.plain())
        except (ConfigError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"{self.where}: {ABOUT} is damaged: it has no shape of samples ({error})") from error
        return found

    @property
    def networks(self) -> dict[str, str]:
        """The files of the networks by the networks' names."""
        return {str(name): str(file) for name, file in self.about["networks"].items()}

    def weights(self, network: str) -> dict[str, Tensor]:
        """Return the state of a network.

        Raises:
            ConfigError: its file is missing or not what was exported.
        """
        return self._read(self.networks[network])

    def rest(self) -> dict[str, Tensor]:
        """Return the tensors beside the networks' that samples are drawn with."""
        return self._read(REST) if (self.folder / REST).exists() else {}

    def check(self) -> None:
        """Raise ConfigError if a file is missing or not what was exported, or there is no shape of samples."""
        rest = [REST] if (self.folder / REST).exists() else []
        for name in dict.fromkeys([*self.about["sha256"], *self.networks.values(), *rest]):
            self._verify(name)
        _ = self.shape

    def _verify(self, name: str) -> Path:
        if Path(name).name != name:
            raise ConfigError(f"{self.where}: {ABOUT} is damaged: {name!r} is no file of the folder")
        path = self.folder / name
        if not path.is_file():
            raise ConfigError(f"{self.where} holds no file {name!r}, which {ABOUT} names")
        if path.suffix == tensors.SUFFIX:
            self._named(name, lambda: tensors.check_size(path))
        if self.about["sha256"].get(name) != sha256(path):
            raise ConfigError(f"{self.where}: {name} is not what was exported: its hash is not the one in {ABOUT}")
        return path

    def _read(self, name: str) -> dict[str, Tensor]:
        path = self._verify(name)
        return self._named(name, lambda: tensors.read(path))

    def _named(self, name: str, work: Callable[[], T]) -> T:
        """Do something with a file of the folder; what is wrong with it is said by its name there."""
        try:
            return work()
        except ConfigError as error:
            raise ConfigError(_called(error, self.folder / name, f"{self.where}: {name}")) from error


def _called(error: ConfigError, path: Path, name: str) -> str:
    """Return what is wrong with a file, under the name that it is known by."""
    said = str(error).removeprefix(f"{path.parent}: ")
    return said.replace(str(path) if str(path) in said else path.name, name)


def _shape(plain: list[Any]) -> DataShape:
    """Return the shape of which JSON has kept `plain()`: without tuples, and with null for infinity."""
    shape = DataShape.of(plain)
    others = {name: _shape(other) for name, other in (plain[7] if len(plain) > 7 else {}).items()}
    bounds = shape.value_range
    if bounds is not None:
        least, most = bounds
        bounds = (-math.inf if least is None else float(least), math.inf if most is None else float(most))
    extra = {name: tuple(sizes) for name, sizes in shape.extra.items()}
    return shape._replace(extra=extra, value_range=bounds, others=others)


def is_exported(folder: Path) -> bool:
    """Whether a folder is an exported model."""
    return (folder / ABOUT).is_file()


def sha256(path: Path) -> str:
    """Return the hash of a file's content, which may be larger than the memory."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()
