"""Generated sequences beside those that they should be."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, DataShape, Metric
from gan_zoo.lengths import are_padded, counted, ended
from gan_zoo.metrics.grammar import require_tokens


def as_tokens(samples: Tensor) -> Tensor:
    """Return tokens (N, T) of one-hot symbols or probabilities (N, T, V), or themselves."""
    return samples.argmax(2) if samples.ndim == 3 else samples


class ExactMatch(Metric):
    """How many sequences, and how many tokens, are what they should be.

    Of sequences of different lengths the end is one more token, and what follows it is not compared.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"exact_match": True, "token_match": True}
    legend: ClassVar[dict[str, str]] = {
        "exact_match": "share of samples that are in every token what they should be, 0 to 1",
        "token_match": "share of tokens that are what they should be, 0 to 1",
    }
    needs_pairs: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 2_000

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no tokens."""
        require_tokens("exact_match", shape)

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `exact_match` and `token_match`."""
        assert comparison.pairs is not None
        sides = ((as_tokens(pair.generated), as_tokens(pair.target)) for pair in comparison.pairs())
        found = [compared(made, wanted, are_padded(comparison.shape)) for made, wanted in sides]
        right, asked = (torch.cat(part) for part in zip(*found, strict=True))
        return {
            "exact_match": float((right | ~asked).all(1).double().mean()),
            "token_match": float(right[asked].double().mean()),
        }


def compared(made: Tensor, wanted: Tensor, padded: bool) -> tuple[Tensor, Tensor]:
    """Return where sequences (N, T) are what they should be, and where something is asked of them: up to the end."""
    if not padded:
        return made == wanted, torch.ones_like(wanted, dtype=torch.bool)
    return ended(made) == ended(wanted), counted(wanted)
