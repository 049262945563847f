"""Whether anything grows in an hour of training with scores and samples every few seconds, and what is left behind.

    python benchmarks/soak.py [--minutes 60] [--out docs/figures/soak]
    python benchmarks/soak.py --draw docs/figures/soak

The real program trains a small DCGAN on the digits with W&B's offline record beside it. Every few
seconds the memory, the open file handles, the threads and the child processes of it all are read from
/proc (Linux). At the end the run is told to stop. The readings are kept as `<out>.csv`, drawn as
`<out>.png`, and judged: memory may grow by less than 2% after the first ten minutes, handles and
processes not at all, and no process may outlive the run.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUN = [
    "data.image_size=16",
    "networks.generator.width=8",
    "networks.discriminator.width=8",
    "train.steps=100000000",
    "train.batch_size=16",
    "train.log_every=20",
    "train.sample_every=100",
    "train.checkpoint_every=500",
    "evaluate.every=100",
    "evaluate.samples=200",
    "extractor.epochs=2",
    "tracker.wandb.mode=offline",
]
EVERY = 5.0
"""Seconds between readings."""
WARM_UP = 600.0
"""Seconds after which nothing may grow."""
ALLOWED_GROWTH = 0.02
STOP_WITHIN = 10.0
FIELDS = ("seconds", "memory_mb", "children_mb", "handles", "threads", "children", "steps")

Reading = dict[str, float]


def main() -> int:
    """Measure or draw; return 0 if every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures" / "soak")
    parser.add_argument("--draw", type=Path, help="draw and judge the readings of an earlier hour")
    arguments = parser.parse_args()
    out = arguments.draw or arguments.out
    broken = [] if arguments.draw else soak(arguments.minutes * 60, out.with_suffix(".csv"))
    readings = read(out.with_suffix(".csv"))
    draw(readings, out.with_suffix(".png"))
    broken += judge(readings)
    for promise in broken:
        print("broken:", promise)
    return 1 if broken else 0


def soak(seconds: float, path: Path) -> list[str]:
    """Train for so long, write the readings, and return what went wrong at the end."""
    with tempfile.TemporaryDirectory() as folder, open(path, "w", newline="") as table:
        rows = csv.DictWriter(table, FIELDS)
        rows.writeheader()
        environment = {**os.environ, "GAN_FRAMEWORK_CACHE": f"{folder}/cache", "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), *RUN, f"hydra.run.dir={folder}/run"],
            env=environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            time.sleep(EVERY)
            if process.poll() is not None:
                return [f"the run ended by itself with exit code {process.returncode}"]
            rows.writerow({"seconds": round(time.monotonic() - began, 1), **reading(process.pid, Path(folder, "run"))})
            table.flush()
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
        took = time.monotonic() - told
        print(f"told to stop, it ended with exit code {code} in {took:.1f} s")
        broken = [] if code == 3 and took < STOP_WITHIN else [f"exit code {code} after {took:.1f} s"]
        time.sleep(2)
        return broken + [f"the process {name} outlived the run" for name in session(process.pid)]


def reading(pid: int, folder: Path) -> Reading:
    """Return what a process and its children hold now."""
    children = descendants(pid)
    metrics = folder / "metrics.jsonl"
    return {
        "memory_mb": resident(pid),
        "children_mb": round(sum(map(resident, children)), 2),
        "handles": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": len(os.listdir(f"/proc/{pid}/task")),
        "children": len(children),
        "steps": (metrics.read_bytes().count(b"\n") if metrics.exists() else 0) * 20,
    }


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB, 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return round(int(found[0]) / 1024, 2) if found else 0.0


def stat(pid: str) -> tuple[int, int, str] | None:
    """Return the parent, the session and the name of a process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = text.rpartition(")")
    fields = rest.split()
    return None if fields[0] == "Z" else (int(fields[1]), int(fields[3]), f"{pid} {name.partition('(')[2]}")


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    known = {int(entry): found for entry in os.listdir("/proc") if entry.isdigit() and (found := stat(entry))}
    found, wave = [], [pid]
    while wave:
        wave = [child for child, (parent, *_) in known.items() if parent in wave]
        found += wave
    return found


def session(number: int) -> list[str]:
    """Return the names of the processes of a session that are alive."""
    known = (stat(entry) for entry in os.listdir("/proc") if entry.isdigit())
    return [found[2] for found in known if found and found[1] == number]


def read(path: Path) -> list[Reading]:
    """Return the readings of a file."""
    with open(path, newline="") as table:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(table)]


def judge(readings: list[Reading]) -> list[str]:
    """Print how much everything has grown after the warm-up, and return the promises that were broken."""
    later = [row for row in readings if row["seconds"] >= WARM_UP]
    if len(later) < 20:
        print("too short to be judged: the first ten minutes are warm-up")
        return []
    tenth = max(len(later) // 10, 5)
    broken = []
    for name, allowed in (("memory_mb", ALLOWED_GROWTH), ("children_mb", None), ("handles", 0.0), ("children", 0.0)):
        first, last = (statistics.median(row[name] for row in part) for part in (later[:tenth], later[-tenth:]))
        growth = (last - first) / first if first else last
        print(f"{name}: {first:.1f} after ten minutes, {last:.1f} at the end ({growth:+.2%})")
        if allowed is not None and growth > allowed:
            broken.append(f"{name} grew by {growth:.2%}")
    print(f"{later[-1]['seconds'] / 60:.0f} minutes, {later[-1]['steps']:.0f} steps")
    return broken


def draw(readings: list[Reading], path: Path) -> None:
    """Draw memory, handles and processes over time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    minutes = [row["seconds"] / 60 for row in readings]
    figure, (memory, counts) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 5), layout="constrained")
    memory.plot(minutes, [row["memory_mb"] for row in readings], label="the run")
    memory.plot(minutes, [row["children_mb"] for row in readings], label="its children (W&B's service)")
    memory.set(ylabel="resident memory, MiB", ylim=(0, None))
    for name, label in (("handles", "file handles"), ("threads", "threads"), ("children", "child processes")):
        counts.plot(minutes, [row[name] for row in readings], label=label)
    counts.set(xlabel="minutes", ylabel="count", ylim=(0, None))
    for axes in (memory, counts):
        axes.axvline(WARM_UP / 60, color="grey", linewidth=0.8, linestyle=":")
        axes.legend(loc="center right")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
