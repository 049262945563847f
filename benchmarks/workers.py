"""What a process per core gains for a sweep of models that are too small for several cores.

    python benchmarks/workers.py [--runs 4] [--steps 3000] [--rounds 3]

The real program sweeps over seeds of a small MLP GAN: one run after another, each with all cores (the basic
launcher), and as many at a time as there are cores, each with one (`hydra/launcher=joblib`, whose default that
is). The two take turns. The ratio is the time of the first over the second's, of the whole command with
start-up; above 1, a process per core is faster.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gan_framework.sweeps.naming import cores

ROOT = Path(__file__).parent.parent
TINY = ["model=mlp", "data.image_size=8", "metrics=[]", "tracker=[]", "train.sample_every=0"]
LAUNCHERS = ("basic", "joblib")


def seconds(launcher: str, runs: int, steps: int) -> float:
    """Return how long a sweep takes."""
    with tempfile.TemporaryDirectory() as folder:
        seeds = ",".join(map(str, range(runs)))
        request = [*TINY, f"train.steps={steps}", f"seed={seeds}", f"hydra.sweep.dir={folder}"]
        start = time.perf_counter()
        command = [sys.executable, str(ROOT / "run.py"), "-m", *request, f"hydra/launcher={launcher}"]
        environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment)
        return time.perf_counter() - start


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    times: dict[str, list[float]] = {launcher: [] for launcher in LAUNCHERS}
    for number in range(given.rounds):
        for launcher in LAUNCHERS[:: 1 if number % 2 else -1]:
            times[launcher].append(seconds(launcher, given.runs, given.steps))
    ratios = [one / several for one, several in zip(*times.values(), strict=True)]
    result = {
        "cores": cores(),
        "runs": given.runs,
        "steps": given.steps,
        "seconds": {launcher: round(statistics.median(found), 1) for launcher, found in times.items()},
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
