"""What a sweep itself costs per run, beyond the run's work.

    python benchmarks/sweep_overhead.py [--runs 8] [--tracker wandb]

A sweep of the real program on the basic launcher, of short default runs that differ in their seed. From one
run's summary to the next passes the time of a whole run; the run's work is what its summary calls `seconds`:
training, samples, scores, checkpoints. The rest is the sweep's: composing the configuration, starting a
process, reading the data, building the networks, the trackers' end. The first run, which imports torch,
does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent


def measure(runs: int, tracker: str) -> dict[str, float | int | str]:
    """Run a sweep and return the medians over its runs after the first, in seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = ",".join(map(str, range(runs)))
        request = [f"seed={seeds}", "train.steps=20", f"tracker=[{tracker}]", f"hydra.sweep.dir={folder}"]
        command = [sys.executable, str(ROOT / "run.py"), "-m", *request]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        found = sorted(folder.glob("*/summary.json"), key=lambda path: path.stat().st_mtime)
        assert len(found) == runs
        ends = [path.stat().st_mtime for path in found]
        work = [json.loads(path.read_text())["seconds"] for path in found]
    whole = [end - before for before, end in pairwise(ends)]
    beyond = [all_of_it - own for all_of_it, own in zip(whole, work[1:], strict=True)]
    return {
        "runs": runs,
        "tracker": tracker,
        "whole": round(statistics.median(whole), 2),
        "work": round(statistics.median(work[1:]), 2),
        "beyond": round(statistics.median(beyond), 2),
        "beyond_most": round(max(beyond), 2),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--tracker", default="", help="trackers of the runs; none by default")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.runs, arguments.tracker)))


if __name__ == "__main__":
    main()
