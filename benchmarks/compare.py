"""How long `gan-framework compare` takes over many runs, and how much memory: `python benchmarks/compare.py`.

With `--against FOLDER`, another checkout, both compare the same runs in turn, and the ratios are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.helpers.comparing import make_run

SEEDS = 5
WRITTEN = 10
"""Runs whose curves are written anew; the others have theirs."""
EVALUATED = 100
"""Steps between two scores."""
FIGURES = (
    "train/discriminator/adversarial", "train/generator/adversarial", "health/logit_real", "health/d_real",
    "health/accuracy_real", "health/logit_fake", "health/d_fake", "health/accuracy_fake",
    "health/gradient_norm_discriminator", "health/gradient_norm_generator", "health/diversity",
)  # fmt: skip
"""What a run logs at each step."""


class Used(NamedTuple):
    """What a comparison took: seconds, seconds of all cores together, and megabytes of all processes and the page."""

    wall: float
    cpu: float
    memory: float
    page: float


def main() -> None:
    """Write the runs, compare them in a process of its own, and print its time, its peak memory and its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--against", type=Path, help="Another checkout, to be measured on the same runs.")
    arguments = parser.parse_args()
    here = Path(__file__).parent.parent
    checkouts = {"here": here} | ({"against": arguments.against.resolve()} if arguments.against else {})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_runs(folder, arguments.runs, arguments.lines)
        found = {}
        for label, checkout in checkouts.items():
            found[label] = used = compare(folder, checkout, Path(name) / f"{label}.html")
            print(f"{label}: {arguments.runs} runs of {arguments.lines} lines: {used.wall:.1f} s, {used.cpu:.1f} s of "
                  f"one core, {used.memory:.0f} MB, page {used.page:.2f} MB")  # fmt: skip
    if arguments.against:
        pairs = zip(Used._fields, found["here"], found["against"], strict=True)
        print("ratios here / against:", ", ".join(f"{field} {mine / other:.2f}" for field, mine, other in pairs))


def write_runs(folder: Path, runs: int, lines: int) -> None:
    """Write finished runs of five seeds each, with a sample grid."""
    for run in range(runs):
        scores = [100 / (1 + step) + run for step in range(lines // EVALUATED)]
        made = make_run(folder / f"run{run}", f"loss{run // SEEDS}", run % SEEDS, scores[-1:], steps=10, grid=True)
        if run < WRITTEN:
            (made / "metrics.jsonl").write_text("".join(line(step, scores) for step in range(1, lines + 1)))
        else:
            shutil.copy(folder / f"run{run % WRITTEN}" / "metrics.jsonl", made / "metrics.jsonl")


def line(step: int, scores: list[float]) -> str:
    """Return a line of metrics.jsonl."""
    metrics = {name: random.random() for name in FIGURES}
    if step % EVALUATED == 0:
        score = scores[step // EVALUATED - 1]
        metrics |= {"eval/fid_classifier": score, "eval/is_classifier": 1 / score, "eval/is_std_classifier": 0.1}
    counts = {"discriminator": step, "generator": step}
    return json.dumps({"step": step, "images_seen": 64 * step, "updates": counts, "seconds": 0.1 * step,
                       "metrics": metrics}) + "\n"  # fmt: skip


def compare(folder: Path, checkout: Path, page: Path) -> Used:
    """Compare the runs with the code of a checkout."""
    command = [sys.executable, "-m", "gan_framework.cli.commands", "compare", str(folder), "--html", str(page)]
    before, start = os.times(), time.perf_counter()
    environment = os.environ | {"PYTHONPATH": f"{checkout}:{checkout / 'plugins'}"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=checkout, env=environment)
    memory = 0.0
    while process.poll() is None:
        memory = max(memory, resident(process.pid))
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"compare ended with {process.returncode}")
    wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Used(wall, cpu, memory, page.stat().st_size / 1e6)


def resident(pid: int) -> float:
    """Return the megabytes of a process and its children, what they share counted once."""
    total = 0.0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += float(line.split()[1]) / 1024
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += resident(int(child))
    except OSError:  # it has just ended
        pass
    return total


if __name__ == "__main__":
    main()
