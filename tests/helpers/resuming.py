"""Killing a run and comparing what is left at its end with what an uninterrupted one leaves."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import torch

from gan_framework.runs import checkpoint
from tests.helpers.program import Program

EXCEPT = {"seconds", "training_seconds", "images_per_second", "git"}
"""What differs from run to run, or from commit to commit."""

DEADLINE = 900


def lines(folder):
    """Return the metric lines without the wall time."""
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in record.items() if key != "seconds"} for record in records]


def count(folder):
    path = folder / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def start(folder, *overrides):
    return Program([*overrides, f"hydra.run.dir={folder}"], merged=True)


def finish(folder, *overrides):
    """Run to the end; return the exit code and what was said."""
    process = start(folder, *overrides)
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def kill(process, folder, choice, at, moment, evaluate_every):
    """Kill a run once it has logged some lines, at a moment of a kind; return whether it was still running.

    Args:
        process: the run.
        folder: its folder.
        choice: random numbers.
        at: the number of metric lines to wait for.
        moment: `start` (before its first line), `step`, `checkpoint`, `evaluation` or `metric line`.
        evaluate_every: steps between scores, one line for each step.
    """
    if moment == "start":
        latest, before = time.monotonic() + choice.uniform(0, 4), count(folder)
        wait(process, lambda: time.monotonic() > latest or count(folder) != before)
    else:
        wait(process, lambda: count(folder) >= at)
    if moment == "step":
        time.sleep(choice.uniform(0, 0.05))
    elif moment == "checkpoint":  # its temporary file is there
        wait(process, lambda: writing(process, folder / "checkpoints"))
    elif moment == "evaluation":
        wait(process, lambda: count(folder) % evaluate_every == evaluate_every - 1)
        time.sleep(choice.uniform(0, 0.1))
    elif moment == "metric line":
        before = (folder / "metrics.jsonl").stat().st_size
        wait(process, lambda: (folder / "metrics.jsonl").stat().st_size != before)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return running


def writing(process, folder):
    """Whether a process is writing a file in a folder or below, which has no name there before it is whole."""
    for descriptor in Path(f"/proc/{process.pid}/fd").glob("*"):
        with suppress(OSError):  # closed meanwhile
            place = os.readlink(descriptor)
            if place.startswith(f"{folder}/") and place.endswith(" (deleted)"):
                return True
    return any(Path(folder).rglob(".*.part"))


def wait(process, condition):
    deadline = time.monotonic() + DEADLINE
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.0005)


def difference(one, two):
    """Return what the ends of two runs differ in, by name."""
    found = []
    for name in ("last.pt", "best.pt"):
        a, b = (checkpoint.load(folder / "checkpoints" / name) for folder in (one, two))
        found += [f"{name}: {place}" for place in differing(a, b, "")]
    if lines(one) != lines(two):
        found.append("metrics.jsonl")
    a, b = (json.loads((folder / "summary.json").read_text()) for folder in (one, two))
    found += [f"summary.json: {key}" for key in a if key not in EXCEPT and a[key] != b.get(key)]
    found += [f"unfinished: {path.name}" for path in (two / "checkpoints").glob(".*")]
    grids = [{path.name: path.read_bytes() for path in (folder / "samples").iterdir()} for folder in (one, two)]
    names = sorted(grids[0].keys() | grids[1].keys())
    return found + [f"samples: {name}" for name in names if grids[0].get(name) != grids[1].get(name)]


def differing(a, b, place):
    """Yield the places where two states differ."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        if a.dtype != b.dtype or not torch.equal(a, b):
            yield place
    elif isinstance(a, dict) and isinstance(b, dict):
        for key in a.keys() | b.keys():
            if key not in a or key not in b:
                yield f"{place}.{key}"
            elif key not in EXCEPT:
                yield from differing(a[key], b[key], f"{place}.{key}")
    elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and len(a) == len(b):
        for number, (left, right) in enumerate(zip(a, b, strict=True)):
            yield from differing(left, right, f"{place}.{number}")
    elif a != b:
        yield place
