"""The splits of sets that are one table of labelled grey images."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Fit, InMemory

TEST_EVERY = 5
"""Of each class every fifth image, in the order of the file, belongs to the split `test`."""


def stratified(images: Tensor, labels: Tensor, split: str, fit: Fit) -> InMemory:
    """Return a split, `train`, `test` or `all`, of images (N, C, H, W) of 8 bits, brought to one shape."""
    if split != "all":
        chosen = held_out(labels) == (split == "test")
        images, labels = images[chosen], labels[chosen]
    _, channels, height, width = images.shape
    data = InMemory(fit(images), labels)
    data.notes = fit.changes({(channels, height, width): len(data)})
    return data


def held_out(labels: Tensor) -> Tensor:
    """Return which samples (N,) belong to the split `test`."""
    one_hot = torch.nn.functional.one_hot(labels)
    number_within_class = (one_hot.cumsum(0) * one_hot).sum(1)  # from 1
    return number_within_class % TEST_EVERY == 0
