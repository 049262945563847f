"""Whether objectives show here, on small problems, what their papers claim: a comparison of runs for each claim.

    python benchmarks/objectives.py                          # all rows: seed 0 of each, then seed 1, then seed 2
    python benchmarks/objectives.py --jobs 16 --seconds 300  # sixteen at a time, for five minutes
    python benchmarks/objectives.py ring 'ring, coulomb'     # some rows
    python benchmarks/objectives.py --write                  # no run: the page, and what the techniques' pages say

Each run is a process of its own with one thread. Its scores become a line of `docs/results/objectives.csv`; what has a
line is not run again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from evidence import papers
from evidence.job import ROOT, Job
from evidence.objective_claims import SCORES
from evidence.objective_page import claimed, page
from evidence.objective_rows import QUIET, ROWS
from evidence.objective_settings import LINE_DATA, OUTLIER_DATA
from evidence.options import carry_out, parser
from evidence.record import RecordFile

RECORD = ROOT / "docs" / "results" / "objectives.csv"
PAGE = ROOT / "docs" / "results" / "objectives.md"
PAGES = ROOT / "docs" / "techniques"


def main() -> None:
    """Run what is asked for and has no line yet, then write the page."""
    carry_out(parser(__doc__, ROWS, RECORD), ROWS, jobs, write)


def jobs(record: Path, seeds: Iterable[int], names: Iterable[str] = ()) -> list[Job]:
    """Return the runs that have no line in the record yet, seed by seed."""
    make_line(LINE_DATA)
    make_outliers(OUTLIER_DATA)
    file = RecordFile(record, SCORES)
    done = file.read()
    wanted = list(names) or list(ROWS)
    return [
        Job(
            f"{name}, seed {seed}",
            (*ROWS[name].setting.overrides, *QUIET, *ROWS[name].overrides, f"seed={seed}"),
            partial(file.add, name, seed),
            ROWS[name].setting.measure,
        )
        for seed in seeds
        for name in wanted
        if (name, seed) not in done
    ]


def make_line(path: Path) -> None:
    """Make the data of two modes on a line, the left one of 0.4."""
    import numpy as np

    random = np.random.default_rng(0)
    right = random.random(2000) < 0.6
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, x=(np.where(right, 1.5, -1.5) + 0.4 * random.standard_normal(2000))[:, None].astype(np.float32))


def make_outliers(path: Path) -> None:
    """Make the ring of eight Gaussians with one in a hundred points at (4, 4)."""
    import numpy as np

    random = np.random.default_rng(0)
    angles = random.integers(8, size=4000) * (np.pi / 4)
    ring = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1) + 0.02 * random.standard_normal((4000, 2))
    outside = 4 + 0.1 * random.standard_normal((40, 2))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, x=np.concatenate([ring, outside]).astype(np.float32))


def write(record: Path) -> None:
    """Write the pages of a record."""
    found = RecordFile(record, SCORES).read()
    PAGE.write_text(page(found))
    for path in PAGES.glob("*.md"):
        path.write_text(claimed(path.read_text(), found))
    if record == RECORD:
        papers.renew()


if __name__ == "__main__":
    main()
