"""What stands against capturing a step: changes and decisions on the host, and waiting for the device."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from gan_framework.core import player as updating
from gan_framework.core.contracts.term import Term
from gan_framework.core.game import Game
from gan_framework.core.player import Player
from gan_framework.errors import ConfigError
from gan_framework.runs.cuda_graph import SETTING


def changes(before: Mapping[str, Any], after: Mapping[str, Any], followed: list[str]) -> list[str]:
    """Return the names of what differs between two flat states, other than values of tensors on the device.

    Args:
        before: the state by name: plain values, and for tensors on the device their addresses.
        after: the state after a step.
        followed: beginnings of names that may differ.
    """
    return [
        name
        for name in dict.fromkeys([*before, *after])
        if not any(name == own or name.startswith(f"{own}.") for own in followed)
        and (name not in before or name not in after or before[name] != after[name])
    ]


def flat_state(game: Game) -> dict[str, Any]:
    """Return a game's state by name: plain values, and for tensors on its device their addresses and shapes."""
    flat: dict[str, Any] = {}

    def visit(name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            on_device = value.device.type == game.device.type
            flat[name] = (value.data_ptr(), tuple(value.shape)) if on_device else value.tolist()
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                visit(f"{name}.{key}", inner)
        elif isinstance(value, list | tuple):
            for i, inner in enumerate(value):
                visit(f"{name}.{i}", inner)
        else:
            flat[name] = value

    for name, value in game.state_dict().items():
        visit(name, value)
    return flat


@contextmanager
def asking_for_counts(players: Sequence[Player]) -> Iterator[list[str]]:
    """Yield a list that fills, inside the context, with the places that ask how often a player has been updated.

    What has a key that tells steps apart by the count (`graph_key`, `update_key`) may ask.
    """
    found: dict[str, None] = {}
    places: list[str] = []

    def asked(player: Player) -> int:
        asker = sys._getframe(1)
        module = asker.f_globals.get("__name__", "")
        if module != updating.__name__ and not _has_key(asker.f_locals.get("self")):
            found[f"{module}, line {asker.f_lineno}"] = None
        return int(player.__dict__["updates"])

    def counted(player: Player, updates: int) -> None:
        player.__dict__["updates"] = updates

    kinds = [type(player) for player in players]
    for player, kind in zip(players, kinds, strict=True):
        player.__class__ = type(kind.__name__, (kind,), {"updates": property(asked, counted)})
    try:
        yield places
    finally:
        for player, kind in zip(players, kinds, strict=True):
            player.__class__ = kind
        places += found


def _has_key(asker: object) -> bool:
    key = getattr(type(asker), "update_key", None)
    return hasattr(asker, "graph_key") or key not in (None, Term.update_key, Player.update_key)


@contextmanager
def on_another_stream(device: torch.device) -> Iterator[None]:
    """Compute on another stream, as a capture does, so that what is made there once is there already."""
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream(device).wait_stream(stream)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Raise ConfigError where the host waits for the device."""
    if not torch.cuda.is_available():
        yield
        return
    mode = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    except RuntimeError as error:
        if "synchronizing" not in str(error):
            raise
        raise ConfigError(f"{SETTING}: a step waits for the device ({_where(error)}), which a graph cannot") from error
    finally:
        torch.cuda.set_sync_debug_mode(mode)


def _where(error: BaseException) -> str:
    """Return the place in the framework or a plugin at which an error was raised."""
    place, trace = "", error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if not module.startswith("torch") and module != __name__:
            place = f"{module}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
