"""Reading the columns of a Parquet file as texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gan_framework.api import ConfigError
from gan_zoo.datasets.array_sizes import check_size

CELL = 16
"""Bytes that a cell takes at least while a table is held."""

LONGEST = 2**17
"""The longest text of a cell, as in CSV files."""

ROWS = 2**14
"""Rows that are brought to texts at a time."""


def read_parquet(path: Path, largest: int, check_names: Callable[[list[str]], None]) -> dict[str, list[str]]:
    """Return the columns by name, cells as they would stand in a CSV file, missing ones as nothing.

    What a packed file becomes can be a million times as large. So a text that is repeated is unpacked and held once,
    and sizes are checked that the file's head announces.

    Args:
        path: the file.
        largest: the most bytes that it may unpack to.
        check_names: raises ConfigError for columns that cannot be read.

    Raises:
        ConfigError: it is no such file, has no rows, lists in its cells or too long texts, or is too large.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError(
            f"data.path={path}: reading Parquet needs pyarrow: pip install 'gan-framework[parquet]'"
        ) from error
    try:
        size = 0
        names, texts = _announced(path, largest, check_names)
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            found: dict[str, list[str]] = {name: [] for name in names}
            for batch in file.iter_batches(batch_size=ROWS, columns=names):
                for name, column in zip(names, batch.columns, strict=True):
                    own = _texts(f"data.path={path}: a cell of the column {name!r}", column)
                    found[name] += own
                    size += sum(map(len, own))
                if size > largest:
                    raise ConfigError(f"data.path={path} unpacks to more than {largest:,} characters, the most read")
    except ConfigError:
        raise
    except Exception as error:  # a damaged file can make the library raise anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConfigError(f"data.path={path} is no Parquet file that can be read: {reason}") from error
    return found


def _announced(path: Path, largest: int, check_names: Callable[[list[str]], None]) -> tuple[list[str], list[str]]:
    """Return the names of the columns, and those of texts, by the head of a file whose sizes are right."""
    from pyarrow import parquet, types

    about = parquet.read_metadata(path)
    columns = about.schema.to_arrow_schema()
    index = {name for name in (columns.pandas_metadata or {}).get("index_columns", ()) if isinstance(name, str)}
    names = [str(name) for name in columns.names if name not in index]
    check_names(names)
    if not about.num_rows or not names:
        raise ConfigError(f"data.path={path}: there are no rows")
    nested = next((field.name for field in columns if types.is_nested(field.type)), None)
    if nested is not None:
        raise ConfigError(f"data.path={path}: the column {nested!r} holds lists or groups; single values are read")
    unpacked = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
    if unpacked > largest:
        raise ConfigError(f"data.path={path} unpacks to {unpacked:,} bytes; up to {largest:,} are read")
    check_size(f"data.path={path}", CELL * about.num_rows * len(names))
    return names, [field.name for field in columns if _is_text(field.type)]


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    checks = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    return any(check(kind) for check in checks)


def _texts(where: str, column: Any) -> list[str]:
    from pyarrow import types

    if types.is_dictionary(column.type):
        known = _texts(where, column.dictionary)
        return ["" if number is None else known[number] for number in column.indices.to_pylist()]
    if _is_text(column.type):
        values = column.to_pylist()
        longest = max((len(value) for value in values if value is not None), default=0)
        if longest > LONGEST:
            raise ConfigError(f"{where} has {longest:,} characters; up to {LONGEST:,} are read")
    else:
        # numpy writes numbers of few bits as short as they are.
        floating = types.is_floating(column.type)
        values = column.to_numpy(zero_copy_only=False) if floating else column.to_pylist()
    return ["" if value is None or value != value else str(value).strip() for value in values]
