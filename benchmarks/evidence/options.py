"""The options that the benchmarks of many runs have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from evidence.job import Job
from evidence.running import run_all


def parser(description: str | None, names: Iterable[str], record: Path | None = None) -> argparse.ArgumentParser:
    """Return a parser of names, `--jobs`, `--seconds`, `--write`, and `--record` where there is one."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("names", nargs="*", help=f"what to run: {'; '.join(names)}")
    made.add_argument("--jobs", type=int, default=1, help="runs at once, with one thread each")
    made.add_argument("--seconds", type=float, help="after so many no run starts, and those that run are stopped")
    if record is not None:
        made.add_argument("--record", type=Path, default=record, help="the file of the runs' lines")
        made.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, ...")
        made.add_argument("--write", action="store_true", help="run nothing, write the pages only")
    return made


def known(made: argparse.ArgumentParser, asked: Iterable[str], names: Iterable[str]) -> None:
    """End the program if what is asked for does not exist."""
    there = list(names)
    for name in asked:
        if name not in there:
            made.error(f"there is no {name!r}; choose from {'; '.join(there)}")


def carry_out(
    made: argparse.ArgumentParser,
    names: Iterable[str],
    jobs: Callable[[Path, Iterable[int], Iterable[str]], list[Job]],
    write: Callable[[Path], None],
) -> None:
    """Run what the command line asks for and has no line in the record yet, then write the pages of the record."""
    asked = made.parse_args()
    known(made, asked.names, names)
    if not asked.write:
        run_all(jobs(asked.record, range(asked.seeds), asked.names), asked.jobs, asked.seconds)
    write(asked.record)
