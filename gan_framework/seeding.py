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
    """Seed torch on every device."""
    torch.manual_seed(derive(seed, *parts))


def generator(seed: int, *parts: int | str) -> torch.Generator:
    """Return a CPU generator of random numbers of its own."""
    return torch.Generator().manual_seed(derive(seed, *parts))
