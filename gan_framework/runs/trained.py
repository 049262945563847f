"""The trained weights that a configuration has networks start from: of a run, a checkpoint, an exported model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from gan_framework.errors import ConfigError
from gan_framework.evaluation.sampler import AVERAGED
from gan_framework.registry.paths import absolute
from gan_framework.runs import checkpoint, exported
from gan_framework.runs.exported import Exported
from gan_framework.storage import hub, no_run, tensors
from gan_framework.storage.layout import RunFolder
from gan_framework.weights.names import plain_name
from gan_framework.weights.settings import WeightSettings, weight_settings
from gan_framework.weights.warm_start import Trained, WarmStart

PLACE = "networks."
"""How the names of networks' tensors begin in a checkpoint."""


def warm_start(config: Mapping[str, Any]) -> WarmStart | None:
    """Return what networks of a configuration start from; None where all are drawn.

    Raises:
        ConfigError: there is no such run, checkpoint or repository, or it has no such network.
    """
    wanted = {name: one for name, one in weight_settings(config["networks"]).items() if one.source is not None}
    opened: dict[str, _Source] = {}
    found = {}
    for name, settings in wanted.items():
        setting = f"networks.{name}.from={settings.source}"
        assert settings.source is not None
        try:
            if settings.source not in opened:
                opened[settings.source] = _open(settings.source)
            found[name] = _taken(opened[settings.source], name, settings, setting)
        except ConfigError as error:
            raise ConfigError(f"{setting}: {error}") from error
    return WarmStart(found) if found else None


class _Source(ABC):
    """Networks' weights somewhere: by network, by the tensor's plain name."""

    def __init__(self, where: str, names: list[str]) -> None:
        self.where = where
        self.names = names

    @abstractmethod
    def tensors(self, network: str) -> dict[str, Tensor]: ...


class _Checkpoint(_Source):
    def __init__(self, path: Path, state: Mapping[str, Any]) -> None:
        game = state["game"]
        self._by_network: dict[str, dict[str, Tensor]] = {}
        for key, value in game.items():
            if isinstance(key, str) and key.startswith(PLACE) and isinstance(value, Tensor):
                network, _, name = key.removeprefix(PLACE).partition(".")
                self._by_network.setdefault(network, {})[plain_name(name)] = value
        super().__init__(f"{path} (step {state['clock']['step']})", [*self._by_network])

    def tensors(self, network: str) -> dict[str, Tensor]:
        return self._by_network[network]


class _Folder(_Source):
    def __init__(self, found: Exported) -> None:
        super().__init__(f"{found.where} (step {found.about.get('step')})", [*found.networks])
        self._found = found

    def tensors(self, network: str) -> dict[str, Tensor]:
        return {plain_name(name): tensor for name, tensor in self._found.weights(network).items()}


class _File(_Source):
    def __init__(self, path: Path) -> None:
        super().__init__(str(path), [])
        self._tensors = {plain_name(name): tensor for name, tensor in tensors.read(path).items()}

    def tensors(self, network: str) -> dict[str, Tensor]:
        return self._tensors


def _open(source: str) -> _Source:
    path = hub.fetch(source, only=exported.NEEDED) if hub.is_on_hub(source) else absolute(source)
    if path.is_file():
        return _File(path) if path.suffix == tensors.SUFFIX else _Checkpoint(path, checkpoint.load(path))
    if exported.is_exported(path):
        return _Folder(Exported.read(path, source if hub.is_on_hub(source) else ""))
    if not path.is_dir():
        raise ConfigError("there is no such run's folder, checkpoint or exported model; hf:OWNER/NAME is on the Hub")
    newest = checkpoint.newest(RunFolder(path).checkpoints)
    if newest is None:
        raise ConfigError(f"it is not an exported model, and {no_run.said(path)}")
    return _Checkpoint(*newest)


def _taken(source: _Source, name: str, settings: WeightSettings, setting: str) -> Trained:
    """Return the weights that a network starts from: those it asks for, else the averaged ones of its name, or its."""
    if not source.names:
        if settings.source_network is not None:
            raise ConfigError(
                f"networks.{name}.from_network={settings.source_network} has no effect: the file holds one network"
            )
        return _finite(Trained(setting, source.where, source.tensors(name)))
    asked = settings.source_network
    chosen = next((one for one in ([asked] if asked else [f"{name}{AVERAGED}", name]) if one in source.names), None)
    if chosen is None:
        raise ConfigError(
            f"there is no network {asked or name}, but {', '.join(source.names)}; networks.{name}.from_network says "
            "which is meant"
        )
    return _finite(Trained(setting, f"{chosen} of {source.where}", source.tensors(chosen)))


def _finite(found: Trained) -> Trained:
    for name, tensor in found.tensors.items():
        if not tensor.isfinite().all():
            raise ConfigError(f"{found.where} holds weights that are not finite: {name}")
    return found
