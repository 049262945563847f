"""A table of the user's own, as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from torch import Tensor

from gan_framework.api import ConfigError
from gan_zoo.datasets.checks import known_file, warn_of_one_place
from gan_zoo.datasets.parquet import read_parquet
from gan_zoo.datasets.splits import held_out, known_share, members
from gan_zoo.datasets.tabular import Table, Tabular

LARGEST = 2**30
"""The largest file that is read, in bytes."""

LINE = 2**24
"""The longest line, in characters."""

MOST_COLUMNS = 5_000

MOST_DESCRIBED = 50_000
"""Names and values that describe columns: a run's configuration holds them, and is read back up to a limit."""


class TableFile(Tabular):
    """The rows of a CSV file with the names of the columns in its first line; `.parquet` files need pyarrow.

    What each column is is found out and said; see `find_layout`. Missing values are empty or `?`, NA, NaN, null.

    Args:
        path: the file.
        test_path: another one, for the split `test`.
        test_share: without `test_path`, the share of the rows that is held out as `test`, chosen by their content.
        separator: what stands between values.
        columns: kinds of columns that are known better, by name: number, date, category or leave_out.
        encoding: `modes` as CTGAN, or `unit` as medGAN.
        most_values: a column of more different texts is refused.
        most_modes: of the Gaussian mixture of a number.
        layout: what was found, filled in by the run.
        channels: the size of a row as a vector, or null.
        num_classes: null.
        image_size: null.
    """

    def __init__(
        self,
        path: Path | None,
        test_path: Path | None,
        test_share: float,
        separator: str,
        columns: dict[str, str] | None,
        encoding: str,
        most_values: int,
        most_modes: int,
        layout: dict[str, Any] | None,
        channels: int | None,
        num_classes: int | None,
        image_size: None = None,
    ) -> None:
        if not path:
            raise ConfigError("data.path is missing: a CSV file with the names of its columns in the first line")
        known_share(test_share)
        if len(separator) != 1 or separator in '"\r\n':
            raise ConfigError(f"data.separator={separator!r} must be one character, and no quote and no end of a line")
        if most_modes < 1 or most_values < 1:
            raise ConfigError(f"data.most_modes={most_modes} data.most_values={most_values}: both must be at least 1")
        if test_path:
            warn_of_one_place(Path(path), Path(test_path))
            tables = {"train": read_table(Path(path), separator), "test": read_table(Path(test_path), separator)}
        else:
            tables = _divided(read_table(Path(path), separator), test_share)
        super().__init__(tables, columns, encoding, most_values, most_modes, layout)
        described = _described(self.layout.plain())
        if described > MOST_DESCRIBED:
            raise ConfigError(
                f"data.path={path}: it takes {described:,} values to describe {len(self.layout.columns):,} columns, "
                f"and a run's configuration holds {MOST_DESCRIBED:,}: leave some out by data.columns, or lower "
                f"data.most_modes={most_modes} or data.most_values={most_values}, or choose data.encoding=unit"
            )
        if channels not in (None, self.layout.size):
            raise ConfigError(
                f"data.channels={channels}, but a row of {path} has {self.layout.size} entries: set it to null"
            )


def read_table(path: Path, separator: str = ",") -> Table:
    """Return the columns of a CSV or Parquet file as texts, without the spaces around them.

    Raises:
        ConfigError: the file is missing, empty, ragged or too large, or two columns have one name.
    """
    known_file(path, LARGEST)
    if path.suffix.lower() in (".parquet", ".pq"):
        return read_parquet(path, LARGEST, lambda names: _check_names(path, names))
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [
                (number, [value.strip() for value in row])
                for number, row in enumerate(csv.reader(_lines(file), delimiter=separator, skipinitialspace=True), 1)
                if row
            ]
    except OSError as error:
        raise ConfigError(f"data.path={path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"data.path={path} is no CSV file in UTF-8: {error}") from error
    if len(rows) < 2:
        raise ConfigError(f"data.path={path}: there are no rows below the names of the columns")
    names = rows[0][1]
    _check_names(path, names)
    for number, row in rows[1:]:
        if len(row) != len(names):
            raise ConfigError(
                f"data.path={path}: line {number} has {len(row)} values, and the first names {len(names)} columns; "
                f"the values are separated by data.separator={separator!r}"
            )
    return {name: [row[column] for _, row in rows[1:]] for column, name in enumerate(names)}


def _described(plain: Any) -> int:
    if isinstance(plain, dict):
        return sum(1 + _described(inner) for inner in plain.values())
    return 1 + sum(map(_described, plain)) if isinstance(plain, list) else 1


def _lines(file: IO[str]) -> Iterator[str]:
    """Yield the lines of a table, none of which may be endless."""
    while line := file.readline(LINE + 1):
        if len(line) > LINE:
            raise csv.Error(f"a line has more than {LINE:,} characters")
        yield line


def _check_names(path: Path, names: list[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise ConfigError(f"data.path={path} has {len(names):,} columns; up to {MOST_COLUMNS:,} are read")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"data.path={path}: two columns are named {twice!r}")


def _divided(table: Table, share: float) -> dict[str, Table]:
    rows = ("\x1f".join(row).encode() for row in zip(*table.values(), strict=True))
    held = held_out(rows, share)
    chosen: dict[str, Tensor] = {"train": members(held, share, "train")}
    if held.any():
        chosen["test"] = members(held, share, "test")
    return {
        split: {name: [texts[i] for i in of.tolist()] for name, texts in table.items()} for split, of in chosen.items()
    }
