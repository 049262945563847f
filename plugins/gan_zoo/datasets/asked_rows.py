"""Rows that have a value which was asked for, as CTGAN draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Data, DataSource, InMemory, build_source, seeding
from gan_zoo.columns import Layout
from gan_zoo.datasets.tabular import Tabular

CONDITION = "condition"
"""The extra that says which value of which column was asked for, one-hot over all of them."""

TIMES = 10
"""How many draws there are for each row."""


def log_frequencies(counts: Tensor) -> Tensor:
    """Return the odds (K,) of values that occur so often: log(n + 1), normalised (Xu et al. 2019, section 4.3)."""
    odds = counts.double().log1p()
    return odds / odds.sum()


def drawn_conditions(layout: Layout, n: int, random: torch.Generator, true_odds: bool) -> tuple[Tensor, Tensor]:
    """Return for n draws a column's number among those that can be asked for, and a value's, (n,) each.

    Columns are drawn evenly, values by their log-frequency, or by their frequency if `true_odds`.
    """
    column = torch.randint(len(layout.asked), (n,), generator=random)
    value = torch.zeros(n, dtype=torch.int64)
    for number, block in enumerate(layout.asked):
        counts = torch.tensor(layout.columns[block.column].counts, dtype=torch.float64)
        odds = counts / counts.sum() if true_odds else log_frequencies(counts)
        chosen = (column == number).nonzero()[:, 0]
        if len(chosen):
            value[chosen] = torch.multinomial(odds, len(chosen), replacement=True, generator=random)
    return column, value


def as_condition(layout: Layout, column: Tensor, value: Tensor) -> Tensor:
    """Return columns and values (n,) as one-hot vectors (n, K) over all values that can be asked for."""
    sizes = [block.size for block in layout.asked]
    starts = torch.tensor([0, *sizes]).cumsum(0)
    condition = torch.zeros(len(column), int(starts[-1]))
    condition[torch.arange(len(column)), starts[column] + value] = 1
    return condition


class Asked(Data):
    """Rows of a table in the order in which they were drawn, each with the value that was asked for."""

    def __init__(self, data: InMemory, layout: Layout) -> None:
        self.data = data
        random = seeding.generator(0, "asked rows")
        column, value = drawn_conditions(layout, TIMES * len(data), random, true_odds=False)
        self._row = torch.zeros(len(column), dtype=torch.int64)
        for number, block in enumerate(layout.asked):
            has = data.samples[:, block.place].argmax(1)
            for choice in range(block.size):
                rows = (has == choice).nonzero()[:, 0]
                draws = ((column == number) & (value == choice)).nonzero()[:, 0]
                if len(draws) and len(rows):
                    self._row[draws] = rows[torch.randint(len(rows), (len(draws),), generator=random)]
        self._condition = as_condition(layout, column, value)

    def __len__(self) -> int:
        return len(self._row)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return rows (n, D)."""
        return self.data.read(self._row[torch.as_tensor(indices, dtype=torch.int64)])

    def read_extra(self, indices: Sequence[int] | Tensor) -> Mapping[str, Tensor]:
        """Return what was asked for, `condition` (n, K)."""
        return {CONDITION: self._condition[torch.as_tensor(indices, dtype=torch.int64)]}


class AskedRows(DataSource):
    """The rows of a table as CTGAN draws them: a column evenly, a value by its log-frequency, a row that has it.

    Args:
        of: the settings of the table.
    """

    def __init__(self, of: dict[str, Any]) -> None:
        source = build_source(of)
        if not isinstance(source, Tabular) or not source.layout.asked:
            raise ConfigError(
                f"asked_rows asks for values of categories, and data={of.get('name')} has none; choose "
                "data=table with such a column and data.encoding=modes"
            )
        self.source = source
        source.announced = True
        self.layout = source.layout
        self.shape = source.shape

    def load(self, split: str) -> Asked:
        """Return a split, `train` or `test`."""
        return Asked(self.source.load(split), self.layout)
