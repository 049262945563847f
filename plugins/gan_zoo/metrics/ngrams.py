"""Groups of tokens that follow each other: whether they are as frequent as in the data, and how much repeats."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, DataShape, Metric
from gan_zoo.lengths import are_padded, ended, inside, told
from gan_zoo.metrics.grammar import require_tokens, rows, tokens_of
from gan_zoo.ranges import require_positive

Counts = Mapping[tuple[int, ...], float]


def ngrams(tokens: Tensor, n: int, padded: bool = False) -> Counter[tuple[int, ...]]:
    """Return how often each group of n tokens occurs in sequences (N, T); of padded ones the end is one more token."""
    groups = tokens.unfold(1, n, 1)
    if padded:
        groups = groups[inside(told(tokens) - n + 1, groups.shape[1])]
    return Counter(map(tuple, groups.reshape(-1, n).tolist()))


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


def self_bleu(tokens: Tensor, most: int, padded: bool = False) -> float:
    """Return how much of each sequence stands in the others: BLEU of groups of up to `most` tokens, 0 to 1.

    The geometric mean over group sizes of the clipped share of a sequence's groups that occur in another one, averaged
    over sequences (Zhu et al. 2018, arXiv 1802.01886, section 2.2). Among so many sequences there is one of any length,
    so that there is no penalty for brevity. Of padded sequences the end is one more token, and where one is shorter
    than a group's size that size is left out.
    """
    logs = torch.zeros(len(tokens), dtype=torch.float64)
    sizes = told(tokens).clamp(max=most) if padded else torch.full((len(tokens),), most)
    for n in range(1, most + 1):
        each = [ngrams(row[None], n, padded) for row in tokens]
        # Of each group the two greatest counts of any sequence: the greatest elsewhere is one of them.
        best: dict[tuple[int, ...], list[int]] = {}
        for counts in each:
            for key, count in counts.items():
                first, second = best.get(key, (0, 0))
                best[key] = [max(first, count), max(second, min(first, count))]
        for row, counts in enumerate(each):
            if not counts:
                continue
            kept = sum(min(c, best[key][1] if c == best[key][0] else best[key][0]) for key, c in counts.items())
            logs[row] += math.log(max(kept, 1e-9) / counts.total()) / int(sizes[row])
    return float(logs.exp().mean())


class Ngrams(Metric):
    """Frequencies of groups of tokens, and the variety of whole sequences.

    Of sequences of different lengths the end is one more token, and what follows it is not counted.

    Args:
        n: the longest groups; where sequences are shorter, groups of their length are.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"ngram_jsd": False, "self_bleu": False, "unique_share": True}
    legend: ClassVar[dict[str, str]] = {
        "ngram_jsd": "Jensen-Shannon divergence of groups of tokens from the data's, mean over sizes, 0 to log 2",
        "self_bleu": "how much of a sample stands in the others, 0 to 1; compare with that of real samples",
        "unique_share": "different samples among all, 0 to 1",
    }
    samples_kept: ClassVar[int] = 2_000

    def __init__(self, n: int) -> None:
        require_positive(n=n)
        self.n = n

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if the samples are no tokens."""
        require_tokens("ngrams", shape)

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `ngram_jsd`, `self_bleu` and `unique_share`."""
        made = tokens_of(comparison.generated, self.samples_kept)
        real = tokens_of(comparison.real)
        padded = are_padded(comparison.shape)
        longest = min(self.n, int(told(made).max()), int(told(real).max())) if padded else min(self.n, made.shape[1])
        found = [jensen_shannon(ngrams(made, n, padded), ngrams(real, n, padded)) for n in range(1, longest + 1)]
        return {
            "ngram_jsd": sum(found) / longest,
            "self_bleu": self_bleu(made[:500], longest, padded),
            "unique_share": len({*rows(ended(made) if padded else made)}) / len(made),
        }
