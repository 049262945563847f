"""Groups of tokens that follow each other: whether they are as frequent as in the data, and how much repeats."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, DataShape, Metric
from gan_zoo.metrics.grammar import require_tokens, rows, tokens_of

Counts = Mapping[tuple[int, ...], float]


def ngrams(tokens: Tensor, n: int) -> Counter[tuple[int, ...]]:
    """Return how often each group of n tokens occurs in sequences (N, T)."""
    return Counter(map(tuple, tokens.unfold(1, n, 1).reshape(-1, n).tolist()))


def jensen_shannon(first: Counts, second: Counts) -> float:
    """Return the Jensen-Shannon divergence of two distributions that counts stand for, in nats: 0 to log 2."""
    totals = sum(first.values()), sum(second.values())
    found = 0.0
    for key in first.keys() | second.keys():
        p, q = first.get(key, 0) / totals[0], second.get(key, 0) / totals[1]
        for part in (p, q):
            if part:
                found += 0.5 * part * math.log(2 * part / (p + q))
    return found


def self_bleu(tokens: Tensor, most: int) -> float:
    """Return how much of each sequence stands in the others: BLEU of groups of up to `most` tokens, 0 to 1.

    The geometric mean over group sizes of the clipped share of a sequence's groups that occur in another one, averaged
    over sequences (Zhu et al. 2018, arXiv 1802.01886, section 2.2). All sequences are of one length, so that there is
    no penalty for brevity.
    """
    logs = torch.zeros(len(tokens), dtype=torch.float64)
    for n in range(1, most + 1):
        each = [Counter(map(tuple, row.unfold(0, n, 1).tolist())) for row in tokens]
        # Of each group the two greatest counts of any sequence: the greatest elsewhere is one of them.
        best: dict[tuple[int, ...], list[int]] = {}
        for counts in each:
            for key, count in counts.items():
                first, second = best.get(key, (0, 0))
                best[key] = [max(first, count), max(second, min(first, count))]
        for row, counts in enumerate(each):
            kept = sum(min(c, best[key][1] if c == best[key][0] else best[key][0]) for key, c in counts.items())
            logs[row] += math.log(max(kept, 1e-9) / counts.total()) / most
    return float(logs.exp().mean())


class Ngrams(Metric):
    """Frequencies of groups of tokens, and the variety of whole sequences.

    Args:
        n: the longest groups.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"ngram_jsd": False, "self_bleu": False, "unique_share": True}
    legend: ClassVar[dict[str, str]] = {
        "ngram_jsd": "Jensen-Shannon divergence of groups of tokens from the data's, mean over sizes, 0 to log 2",
        "self_bleu": "how much of a sample stands in the others, 0 to 1; compare with that of real samples",
        "unique_share": "different samples among all, 0 to 1",
    }
    samples_kept: ClassVar[int] = 2_000

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError(f"n={n} must be at least 1")
        self.n = n

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no tokens, or shorter than the groups."""
        require_tokens("ngrams", shape)

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `ngram_jsd`, `self_bleu` and `unique_share`."""
        made = tokens_of(comparison.generated, self.samples_kept)
        real = tokens_of(comparison.real)
        longest = min(self.n, made.shape[1])
        found = [jensen_shannon(ngrams(made, n), ngrams(real, n)) for n in range(1, longest + 1)]
        return {
            "ngram_jsd": sum(found) / longest,
            "self_bleu": self_bleu(made[:500], longest),
            "unique_share": len({*rows(made)}) / len(made),
        }
