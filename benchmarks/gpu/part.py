"""One part of the measurements, in a process of its own: what it finds is kept on the disk row by row.

python -m gpu.part MODULE FILE SECONDS [ARGUMENT ...]
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from gpu.sizes import Sizes, sizes


class Part:
    """A part that is being measured.

    Attributes:
        sizes: how large its measurements are.
        arguments: what it is about.
        rows: what has been found so far.
    """

    def __init__(self, file: Path, limit: float, arguments: list[str]) -> None:
        self.sizes: Sizes = sizes()
        self.arguments = arguments
        self.rows: list[dict[str, Any]] = []
        self._file = file
        self._end = time.monotonic() + limit

    def add(self, **row: Any) -> None:
        """Keep one row of results."""
        self.rows.append(row)
        print(json.dumps(row), flush=True)
        self.write()

    def left(self) -> float:
        """Return how many seconds are left."""
        return self._end - time.monotonic()

    def write(self, error: str | None = None) -> None:
        """Write what has been found, so that a reader finds the whole of it or the state before."""
        part = self._file.with_suffix(".new")
        part.write_text(json.dumps({"error": error, "rows": self.rows}))
        part.replace(self._file)


def one_line(error: BaseException) -> str:
    """Return what went wrong in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:400]


def main() -> int:
    """Measure one part and return the exit code."""
    module, file, limit, *arguments = sys.argv[1:]
    part = Part(Path(file), float(limit), arguments)
    if part.sizes.threads is not None:
        import torch

        torch.set_num_threads(part.sizes.threads)
    try:
        import_module(f"gpu.{module}").measure(part)
    except Exception as error:
        traceback.print_exc()
        part.write(one_line(error))
        return 1
    part.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
