"""What the columns of a table are, and how rows become vectors and rows again."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from gan_framework.api import ConfigError, harmless

ENCODINGS = ("modes", "unit")

SPREAD = 4.0
"""Standard deviations of a mode to either side that are within [-1, 1] (Xu et al. 2019, arXiv 1907.00503, 4.2)."""

EPOCH = datetime(1970, 1, 1)

DAY = 86_400
"""Seconds."""

FIRST, LAST = ((moment - EPOCH).total_seconds() for moment in (datetime.min, datetime.max.replace(microsecond=0)))
"""The dates that can be written, in seconds since 1970."""

MOST_DECIMALS = 20

CALLS, SIGNS = "=@＝＠", "+-＋－"
"""What formulas begin with in spreadsheets."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: as in the table's first line.
        kind: `number`, `date`, `category`, or `constant`, which no network sees.
        values: the categories, or the one value of a constant.
        blank: what is written where a value is missing; None if none ever is.
        low: the least value of a number or date.
        high: the greatest one.
        decimals: digits after the point; of dates 0 for days, 1 for seconds.
        means: of a number's or date's modes.
        stds: the deviations of the modes.
        weights: the shares of the modes.
        counts: how many rows have each category, the missing one last.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    blank: str | None = None
    low: float = 0.0
    high: float = 0.0
    decimals: int = 0
    means: tuple[float, ...] = ()
    stds: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()

    def check(self, encoding: str) -> None:
        """Raise ValueError, naming the field, if it is no description of a column: it may be anybody's."""
        texts, numbers = (self.name, self.kind, *self.values), (self.low, self.high, *self.modes)
        if not all(isinstance(one, str) for one in texts) or not isinstance(self.blank, str | None):
            raise ValueError("name, kind, values and blank must be texts")
        if not all(isinstance(one, int | float) and abs(one) < math.inf for one in numbers):
            raise ValueError("low, high, means, stds and weights must be finite numbers")
        if not (isinstance(self.decimals, int) and 0 <= self.decimals <= MOST_DECIMALS and self.low <= self.high):
            raise ValueError(f"decimals must be from 0 to {MOST_DECIMALS}, and low at most high")
        if not all(isinstance(one, int) and one >= 0 for one in self.counts):
            raise ValueError("counts must be whole numbers")
        if self.kind not in ("number", "date", "category", "constant"):
            raise ValueError(f"kind={self.kind!r} must be number, date, category or constant")
        if self.is_ordered and encoding == "modes":
            if not len(self.means) == len(self.stds) == len(self.weights) > 0:
                raise ValueError("means, stds and weights must be as many, and one at least")
            if min(*self.stds, *self.weights) <= 0:
                raise ValueError("stds and weights must be above 0")
        if self.kind == "date" and not (FIRST <= self.low and self.high <= LAST):
            raise ValueError("low and high must be dates of the years 1 to 9999")
        if not self.is_ordered and not self.values:
            raise ValueError("values are missing")

    @property
    def modes(self) -> tuple[float, ...]:
        """All numbers that describe modes."""
        return (*self.means, *self.stds, *self.weights)

    @property
    def is_ordered(self) -> bool:
        """Whether values are numbers or dates."""
        return self.kind in ("number", "date")

    @property
    def choices(self) -> tuple[str, ...]:
        """The categories, a blank for missing ones last."""
        return self.values + ((self.blank,) if self.blank is not None else ())

    def described(self) -> str:
        """Return in words what was found."""
        missing = ", some missing" if self.blank is not None else ""
        if self.kind == "constant":
            return f"always {self.values[0]!r}"
        if self.kind == "category":
            shown = ", ".join(map(repr, self.values[:4])) + (", ..." if len(self.values) > 4 else "")
            return f"category of {len(self.values)} ({shown}){missing}"
        modes = f", {len(self.means)} modes" if self.means else ""
        return f"{self.kind} from {self.written(self.low)} to {self.written(self.high)}{modes}{missing}"

    def written(self, value: float) -> str:
        """Return a number or date as it stands in the table."""
        value = min(max(value, self.low), self.high)
        if self.kind == "number":
            return f"{value:.{self.decimals}f}"
        if self.decimals == 0:
            return (EPOCH + timedelta(days=round(value / DAY))).date().isoformat()
        return (EPOCH + timedelta(seconds=round(value))).isoformat(sep=" ")


@dataclass(frozen=True)
class Block:
    """Entries of a vector that belong together.

    Attributes:
        column: the number of the column.
        kind: `value` (one number), `choice` (one of several) or `bit`.
        start: where it begins.
        size: how many entries.
        of: `kind`, `mode` or `missing`: what of the column it says.
    """

    column: int
    kind: Literal["value", "choice", "bit"]
    start: int
    size: int
    of: Literal["number", "mode", "category", "missing"]

    @property
    def place(self) -> slice:
        """Where its entries are."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class Layout:
    """The columns of a table and how they are encoded.

    With `modes` a number is (v - μ) / 4σ of one of its Gaussian modes, and which mode it is, a missing one being a mode
    of its own (CTGAN, Xu et al. 2019, arXiv 1907.00503, section 4.2). With `unit` it is rescaled to [0, 1], and a bit
    says whether it is missing; a category of two values is one bit (medGAN, Choi et al. 2017, arXiv 1703.06490). All
    other categories are one-hot, the missing one last.

    Attributes:
        columns: in the order of the table.
        encoding: `modes` or `unit`.
    """

    columns: tuple[Column, ...]
    encoding: str

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Layout:
        """Return the layout that `plain()` describes.

        Raises:
            ConfigError: it describes none.
        """
        try:
            fields: list[dict[str, Any]] = [
                {k: tuple(v) if isinstance(v, list) else v for k, v in one.items()} for one in plain["columns"]
            ]
            found = cls(tuple(Column(**one) for one in fields), plain["encoding"])
            for column in found.columns:
                column.check(found.encoding)
            if not found.size:
                raise ValueError("it has no columns")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"layout: it is no description of a table's columns: {error}") from error
        if found.encoding not in ENCODINGS:
            raise ConfigError(f"encoding={found.encoding!r}: choose one of {', '.join(ENCODINGS)}")
        return found

    def plain(self) -> dict[str, Any]:
        """Return what a configuration keeps of it."""
        columns = [
            {k: [*v] if isinstance(v, tuple) else v for k, v in asdict(one).items() if v not in ((), None)}
            for one in self.columns
        ]
        return {"encoding": self.encoding, "columns": columns}

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """What the entries of a vector mean, in order."""
        found: list[Block] = []

        def add(column: int, kind: Any, size: int, of: Any) -> None:
            start = found[-1].place.stop if found else 0
            found.append(Block(column, kind, start, size, of))

        for number, column in enumerate(self.columns):
            if column.kind == "category":
                n = len(column.choices)
                bit = self.encoding == "unit" and n == 2
                add(number, "bit" if bit else "choice", 1 if bit else n, "category")
            elif column.is_ordered:
                add(number, "value", 1, "number")
                if self.encoding == "modes":
                    add(number, "choice", len(column.means) + (column.blank is not None), "mode")
                elif column.blank is not None:
                    add(number, "bit", 1, "missing")
        return tuple(found)

    @property
    def size(self) -> int:
        """The number of entries of a vector."""
        return self.blocks[-1].place.stop if self.blocks else 0

    @cached_property
    def asked(self) -> tuple[Block, ...]:
        """The blocks of columns that are categories, whose values a generator can be asked for."""
        return tuple(block for block in self.blocks if block.of == "category" and block.kind == "choice")

    # -- values -------------------------------------------------------------------------------------

    def encode(self, values: Sequence[Tensor], random: torch.Generator) -> Tensor:
        """Return rows as vectors (N, D) float32.

        Args:
            values: of each column float64 (N,): numbers, dates in seconds, NaN where they are missing, or the numbers
                of categories.
            random: decides which mode a number is said to be of, in proportion to its density.
        """
        count = len(values[0])
        rows = torch.zeros(count, self.size)
        each = torch.arange(count)
        for block in self.blocks:
            column, value = self.columns[block.column], values[block.column]
            missing = value.isnan()
            if block.of == "category":
                if block.kind == "bit":
                    rows[:, block.start] = value.float()
                else:
                    rows[each, block.start + value.long()] = 1
            elif block.of == "missing":
                rows[:, block.start] = missing.float()
            elif block.of == "number" and self.encoding == "unit":
                reach = (column.high - column.low) or 1.0
                rows[:, block.start] = ((value - column.low) / reach).nan_to_num(0.5).float()
            elif block.of == "mode":
                mode = _drawn_modes(column, value.nan_to_num(column.low), random)
                mean, std = (torch.tensor(of, dtype=torch.float64)[mode] for of in (column.means, column.stds))
                scaled = ((value - mean) / (SPREAD * std)).clamp(-1, 1).nan_to_num(0.0)
                rows[:, block.start - 1] = scaled.float()
                rows[each, block.start + torch.where(missing, len(column.means), mode)] = 1
        return rows

    def decode(self, rows: Tensor) -> list[Tensor]:
        """Return of vectors (N, D) each column's values (N,) float64: see `encode`; a constant's are 0."""
        rows = rows.detach().cpu().double()
        values = [torch.zeros(len(rows), dtype=torch.float64) for _ in self.columns]
        for block in self.blocks:
            column, entries = self.columns[block.column], rows[:, block.place]
            if block.of == "category":
                chosen = entries[:, 0] > 0.5 if block.kind == "bit" else entries.argmax(1)
                values[block.column] = chosen.double()
            elif block.of == "number":
                reach = column.high - column.low
                values[block.column] = column.low + reach * entries[:, 0] if self.encoding == "unit" else entries[:, 0]
            elif block.of == "missing":
                values[block.column][entries[:, 0] > 0.5] = torch.nan
            else:
                mode = entries.argmax(1)
                mean, std = (torch.tensor([*of, torch.nan], dtype=torch.float64) for of in (column.means, column.stds))
                values[block.column] = values[block.column].clamp(-1, 1) * SPREAD * std[mode] + mean[mode]
        return [v.clamp(c.low, c.high) if c.is_ordered else v for v, c in zip(values, self.columns, strict=True)]

    def texts(self, rows: Tensor) -> list[list[str]]:
        """Return vectors (N, D) as the rows of the table."""
        columns = []
        for column, values in zip(self.columns, self.decode(rows), strict=True):
            if column.is_ordered:
                blank = column.blank or ""
                columns.append([blank if v != v else column.written(v) for v in values.tolist()])
            else:
                columns.append([column.choices[int(v)] for v in values.tolist()])
        return [list(row) for row in zip(*columns, strict=True)]

    def table(self, rows: Tensor, separator: str = ",") -> str:
        """Return vectors (N, D) as the text of a table with the names of the columns in its first line; see `cell`."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=separator, lineterminator="\n")
        writer.writerow([cell(column.name) for column in self.columns])
        writer.writerows([map(cell, row) for row in self.texts(rows)])
        return text.getvalue()


def cell(text: str) -> str:
    """Return a text as a cell of a table, which spreadsheets may open: what would call something has an apostrophe.

    A layout may be anybody's. What begins with a sign is left alone unless it has what a call needs, so that categories
    like `-`, `+50K` and `-1 to 0` are written as they are.
    """
    shown = harmless(text)
    beginning = shown.lstrip()[:1]
    calls = beginning in CALLS or (beginning in SIGNS and any(one in shown for one in "(|!"))
    return f"'{shown}" if beginning and calls else shown


def _drawn_modes(column: Column, values: Tensor, random: torch.Generator) -> Tensor:
    """Return for values (N,) float64 one mode each (N,), drawn in proportion to its share and density."""
    mean, std, weight = (torch.tensor(of, dtype=torch.float64) for of in (column.means, column.stds, column.weights))
    density = weight.log() - std.log() - 0.5 * ((values[:, None] - mean) / std).square()
    return torch.multinomial(density.softmax(1), 1, generator=random)[:, 0]
