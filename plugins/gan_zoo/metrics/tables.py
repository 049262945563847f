"""How like the rows of a table made ones are: each column, pairs of columns, and what can be learnt from them."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Comparison, ConfigError, FeatureSet, Metric, seeding
from gan_zoo.columns import Layout
from gan_zoo.ranges import require_positive

ROWS = 10_000
"""So many rows at most are compared."""

BINS = 10
"""Quantiles by which numbers become categories where pairs are compared."""


def rows_of(found: FeatureSet) -> Tensor:
    """Return the rows (N, D) of a set that are compared."""
    return found.read(found.some(ROWS)).float()


def ks_distance(a: Tensor, b: Tensor) -> float:
    """Return the greatest distance of the distribution functions of two samples (N,) and (M,), NaN left out."""
    a, b = (x[~x.isnan()].sort().values for x in (a, b))
    if not len(a) or not len(b):
        return float(len(a) != len(b))
    at = torch.cat([a, b])
    of = [torch.searchsorted(x, at, right=True).double() / len(x) for x in (a, b)]
    return float((of[0] - of[1]).abs().max())


def shares(values: Tensor, count: int) -> Tensor:
    """Return how often each of so many categories occurs among values (N,)."""
    return torch.bincount(values.long().clamp(0, count - 1), minlength=count).double() / max(len(values), 1)


def marginal_distances(layout: Layout, a: Tensor, b: Tensor) -> list[float]:
    """Return for each column how far two sets of rows are apart.

    Kolmogorov-Smirnov for numbers, to which the difference of the shares of missing ones is added, and total variation
    for categories.
    """
    found = []
    for column, x, y in zip(layout.columns, layout.decode(a), layout.decode(b), strict=True):
        if column.kind == "constant":
            continue
        if column.is_ordered:
            missing = abs(float(x.isnan().double().mean() - y.isnan().double().mean()))
            found.append(min(1.0, ks_distance(x, y) + missing))
        else:
            count = len(column.choices)
            found.append(float((shares(x, count) - shares(y, count)).abs().sum() / 2))
    return found


def as_categories(layout: Layout, rows: Tensor, reference: Tensor) -> list[Tensor]:
    """Return one-hot matrices (N, K) of each column of rows; numbers fall between the reference's quantiles."""
    found = []
    for column, values, real in zip(layout.columns, layout.decode(rows), layout.decode(reference), strict=True):
        if column.kind == "constant":
            continue
        if column.is_ordered:
            present = real[~real.isnan()]
            edges = torch.quantile(present, torch.linspace(0, 1, BINS + 1).double()[1:-1]).unique()
            codes = torch.where(
                values.isnan(), len(edges) + 1, torch.bucketize(values.nan_to_num(0.0), edges, right=True)
            )
            found.append(F.one_hot(codes.long(), len(edges) + 2).double())
        else:
            found.append(F.one_hot(values.long(), len(column.choices)).double())
    return found


def cramers_v(joint: Tensor) -> float:
    """Return Cramér's V of a table of joint shares (K, L): 0 for independent columns, 1 for one that says the other."""
    expected = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    chi = ((joint - expected).square() / expected.clamp(min=1e-12))[expected > 0].sum()
    least = min(int((joint.sum(1) > 0).sum()), int((joint.sum(0) > 0).sum())) - 1
    return float((chi / least).clamp(0, 1).sqrt()) if least > 0 else 0.0


class _OfTables(Metric):
    samples_kept: ClassVar[int] = ROWS

    def __init__(self, layout: dict[str, Any]) -> None:
        self._layout = Layout.of(layout)


class Marginals(_OfTables):
    """The mean distance of the columns' distributions, one by one.

    Args:
        layout: of the table.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"marginal_error": False}
    legend: ClassVar[dict[str, str]] = {
        "marginal_error": "mean over columns of how far made values are from real ones: 0 to 1, 0 is right",
        "marginal_error_worst": "the same of the worst column",
    }

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `marginal_error` and `marginal_error_worst`."""
        found = marginal_distances(self._layout, rows_of(comparison.generated), rows_of(comparison.real))
        return {"marginal_error": sum(found) / len(found), "marginal_error_worst": max(found)}


class PairDependencies(_OfTables):
    """How far pairs of columns depend on each other as real ones do.

    Args:
        layout: of the table.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"pair_error": False, "dependency_error": False}
    legend: ClassVar[dict[str, str]] = {
        "pair_error": "mean total variation of two columns' joint distribution from the real one: 0 to 1, 0 is right",
        "dependency_error": "mean difference of Cramér's V of two columns from the real one: 0 to 1, 0 is right",
    }

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `pair_error` and `dependency_error`."""
        real = rows_of(comparison.real)
        sides = [as_categories(self._layout, rows, real) for rows in (rows_of(comparison.generated), real)]
        sizes = [column.shape[1] for column in sides[0]]
        if len(sizes) < 2:
            return {"pair_error": 0.0, "dependency_error": 0.0}
        joints = [(torch.cat(side, 1).T @ torch.cat(side, 1)) / len(side[0]) for side in sides]
        blocks = [[row.split(sizes, 1) for row in joint.split(sizes, 0)] for joint in joints]
        apart, depend = [], []
        for i in range(len(sizes)):
            for j in range(i):
                a, b = (found[i][j] for found in blocks)
                apart.append(float((a - b).abs().sum() / 2))
                depend.append(abs(cramers_v(a) - cramers_v(b)))
        return {"pair_error": sum(apart) / len(apart), "dependency_error": sum(depend) / len(depend)}


class MachineLearningEfficacy(_OfTables):
    """How well a small network does on real test rows that has learnt from made ones (Xu et al. 2019, section 5.1).

    It has one hidden layer of 64, and says a column of all others: a category, scored by accuracy, or a number, by R².

    Args:
        layout: of the table.
        target: the column; null for the last category.
        steps: of its training, of 256 rows each.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"efficacy": True}
    legend: ClassVar[dict[str, str]] = {
        "efficacy": "accuracy (or R²) on real test rows of what learnt from made rows: as efficacy_real at best",
        "efficacy_real": "the same of one that learnt from real training rows",
    }
    needs_splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def __init__(self, layout: dict[str, Any], target: str | None, steps: int) -> None:
        super().__init__(layout)
        require_positive(steps=steps)
        self.target, self.steps = target, steps
        names = {column.name: number for number, column in enumerate(self._layout.columns) if column.kind != "constant"}
        if target is not None and target not in names:
            raise ConfigError(f"metrics.ml_efficacy.target={target} must be one of {', '.join(names)}")
        categories = [n for n in names if self._layout.columns[names[n]].kind == "category"]
        self._column = names[target or (categories or list(names))[-1]]

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return `efficacy` and `efficacy_real`."""
        test = rows_of(comparison.split("test"))
        return {
            "efficacy": self._learnt(rows_of(comparison.generated), test),
            "efficacy_real": self._learnt(rows_of(comparison.split("train")), test),
        }

    def _learnt(self, rows: Tensor, test: Tensor) -> float:
        column = self._layout.columns[self._column]
        own = [torch.arange(b.start, b.place.stop) for b in self._layout.blocks if b.column == self._column]
        kept = torch.ones(self._layout.size, dtype=torch.bool)
        kept[torch.cat(own)] = False
        y, z = (self._layout.decode(of)[self._column] for of in (rows, test))
        present, shown = ~y.isnan(), ~z.isnan()
        x, y, held, z = rows[present][:, kept], y[present], test[shown][:, kept], z[shown]
        if not len(y) or not len(z):
            return 0.0
        categories = column.kind == "category"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            outputs = len(column.choices) if categories else 1
            network = nn.Sequential(nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, outputs))
            random = seeding.generator(0, "efficacy")
            mean, scale = z.mean(), z.std(correction=0).clamp(min=1e-9)
            wanted = y.long() if categories else ((y - mean) / scale).float()
            optimizer = torch.optim.Adam(network.parameters(), 3e-3)
            for _ in range(self.steps):
                chosen = torch.randint(len(x), (256,), generator=random)
                said = network(x[chosen])
                error = F.cross_entropy(said, wanted[chosen]) if categories else F.mse_loss(said[:, 0], wanted[chosen])
                optimizer.zero_grad()
                error.backward()
                optimizer.step()
            with torch.no_grad():
                said = network(held)
        if categories:
            return float((said.argmax(1) == z.long()).double().mean())
        return float(1 - ((said[:, 0].double() - (z - mean) / scale).square().mean()))
