"""Knowing when memory has run out, and what to say then."""

from __future__ import annotations

import errno

from omegaconf import DictConfig

SIGNS = (
    "out of memory",  # CUDA
    "can't allocate memory",  # torch's allocator for CPUs
    "could not create a memory object",  # oneDNN
    "std::bad_alloc",
    "Storage size calculation overflowed",  # more than can be counted
    "numel: integer multiplication overflow",
    "unable to mmap",
    "can't start new thread",
)
"""What the messages say of libraries that have no type of their own for it, or one that would have to be imported."""

SIZES = ("width", "hidden", "dim", "features")
"""Settings of networks that their memory grows with."""


def exhausted(error: BaseException) -> bool:
    """Return whether an error says that memory has run out."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def cause(error: BaseException) -> BaseException | None:
    """Return what says that memory has run out, an error or one of its causes; None if nothing does."""
    seen: BaseException | None = error
    while seen is not None and not exhausted(seen):
        seen = seen.__cause__
    return seen


def advice(error: BaseException, config: DictConfig) -> str:
    """Return one line: that memory has run out, and the settings that lower its use with their present values."""
    details = str(error).strip().splitlines()
    networks = [
        f"networks.{name}.{key}={settings[key]}"
        for name, settings in config.networks.items()
        for key in SIZES
        if key in settings
    ]
    lower = [f"train.batch_size={config.train.batch_size}", *networks]
    lower += [f"{key}={value}" for key, value in _data(config)]
    if config.metrics:
        lower.append(f"evaluate.batch_size={config.evaluate.batch_size} and evaluate.samples={config.evaluate.samples}")
    return f"out of memory ({details[0] if details else type(error).__name__}); lower {', '.join(lower)}"


def _data(config: DictConfig) -> list[tuple[str, object]]:
    wanted = ("image_size", "in_memory_mb")
    return [(f"data.{key}", config.data[key]) for key in wanted if config.data.get(key) is not None]
