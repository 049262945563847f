"""A trained game, rebuilt from a run's folder or a checkpoint without any data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from gan_framework.build import build_game
from gan_framework.core.game import Game
from gan_framework.core.records import DataShape
from gan_framework.errors import ConfigError
from gan_framework.runs import checkpoint
from gan_framework.storage.layout import RunFolder


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
        ConfigError: there is no intact checkpoint, or its plugins are not installed.
    """
    if path.is_dir():
        found = checkpoint.newest(RunFolder(path).checkpoints)
        if found is None:
            raise ConfigError(f"{path} holds no intact checkpoint in its folder `checkpoints`")
        path, state = found
    else:
        state = checkpoint.load(path)
    game = build_game(state["config"], DataShape.of(state["shape"]), torch.device(device))
    restore(game, state["game"], path)
    return game, state


def restore(game: Game, state: dict[str, Any], path: Path) -> None:
    """Give a game the state of a checkpoint.

    Raises:
        ConfigError: the checkpoint is of another architecture.
    """
    try:
        game.load_state_dict(state)
    except (RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:500]
        raise ConfigError(f"the checkpoint {path} does not fit this configuration: {reason}") from error
