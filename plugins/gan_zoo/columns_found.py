"""Finds out what the columns of a table are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import torch
from torch import Tensor

from gan_framework.api import ConfigError
from gan_zoo.columns import DAY, EPOCH, Column, Layout
from gan_zoo.normal_modes import fit_modes

KINDS = ("number", "date", "category", "leave_out")
"""What a user can say of a column."""

BLANKS = ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None")
"""What a missing value is written as."""

FEW = 10
"""Whole numbers of so few different values are categories."""

MOST_DECIMALS = 6

GREATEST = 1e100
"""Numbers beyond it are none: their squares, of which modes are made, would have no end."""


def find_layout(
    table: Mapping[str, Sequence[str]], said: Mapping[str, str], encoding: str, most_values: int, most_modes: int
) -> Layout:
    """Return what the columns of a table are.

    A column of numbers is a `number`, or a `category` where these are whole and few; one of ISO dates is a `date`; all
    else is a `category`. A column with one value only is a `constant`.

    Args:
        table: the columns' texts by name.
        said: kinds by name that the user knows better; `leave_out` leaves a column out.
        encoding: see `Layout`.
        most_values: a category has no more different values.
        most_modes: a number has no more Gaussian modes.

    Raises:
        ConfigError: a column is not what the user says, or has too many different values; it is named.
    """
    for name, kind in said.items():
        if name not in table:
            raise ConfigError(f"data.columns names {name!r}, and the table's columns are {', '.join(table)}")
        if kind not in KINDS:
            raise ConfigError(f"data.columns.{name}={kind} must be one of {', '.join(KINDS)}")
    columns = [
        _column(name, texts, said.get(name), encoding == "modes", most_values, most_modes)
        for name, texts in table.items()
        if said.get(name) != "leave_out"
    ]
    layout = Layout(tuple(columns), encoding)
    if not layout.size:
        raise ConfigError("data: nothing is left to learn: every column of the table has one value, or is left out")
    return layout


def values_of(layout: Layout, table: Mapping[str, Sequence[str]]) -> list[Tensor]:
    """Return the values (N,) float64 of each column of a table, as `Layout.encode` takes them.

    Raises:
        ConfigError: a column is missing, or has a value that the layout does not know.
    """
    found = []
    for column in layout.columns:
        if column.name not in table:
            raise ConfigError(f"data: the table has no column {column.name!r}; it has {', '.join(table)}")
        texts = table[column.name]
        if column.is_ordered:
            found.append(_numbers(column.name, texts, column.kind))
            if column.blank is None and bool(found[-1].isnan().any()):
                raise ConfigError(
                    f"data: values of {column.name!r} are missing here, and none were where it was fitted"
                )
            continue
        known = {value: number for number, value in enumerate(column.values)}
        if column.kind == "constant":
            found.append(torch.zeros(len(texts), dtype=torch.float64))
            continue
        known |= dict.fromkeys(BLANKS, len(column.values)) if column.blank is not None else {}
        known |= {value: number for number, value in enumerate(column.values)}
        unknown = next((text for text in texts if text not in known), None)
        if unknown is not None:
            raise ConfigError(
                f"data: {column.name!r} is {unknown!r} in one row, which it never is in the training split"
            )
        found.append(torch.tensor([known[text] for text in texts], dtype=torch.float64))
    return found


def _column(
    name: str, texts: Sequence[str], said: str | None, modes: bool, most_values: int, most_modes: int
) -> Column:
    counts = Counter(texts)
    blanks = {text: count for text, count in counts.items() if text in BLANKS}
    blank = max(blanks, key=lambda text: blanks[text]) if blanks else None
    values = {text: count for text, count in counts.items() if text not in BLANKS}
    if len(counts) == 1 or not values:
        return Column(name, "constant", (next(iter(counts)),))
    kind = said or _guessed(values)
    if kind == "category":
        if len(values) > most_values:
            raise ConfigError(
                f"data: the column {name!r} has {len(values):,} different values in {len(texts):,} rows, such as "
                f"{next(iter(values))!r}: leave it out by '+data.columns.{name}=leave_out', or raise "
                f"data.most_values={most_values}"
            )
        order = _in_order(values)
        numbers = tuple(values[value] for value in order) + ((sum(blanks.values()),) if blanks else ())
        return Column(name, "category", tuple(order), blank, counts=numbers)
    found = _numbers(name, texts, kind)
    present = found[~found.isnan()]
    fitted = fit_modes(present, most_modes) if modes else ((), (), ())
    means, stds, weights = (tuple(of) for of in fitted)
    decimals = _decimals(values) if kind == "number" else int(any(value % DAY for value in present.tolist()))
    low, high = float(present.min()), float(present.max())
    return Column(name, kind, (), blank, low, high, decimals, means, stds, weights)


def _guessed(values: Mapping[str, int]) -> str:
    if all(_is_number(value) for value in values):
        return "category" if len(values) <= FEW and all(float(value).is_integer() for value in values) else "number"
    return "date" if all(_date(value) is not None for value in values) else "category"


def _in_order(values: Mapping[str, int]) -> list[str]:
    return sorted(values, key=float) if all(map(_is_number, values)) else sorted(values)


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < GREATEST
    except ValueError:
        return False


def _date(text: str) -> float | None:
    """Return the seconds since 1970 of an ISO date."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # a zone can lead out of the years 1 to 9999
        return None
    return (moment - EPOCH).total_seconds()


def _numbers(name: str, texts: Sequence[str], kind: str) -> Tensor:
    known: dict[str, float] = dict.fromkeys(BLANKS, float("nan"))
    for row, text in enumerate(texts):
        if text not in known:
            value = _date(text) if kind == "date" else float(text) if _is_number(text) else None
            if value is None:
                raise ConfigError(f"data: row {row + 1} of the column {name!r} is {text!r}, which is no {kind}")
            known[text] = value
    return torch.tensor([known[text] for text in texts], dtype=torch.float64)


def _decimals(values: Mapping[str, int]) -> int:
    digits = (
        len(value.partition(".")[2].rstrip("0")) if "e" not in value.lower() else MOST_DECIMALS for value in values
    )
    return min(max(digits, default=0), MOST_DECIMALS)
