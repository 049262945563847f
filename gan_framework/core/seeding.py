"""Everything random follows from the run's seed, and from nothing that happened before.

Each step starts from a seed computed from (seed, step, rank). So a resumed run draws what an
uninterrupted one would have drawn, and evaluating or sampling in between changes nothing.
"""

from __future__ import annotations

import hashlib

import torch


def derive(seed: int, *parts: int | str) -> int:
    """Return a 63-bit seed that follows from a seed and any further parts."""
    text = ":".join(map(str, (seed, *parts))).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def reseed(seed: int, *parts: int | str) -> None:
    """Seed torch on every device in use."""
    # torch.manual_seed formats the call stack for every kind of device that is not: a fifth of a small step.
    value = derive(seed, *parts)
    torch.default_generator.manual_seed(value)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(value)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(value)


def generator(seed: int, *parts: int | str) -> torch.Generator:
    """Return a CPU generator of random numbers of its own."""
    return torch.Generator().manual_seed(derive(seed, *parts))
