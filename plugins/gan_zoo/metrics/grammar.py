"""What a known source of tokens says of generated ones."""

from __future__ import annotations

import logging
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, FeatureSet, Metric
from gan_zoo.grammars import grammar
from gan_zoo.lengths import are_padded, ended

log = logging.getLogger(__name__)

MOST = 10_000
"""The most samples that are looked at."""


def tokens_of(samples: FeatureSet, most: int = MOST) -> Tensor:
    """Return samples, evenly spaced, as tokens (N, T): of probabilities (N, T, V) the most probable symbols."""
    return samples.read(samples.some(most)).argmax(2)


def require_tokens(metric: str, shape: DataShape) -> None:
    """Raise ConfigError if samples are no tokens."""
    if not shape.vocabulary:
        raise ConfigError(f"metrics.{metric} reads tokens, and the samples {shape.sample} are none: choose data=tokens")


def rows(tokens: Tensor) -> list[bytes]:
    """Return each sequence (N, T) as something that can be in a set."""
    return [row.tobytes() for row in tokens.contiguous().numpy()]


class GrammarMetric(Metric):
    """Judges samples by the source that made the data (Yu et al. 2017, arXiv 1609.05473, section 5.1).

    Args:
        kind: of the source; None where nobody knows it, as with data of your own, and nothing is said.
        length: of sequences.
        vocabulary: of the source.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"validity": True, "new_valid": True, "nll_oracle": False}
    legend: ClassVar[dict[str, str]] = {
        "validity": "share of samples that the source can make, 0 to 1",
        "new_valid": "share of samples that the source can make and that are not in the training data, 0 to 1",
        "nll_oracle": "-log of the source's probability of a sample in nats, impossible steps counted with 1e-6",
    }
    samples_kept: ClassVar[int] = MOST
    needs_splits: ClassVar[tuple[str, ...]] = ("train",)
    held_out: ClassVar[str | None] = "test"

    def __init__(self, kind: str | None, length: int, vocabulary: int) -> None:
        self._grammar = grammar(kind, length, vocabulary) if kind is not None else None
        if kind is None:
            self.higher_is_better, self.legend = {}, {}  # type: ignore[misc]
        self.kind, self.length, self.vocabulary = kind, length, vocabulary

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are none of the source's."""
        if self._grammar is None:
            log.info("metrics.grammar says nothing: the source of these data is not known")
        elif shape.sample != (self.length, self.vocabulary):
            raise ConfigError(
                f"metrics.grammar judges sequences {(self.length, self.vocabulary)} of the source {self.kind}, and the "
                f"samples are {shape.sample}; it goes with data=token_grammar"
            )

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `validity`, `new_valid` and `nll_oracle`; nothing where the source is not known."""
        if self._grammar is None:
            return {}
        tokens = tokens_of(comparison.generated)
        if are_padded(comparison.shape):
            tokens = ended(tokens)  # what networks without an end of their own say after it is not written either
        valid = self._grammar.valid(tokens)
        known = {*rows(tokens_of(comparison.split("train"), len(comparison.split("train").features)))}
        new = torch.tensor([row not in known for row in rows(tokens)])
        return {
            "validity": float(valid.double().mean()),
            "new_valid": float((valid & new).double().mean()),
            "nll_oracle": float(-self._grammar.log_likelihood(tokens).mean()),
        }
