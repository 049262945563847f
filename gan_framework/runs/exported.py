"""A trained model as it is published: a folder of weights, configuration and what is known of them."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from gan_framework.config import saved
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.runs import checkpoint_fields
from gan_framework.storage import foreign, plain, tensors

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
    """

    folder: Path
    config: dict[str, Any]
    about: dict[str, Any]

    @classmethod
    def read(cls, folder: Path, linked: bool = False) -> Exported:
        """Read the folder's configuration and description; weights are read when they are asked for.

        Args:
            folder: where it lies.
            linked: whether its files may be links, as in the Hub's cache.

        Raises:
            ConfigError: it is no exported model, is damaged, or from a newer version.
        """
        # In the Hub's cache the files are links to its own store.
        description, config = ((folder / name).resolve() if linked else folder / name for name in (ABOUT, CONFIG))
        try:
            about = plain.read_json(description, description.parent)
        except (FileNotFoundError, foreign.Damaged) as error:
            raise ConfigError(f"{folder} is no exported model: {error}") from error
        if not isinstance(about.get("format"), int) or not all(
            isinstance(about.get(key), dict) for key in ("networks", "sha256")
        ):
            raise ConfigError(f"{folder / ABOUT} is damaged: it names no format, no networks or no hashes")
        for name, (right, what) in FIELDS.items():
            if about.get(name) is not None and not right(about[name]):
                raise ConfigError(f"{folder / ABOUT}: {name} is {plain.shown(about[name])} and not {what}")
        if about["format"] > FORMAT:
            raise ConfigError(
                f"{folder} has format {about['format']}, and this version reads formats up to {FORMAT}: upgrade "
                "gan-framework"
            )
        return cls(folder, saved.read(config), about)

    @property
    def shape(self) -> DataShape:
        """The shape of the data that the model was trained on."""
        try:
            found = _shape(self.about["shape"])
            checkpoint_fields.check_shape(found.plain())
        except (ConfigError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"{self.folder / ABOUT} is damaged: it has no shape of samples ({error})") from error
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
        """Raise ConfigError if a file is missing or not what was exported."""
        for name in self.about.get("sha256") or {}:
            self._verify(str(name))

    def _verify(self, name: str) -> Path:
        if Path(name).name != name:
            raise ConfigError(f"{self.folder / ABOUT} is damaged: {name!r} is no file of the folder")
        path = self.folder / name
        if not path.is_file():
            raise ConfigError(f"there is no file {path}, which {ABOUT} names")
        if path.suffix == tensors.SUFFIX:
            tensors.check_size(path)
        if self.about["sha256"].get(name) != sha256(path):
            raise ConfigError(f"{path} is not what was exported: its hash is not the one in {ABOUT}")
        return path

    def _read(self, name: str) -> dict[str, Tensor]:
        return tensors.read(self._verify(name))


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
