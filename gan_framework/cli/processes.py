"""Which of several processes this one is, as torchrun or a cluster's launcher says in the environment."""

from __future__ import annotations

import os

from gan_framework.errors import ConfigError


def world() -> int:
    """Return the number of processes."""
    return _number("WORLD_SIZE", 1, None, 1)


def check() -> None:
    """Raise ConfigError if what the environment says is no number, or none that a process can have."""
    _number("RANK", 0, world() - 1, 0)
    _number("LOCAL_RANK", 0, None, 0)


def _number(name: str, least: int, most: int | None, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if text.isascii() and text.isdigit() and int(text) >= least and (most is None or int(text) <= most):
        return int(text)
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}, as WORLD_SIZE={most + 1}"
    raise ConfigError(
        f"the environment has {name}={text}, which must be a whole number {bounds}: torchrun sets it; unset it for a "
        "run of one process"
    )
