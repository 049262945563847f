"""Data that are held in memory whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.data.encoding import describe
from gan_framework.data.source import Data

LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""By a tensor's dimensions the layout in which batches are gathered, and in which convolutions are fastest."""


class InMemory(Data):
    """Samples with their labels and extras as tensors on the CPU.

    Args:
        samples: float32 (N, ...) of any shape; 8-bit images (N, C, H, W), volumes (N, C, D, H, W) or videos
            (N, T, C, H, W) uint8; or tokens (N, T) int64.
        labels: class indices (N,), condition vectors (N, K), or None.
        extra: further tensors (N, ...) of the samples by name: float32, int64, or 8-bit images uint8.
        vocabulary: the number of symbols where samples are tokens, else 0.

    Raises:
        ValueError: the samples are none of these, or the labels or an extra do not belong to them.
    """

    def __init__(
        self,
        samples: Tensor,
        labels: Tensor | None = None,
        extra: Mapping[str, Tensor] | None = None,
        vocabulary: int = 0,
    ) -> None:
        _check_samples(samples, vocabulary)
        if labels is not None:
            if len(labels) != len(samples) or labels.ndim not in (1, 2):
                raise ValueError(f"{len(samples)} samples cannot have labels of shape {tuple(labels.shape)}")
            labels = labels.to(torch.int64 if labels.ndim == 1 else torch.float32)
        for name, tensor in (extra or {}).items():
            _check_extra(name, tensor, len(samples))
        self.samples = _laid_out(samples)
        self.labels = labels
        self.extra = {name: _laid_out(tensor) for name, tensor in (extra or {}).items()}
        self.vocabulary = vocabulary

    def __len__(self) -> int:
        return len(self.samples)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return samples (n, ...) as they are stored."""
        return _rows(self.samples, indices)

    def read_extra(self, indices: Sequence[int] | Tensor) -> Mapping[str, Tensor]:
        """Return the samples' extras (n, ...) by name, as they are stored."""
        return {name: _rows(tensor, indices) for name, tensor in self.extra.items()}


def _rows(tensor: Tensor, indices: Sequence[int] | Tensor) -> Tensor:
    """Return a copy of rows, in the usual layout."""
    if isinstance(indices, range) and indices.step == 1 and 0 <= indices.start <= indices.stop <= len(tensor):
        # What is read in order, as for a hash, is copied by one thread: torch's wait for each other at every chunk.
        return torch.from_numpy(np.array(tensor[indices.start : indices.stop].numpy(), order="C"))
    return tensor[torch.as_tensor(indices, dtype=torch.int64)].contiguous()


def _check_samples(samples: Tensor, vocabulary: int) -> None:
    if samples.dtype == torch.int64 and samples.ndim == 2:
        low, high = (int(bound) for bound in samples.aminmax()) if samples.numel() else (0, -1)
        if low < 0 or high >= vocabulary:
            raise ValueError(f"samples are tokens from {low} to {high}, but vocabulary={vocabulary}")
        return
    if vocabulary:
        raise ValueError(f"vocabulary={vocabulary}, but samples are {describe(samples)}: tokens are (N, T) int64")
    if not (_is_8_bit(samples) or (samples.dtype == torch.float32 and samples.ndim >= 2)):
        raise ValueError(
            "samples are float32 (N, ...), images (N, C, H, W) or volumes or videos of five dimensions uint8, or "
            f"tokens (N, T) int64, not {describe(samples)}"
        )


def _check_extra(name: str, tensor: Tensor, n: int) -> None:
    if name == SAMPLES:
        raise ValueError(f"an extra cannot be named {SAMPLES!r}: that is the samples' own name")
    if tensor.ndim == 0 or len(tensor) != n:
        raise ValueError(f"{n} samples cannot have the extra {name!r} of shape {tuple(tensor.shape)}")
    if not (_is_8_bit(tensor) or tensor.dtype in (torch.float32, torch.int64)):
        raise ValueError(
            f"the extra {name!r} is {describe(tensor)}: extras are float32, int64, or images (N, C, H, W) uint8"
        )


def _is_8_bit(tensor: Tensor) -> bool:
    return tensor.dtype == torch.uint8 and tensor.ndim in LAYOUTS


def _laid_out(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=LAYOUTS.get(tensor.ndim, torch.contiguous_format))
