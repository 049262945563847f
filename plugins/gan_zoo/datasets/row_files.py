"""The images of a column of a table of the library datasets, read like files."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from gan_framework.api import Listing, read_limited
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
        told = hashlib.sha256(f"{table._fingerprint} {column} {_states(table)}".encode(errors="surrogatepass")).digest()
        self._fingerprint = int.from_bytes(told[:8], "little", signed=True)
        self._keep(Listing(tuple(f"row {row:08d}" for row in range(len(table))), {}, (), ()))

    def read(self, name: str) -> bytes:
        """Return a row's image as it is stored.

        Raises:
            ValueError: the row has no image, or names a file that does not lie in the data set's folder.
            OSError: the file that it names there cannot be read.
        """
        image = self.table[int(name.removeprefix("row "))][self.column]
        content: bytes | None = image.get("bytes") if image else None
        if content is not None:
            return content
        named = image.get("path") if image else None
        if not named:
            raise ValueError("the row holds no image")
        # Of a folder of image files the table holds the names alone; a table of somebody else's may name any file.
        root = self.path.expanduser().resolve()
        file = (root / named).resolve()
        if not file.is_relative_to(root) or (file.exists() and not file.is_file()):
            raise ValueError(f"the row holds no image, and names one elsewhere ({named})")
        with file.open("rb") as opened:
            return read_limited(opened)

    def open(self, name: str) -> IO[bytes]:
        """Return a row's image as an open file."""
        return io.BytesIO(self.read(name))

    def _stamp(self, name: str) -> Sequence[int]:
        """Return the fingerprint of a table and of the files that it lies in; it is that of all its rows."""
        return (self._fingerprint,)


def _states(table: Any) -> list[tuple[str, int, int]]:
    """Return the name, the size and the time of the last change of the files that a table lies in."""
    places = [str(file["filename"]) for file in table.cache_files]
    return [(place, status.st_size, status.st_mtime_ns) for place in places for status in [os.stat(place)]]
