"""A trained game, rebuilt from a run's folder or a checkpoint without any data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from gan_framework.build import build_game
from gan_framework.core.game import Game
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.evaluation import decoding
from gan_framework.runs import checkpoint
from gan_framework.runs.decoder import opened
from gan_framework.runs.exported import is_exported
from gan_framework.storage import no_run
from gan_framework.storage.layout import RunFolder
from gan_framework.weights.pretrained import with_pretrained


class Unfit(ConfigError):
    """A checkpoint does not fit the game that it is to be restored to."""


def load_game(path: Path, device: torch.device | str = "cpu") -> tuple[Game, dict[str, Any]]:
    """Rebuild a trained game from a run's folder or a checkpoint, and return it with its configuration.

    Raises:
        ConfigError: there is no intact checkpoint, or its plugins are not installed.
    """
    game, state = load(path, device)
    return game, state["config"]


def load(path: Path, device: torch.device | str = "cpu") -> tuple[Game, dict[str, Any]]:
    """Rebuild a trained game from a run's folder or a checkpoint, and return it with all that the checkpoint holds.

    Raises:
        ConfigError: there is no intact checkpoint, its plugins are not installed, its weights are not finite, or the
            decoder of what it makes is gone.
    """
    path, state = _read(path)
    shape, device = DataShape.of(state["shape"]), torch.device(device)
    decoder = opened(state["config"]["data"] or {}, shape, device, alone)
    game = _rebuilt(path, state, device)
    decoding.give(game, decoder)
    return game, state


def alone(path: Path, device: torch.device) -> tuple[Game, dict[str, Any]]:
    """Rebuild a game as `load` does, but without the decoder of what it makes.

    Raises:
        ConfigError: as for `load`.
    """
    path, state = _read(path)
    return _rebuilt(path, state, device), state


def _read(path: Path) -> tuple[Path, dict[str, Any]]:
    if path.is_dir():
        found = checkpoint.newest(RunFolder(path).checkpoints)
        if found is None and is_exported(path):
            raise ConfigError(
                f"{path} is an exported model, which Python reads: `from gan_framework import load`, then "
                "load(...).sample(16); commands take the run that it was made of"
            )
        if found is None:
            raise ConfigError(no_run.said(path))
        return found
    if not path.exists():
        raise ConfigError(f"there is no checkpoint {path}, and no folder of a run")
    return path, checkpoint.load(path)


def _rebuilt(path: Path, state: dict[str, Any], device: torch.device) -> Game:
    game = _build(state, device, path)
    restore(game, state, path)
    for name, parameter in game.networks.named_parameters():
        if not parameter.isfinite().all():
            raise ConfigError(f"the checkpoint {path} holds weights that are not finite: networks.{name}")
    return game


def _build(state: dict[str, Any], device: torch.device, path: Path) -> Game:
    try:
        return build_game(state["config"], DataShape.of(state["shape"]), device)
    except ConfigError as error:
        raise ConfigError(f"the checkpoint {path}: {error}") from error
    except Exception as error:  # the configuration may be anybody's
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ConfigError(f"no game can be built of the configuration in the checkpoint {path}: {reason}") from error


def restore(game: Game, state: dict[str, Any], path: Path) -> None:
    """Give a game its state in a checkpoint.

    Raises:
        ConfigError: a pretrained network that the checkpoint names is not here, or another.
        Unfit: the checkpoint is of another architecture, or damaged.
    """
    try:
        whole = with_pretrained(game, state["game"], state.get("pretrained") or {})
    except ConfigError as error:
        raise ConfigError(f"the checkpoint {path}: {error}") from None
    try:
        game.load_state_dict(whole)
    except Exception as error:  # plugins take up the states that they are given, whatever these hold
        reason = " ".join(str(error).split())[:500]
        raise Unfit(f"the checkpoint {path} does not fit this configuration: {reason}") from error
