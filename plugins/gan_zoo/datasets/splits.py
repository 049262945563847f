"""Holding out a test split where the files name none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError

CHUNK = 2**26
"""Bytes of samples that are copied at a time."""


def known_share(share: float) -> float:
    """Return the setting `test_share`.

    Raises:
        ConfigError: it is no share.
    """
    if not (isinstance(share, (int, float)) and 0 <= share < 1):
        raise ConfigError(f"data.test_share={share} must be at least 0 and less than 1")
    return share


def held_out(identities: Iterable[bytes | memoryview], share: float) -> Tensor:
    """Return for each sample, (N,) bool, whether it is held out as `test`.

    A sample's identity alone decides: its hash, a number from 0 to 1, is less than the share. So samples that come or
    go exchange no others, and equal identities never lie on both sides.
    """
    hashes = b"".join([hashlib.blake2b(identity, digest_size=8).digest() for identity in identities])
    return torch.from_numpy(np.frombuffer(hashes, ">u8") / 2.0**64 < share)


def members(held: Tensor, share: float, split: str) -> Tensor:
    """Return which samples belong to a split, in their order.

    Args:
        held: for each sample whether it is held out, (N,) bool.
        share: the setting that says how many are to be.
        split: `train` or `test`.

    Raises:
        ConfigError: there are none.
    """
    chosen = (held if split == "test" else ~held).nonzero()[:, 0]
    if len(chosen):
        return chosen
    if split == "test":
        why = "is none" if share == 0 else f"happened to be none (each is held out with a chance of {share})"
        raise ConfigError(
            f"there is no split 'test': data.test_share={share} of {len(held)} samples {why}; raise it or set "
            "data.test_path"
        )
    raise ConfigError(
        f"nothing is left for the split 'train': data.test_share={share} holds out all {len(held)} samples; lower it, "
        "or set it to 0 and give data.test_path"
    )


def rows(samples: Tensor) -> Iterator[memoryview]:
    """Yield the bytes of each of the samples (N, ...), which are their identities."""
    size = samples[0].numel() * samples.element_size()
    for part in samples.split(max(1, CHUNK // size)):
        content = memoryview(part.contiguous().numpy().reshape(-1).view(np.uint8))
        yield from (content[start : start + size] for start in range(0, len(content), size))
