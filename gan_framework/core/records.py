"""The records that travel through a step. 8-bit images are (N, C, H, W) in [-1, 1] everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor

EMPTY: Mapping[str, Any] = MappingProxyType({})


def _part(tensors: Mapping[str, Tensor], of: slice) -> Mapping[str, Tensor]:
    return {name: tensor[of] for name, tensor in tensors.items()} if tensors else EMPTY


@dataclass(frozen=True)
class Batch:
    """One batch of real data.

    Attributes:
        samples: float32 (N, ...): images (N, C, H, W), vectors (N, D), one-hot tokens (N, T, V), or any other shape.
            8-bit images are in [-1, 1], other data in the range that their source says.
        labels: class indices (N,), condition vectors (N, K), or None for unlabelled data.
        extra: further tensors (N, ...) of the same samples by name: a paired image, a mask, a text vector, lengths.
        index: the samples' positions (N,) in their source, for games that keep something for each sample.
        others: batches of the run's further sources by name, each in an order of its own.
    """

    samples: Tensor
    labels: Tensor | None = None
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    index: Tensor | None = None
    others: Mapping[str, Batch] = field(default_factory=dict)

    def part(self, of: slice) -> Batch:
        """Return some of the N samples, with all that belongs to them."""
        return Batch(
            self.samples[of],
            self.labels[of] if self.labels is not None else None,
            _part(self.extra, of),
            self.index[of] if self.index is not None else None,
            {name: other.part(of) for name, other in self.others.items()} if self.others else EMPTY,
        )


class Latent(NamedTuple):
    """What a generator makes samples of.

    Attributes:
        z: drawn from the prior (N, latent_dim), structured codes included; (N, 0) where there is no prior.
        labels: class indices (N,), condition vectors (N, K), or None.
        code: the structured parts of z by name (InfoGAN's categorical and continuous codes).
        given: what the generator gets beside z by name: a source image, a text vector.
    """

    z: Tensor
    labels: Tensor | None = None
    code: Mapping[str, Tensor] = EMPTY
    given: Mapping[str, Tensor] = EMPTY

    def part(self, of: slice) -> Latent:
        """Return some of the N latents."""
        labels = self.labels[of] if self.labels is not None else None
        return Latent(self.z[of], labels, _part(self.code, of), _part(self.given, of))


class DiscriminatorOutput(NamedTuple):
    """What every discriminator returns.

    Attributes:
        logits: (N,), or (N, ...) for patches, time steps or scales, before any sigmoid.
        features: inner activations, first layer first; the last is the penultimate layer.
        heads: further outputs by name (class logits, InfoGAN's q).
        samples: what was judged (N, ...), filled in by the pair.
        labels: their labels, filled in by the pair.
    """

    logits: Tensor
    features: tuple[Tensor, ...] = ()
    heads: Mapping[str, Tensor] = EMPTY
    samples: Tensor | None = None
    labels: Tensor | None = None

    @property
    def scores(self) -> Tensor:
        """One number for each sample (N,): the mean of its logits."""
        return self.logits if self.logits.ndim == 1 else self.logits.flatten(1).mean(1)

    def part(self, of: slice) -> DiscriminatorOutput:
        """Return what was said of some of the N samples."""
        return DiscriminatorOutput(
            self.logits[of],
            tuple(feature[of] for feature in self.features),
            _part(self.heads, of),
            self.samples[of] if self.samples is not None else None,
            self.labels[of] if self.labels is not None else None,
        )


class DataShape(NamedTuple):
    """The shape of one sample and what its labels are.

    Attributes:
        sample: (C, H, W) for images, (D,) for vectors, (T, V) for tokens, or any other shape.
        num_classes: the number of classes, 0 for unlabelled data.
        condition_dim: the size of a condition vector where labels are vectors, else 0.
        extra: the shapes of the further tensors of a sample by name.
        value_range: the least and the greatest value of samples; None for 8-bit images, volumes and videos, and for
            vectors, sequences and tokens without bounds. Images of any other values say it, if only (-inf, inf).
        vocabulary: the number V of symbols where samples are tokens, else 0.
        size: the number of samples to train on, 0 where nobody has counted them.
        others: the shapes of the run's further sources by name.
        integers: the names of the extras that are int64 (lengths), where the others are float32.
    """

    sample: tuple[int, ...]
    num_classes: int = 0
    condition_dim: int = 0
    extra: Mapping[str, tuple[int, ...]] = EMPTY
    value_range: tuple[float, float] | None = None
    vocabulary: int = 0
    size: int = 0
    others: Mapping[str, DataShape] = EMPTY
    integers: tuple[str, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether samples have the shape of images (C, H, W)."""
        return len(self.sample) == 3

    @property
    def is_8_bit(self) -> bool:
        """Whether samples are images, volumes or videos of 256 levels, in [-1, 1] in training and back for scores."""
        return len(self.sample) >= 3 and self.value_range is None

    def plain(self) -> list[Any]:
        """Return what a checkpoint keeps of it: lists, mappings and numbers."""
        extra = {name: tuple(shape) for name, shape in self.extra.items()}
        others = {name: other.plain() for name, other in self.others.items()}
        return [*self[:3], extra, self.value_range, self.vocabulary, self.size, others, self.integers]

    @classmethod
    def of(cls, plain: list[Any]) -> DataShape:
        """Return the shape of which a checkpoint has kept `plain()`; older ones have its first three entries."""
        shape, (others, integers) = cls(tuple(plain[0]), *plain[1:7]), plain[7:] or ({}, ())
        return shape._replace(others={n: cls.of(other) for n, other in others.items()}, integers=tuple(integers))


NextBatch = Callable[[], Batch]
"""Gives the next real batch, so that k discriminator updates use k fresh batches."""
