"""The images of a column of a table of the library datasets, read like files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from gan_framework.api import Listing
from gan_zoo.datasets.files import Files


class RowFiles(Files):
    """The encoded images of one column; a row's name is its number, eight digits.

    Args:
        path: where the table comes from, for messages.
        table: a `datasets.Dataset` whose column of images is not decoded.
        column: the column's name.
    """

    def __init__(self, path: Path, table: Any, column: str) -> None:
        self.path, self.table, self.column = path, table, column
        told = hashlib.sha256(f"{table._fingerprint} {column}".encode()).digest()
        self._fingerprint = int.from_bytes(told[:8], "little", signed=True)
        self._keep(Listing(tuple(f"row {row:08d}" for row in range(len(table))), {}, (), ()))

    def read(self, name: str) -> bytes:
        """Return a row's image as it is stored.

        Raises:
            ValueError: the row has no image, or names a file instead of holding it.
        """
        image = self.table[int(name.removeprefix("row "))][self.column]
        if not image or image.get("bytes") is None:
            where = f", which is named as {image['path']}" if image else ""
            raise ValueError(f"the row holds no image{where}")
        content: bytes = image["bytes"]
        return content

    def open(self, name: str) -> IO[bytes]:
        """Return a row's image as an open file."""
        return io.BytesIO(self.read(name))

    def _stamp(self, name: str) -> Sequence[int]:
        """Return the fingerprint that the library keeps of a table; it is that of all its rows."""
        return (self._fingerprint,)
