"""What each technique changes, alone: every row is trained on three seeds and compared with its control, seed by seed.

    python benchmarks/techniques.py                          # all rows: seed 0 of each, then seed 1, then seed 2
    python benchmarks/techniques.py --jobs 16 --seconds 300  # sixteen at a time, for five minutes
    python benchmarks/techniques.py ema r1                   # some rows, and the controls that they are compared with
    python benchmarks/techniques.py --write                  # no run: the page, and what the techniques' pages say

Each run is a process of its own with one thread. Its scores and its CPU time become a line of
`docs/results/techniques.csv`; what has a line is not run again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from evidence.job import ROOT, Job
from evidence.options import carry_out, parser
from evidence.record import RecordFile
from evidence.technique_page import measured, page
from evidence.technique_rows import ROWS, SCORES, START, overrides

RECORD = ROOT / "docs" / "results" / "techniques.csv"
PAGE = ROOT / "docs" / "results" / "techniques.md"
PAGES = ROOT / "docs" / "techniques"


def main() -> None:
    """Run what is asked for and has no line yet, then write the pages."""
    carry_out(parser(__doc__, ROWS, RECORD), ROWS, jobs, write)


def jobs(record: Path, seeds: Iterable[int], names: Iterable[str] = ()) -> list[Job]:
    """Return the runs that have no line in the record yet, seed by seed, controls first.

    The run of one step comes second: the first one fills the cache of what scores need.
    """
    file = RecordFile(record, SCORES)
    done = file.read()
    controls = [control for name in names if (control := ROWS[name].control)]
    wanted = list(dict.fromkeys([*controls, *names])) or list(ROWS)
    planned = [(name, seed) for seed in seeds for name in wanted]
    if planned[:1] == [(wanted[0], 0)]:
        planned[1:1] = [(START, 0)]
    return [
        Job(f"{name}, seed {seed}", (*overrides(name), f"seed={seed}"), partial(file.add, name, seed))
        for name, seed in planned
        if (name, seed) not in done
    ]


def write(record: Path) -> None:
    """Write the pages of a record."""
    found = RecordFile(record, SCORES).read()
    PAGE.write_text(page(found))
    for path in PAGES.glob("*.md"):
        path.write_text(measured(path.read_text(), found))


if __name__ == "__main__":
    main()
