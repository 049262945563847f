"""All that many processors at once are good for, in an order in which what is most wanted comes first.

    python benchmarks/everything.py FOLDER --jobs 16 --seconds 380 [--mnist mnist10k.npz]

Makes the runs of techniques.py, objectives.py, small_data.py and gallery.py, three seeds of each; then further seeds,
for as long as there is time. FOLDER gets a record of each, and `gallery.tar`. To take them in, give each benchmark
`--write --record FILE`.
"""

from __future__ import annotations

import argparse
import tarfile
import time
from pathlib import Path

import gallery
import objectives
import small_data
import techniques
from evidence.job import Job
from evidence.running import run_all
from evidence.small_data import DATA

BEGAN = time.monotonic()

LIMIT = 30.0
"""Seconds after which a picture of the gallery is good enough."""


def main() -> None:
    """Run until the time is over, and put the pictures into one file."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--jobs", type=int, default=16)
    options.add_argument("--seconds", type=float, default=380)
    options.add_argument("--mnist", type=Path)
    asked = options.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    pictures = asked.folder / "gallery"
    try:
        jobs = plan(asked.folder, asked.mnist, pictures)
        left = run_all(jobs, asked.jobs, asked.seconds - (time.monotonic() - BEGAN))
        print(f"{len(left)} not started, from {left[0].name} on" if left else "all were started")
    finally:
        if pictures.exists():
            with tarfile.open(asked.folder / "gallery.tar", "w") as archive:
                archive.add(pictures, "gallery")


def plan(folder: Path, mnist: Path | None, pictures: Path) -> list[Job]:
    """Return all runs in their order."""
    records = {name: folder / f"{name}.csv" for name in ("techniques", "objectives", "small_data")}
    few = (DATA / "few.npz").exists()

    def seeds(wanted: range) -> list[Job]:
        studied = small_data.jobs(records["small_data"], wanted) if few else []
        return studied + techniques.jobs(records["techniques"], wanted) + objectives.jobs(records["objectives"], wanted)

    drawn = gallery.jobs(gallery.missing(), mnist, LIMIT, pictures)
    three = [job for seed in range(3) for job in seeds(range(seed, seed + 1))]
    return [*three, *drawn, *seeds(range(3, 5))]


if __name__ == "__main__":
    main()
