"""The records that travel through a step. Images are (N, C, H, W) in [-1, 1] everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor

EMPTY: Mapping[str, Tensor] = MappingProxyType({})


class Batch(NamedTuple):
    """One batch of real data.

    Attributes:
        samples: images (N, C, H, W) in [-1, 1], or vectors (N, D) for data that are not images.
        labels: class indices (N,), condition vectors (N, K), or None for unlabelled data.
    """

    samples: Tensor
    labels: Tensor | None = None


class Latent(NamedTuple):
    """What a prior draws for a generator.

    Attributes:
        z: the generator's whole input (N, latent_dim), structured codes included.
        labels: class indices (N,), condition vectors (N, K), or None.
        code: the structured parts of z by name (InfoGAN's categorical and continuous codes).
    """

    z: Tensor
    labels: Tensor | None = None
    code: Mapping[str, Tensor] = EMPTY

    def part(self, of: slice) -> Latent:
        """Return some of the N latents."""
        labels = self.labels[of] if self.labels is not None else None
        return Latent(self.z[of], labels, {name: code[of] for name, code in self.code.items()})


class DiscriminatorOutput(NamedTuple):
    """What every discriminator returns.

    Attributes:
        logits: one score per sample (N,), before any sigmoid.
        features: inner activations, first layer first; the last is the penultimate layer.
        heads: further outputs by name (class logits, InfoGAN's q).
    """

    logits: Tensor
    features: tuple[Tensor, ...] = ()
    heads: Mapping[str, Tensor] = EMPTY

    def part(self, of: slice) -> DiscriminatorOutput:
        """Return what was said of some of the N samples."""
        heads = {name: head[of] for name, head in self.heads.items()}
        return DiscriminatorOutput(self.logits[of], tuple(feature[of] for feature in self.features), heads)


class DataShape(NamedTuple):
    """The shape of one sample and what its labels are.

    Attributes:
        sample: (C, H, W) for images, (D,) for vectors.
        num_classes: the number of classes, 0 for unlabelled data.
        condition_dim: the size of a condition vector where labels are vectors, else 0.
    """

    sample: tuple[int, ...]
    num_classes: int = 0
    condition_dim: int = 0


Draw = Callable[[], Batch]
"""Gives the next real batch, so that k discriminator steps use k fresh batches."""
