"""What all tables have in common."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, atomic, seeding
from gan_zoo.columns import Layout
from gan_zoo.columns_found import find_layout, values_of
from gan_zoo.datasets.checks import known_split

log = logging.getLogger(__name__)

Table = Mapping[str, Sequence[str]]


class Tabular(DataSource):
    """Rows as vectors (N, D); what their columns are follows from the split `train`, or from a layout that is given.

    Args:
        tables: the texts of each column, by split and name; without `test` where not one row is held out.
        columns: kinds that the user knows better, by name.
        encoding: see `Layout`.
        most_values: of a category.
        most_modes: of a number.
        layout: what was found before, by which other rows are encoded alike; null to find it out.

    Attributes:
        announced: whether it has been said what the columns are.
    """

    finds: ClassVar[tuple[str, ...]] = ("layout", "channels")

    def __init__(
        self,
        tables: Mapping[str, Table],
        columns: Mapping[str, str] | None,
        encoding: str,
        most_values: int,
        most_modes: int,
        layout: Mapping[str, Any] | None,
    ) -> None:
        self.tables = tables
        self.announced = False
        if layout is not None:
            self.layout = Layout.of(layout)
        else:
            self.layout = find_layout(tables["train"], columns or {}, encoding, most_values, most_modes)
        self.shape = DataShape((self.layout.size,))

    @cached_property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        """What the columns are, for networks and for writing samples."""
        return {"layout": self.layout.plain(), "channels": self.layout.size}

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("a table", split, ("train", "test"))
        if split not in self.tables:
            count = len(next(iter(self.tables["train"].values())))
            raise ConfigError(
                f"there is no split {split!r}: not one of {count} rows is held out; raise data.test_share, or set "
                "data.test_path"
            )
        if split == "train" and not self.announced:
            self.announced = True
            for column in self.layout.columns:
                log.info("data: %s: %s", column.name, column.described())
        random = seeding.generator(0, "modes of rows", split)
        return InMemory(self.layout.encode(values_of(self.layout, self.tables[split]), random))

    @classmethod
    def write(cls, path: Path, samples: Tensor, settings: Mapping[str, Any]) -> list[Path]:
        """Write rows as a table with the columns of the data."""
        path, separator = path.with_suffix(".csv"), settings.get("separator") or ","
        if not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n':
            raise ConfigError(f"data.separator={separator!r} must be one character, and no quote and no end of a line")
        table = Layout.of(settings["layout"]).table(samples, separator)
        with atomic(path) as file:
            file.write(table.encode())
        return [path]
