"""Data that are held in memory whole."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_framework.data.source import Data


class InMemory(Data):
    """Samples and labels as tensors on the CPU.

    Args:
        samples: images (N, C, H, W) uint8, or vectors (N, D) float32.
        labels: class indices (N,), condition vectors (N, K), or None.

    Raises:
        ValueError: the samples are neither, or the labels do not belong to them.
    """

    def __init__(self, samples: Tensor, labels: Tensor | None = None) -> None:
        if (samples.ndim, samples.dtype) not in ((4, torch.uint8), (2, torch.float32)):
            raise ValueError(
                f"samples are images (N, C, H, W) uint8 or vectors (N, D) float32, "
                f"not {tuple(samples.shape)} {samples.dtype}"
            )
        if labels is not None:
            if len(labels) != len(samples) or labels.ndim not in (1, 2):
                raise ValueError(f"{len(samples)} samples cannot have labels of shape {tuple(labels.shape)}")
            labels = labels.to(torch.int64 if labels.ndim == 1 else torch.float32)
        if samples.ndim == 4:  # the layout in which batches are gathered
            samples = samples.contiguous(memory_format=torch.channels_last)
        self.samples = samples
        self.labels = labels

    def __len__(self) -> int:
        return len(self.samples)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return samples: images (n, C, H, W) uint8, or vectors (n, D) float32."""
        return self.samples[torch.as_tensor(indices, dtype=torch.int64)].contiguous()
