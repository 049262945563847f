"""What a run takes beside the time of its steps: memory, start-up, and what a process for each core gains.

    python benchmarks/resources.py [memory] [startup] [processes] [--rounds 5]

* `memory`: the peak resident memory of a process that takes steps of DCGAN at 64x64, batch 64, beside that of the
  loop written by hand (`overhead.py`), as a ratio; both with the same imports, and without what these alone take.
* `startup`: seconds from the command to its end, or to the first line of a run's `metrics.jsonl`.
* `processes`: steps per second of a tiny GAN, all cores' processes together, with one thread each, over those of one
  process with all threads.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SHAPE = (3, 64, 64)
TINY = ((1, 28, 28), ["model=mlp"])


def peak() -> float:
    """Return the largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def steps_in_this_process(loop: str, steps: int) -> None:
    """Take steps of one loop and print the peak memory before and after."""
    import torch
    from overhead import by_hand, configuration, framework, random_images

    from gan_framework.data import InMemory

    device = torch.device("cpu")
    config = configuration(SHAPE, ["model=dcgan"], "fp32" if loop == "by_hand" else loop)
    before = peak()
    images = random_images(SHAPE, 256)
    step = by_hand(config, images, device) if loop == "by_hand" else framework(config, InMemory(images), device)[0]
    for _ in range(steps):
        step()
    print(json.dumps({"before": before, "peak": peak()}))


def child(*arguments: str, threads: int | None = None) -> subprocess.Popen[str]:
    """Start this script again, as a part of a measurement."""
    environment = {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}
    command = [sys.executable, str(Path(__file__)), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def memory(rounds: int) -> dict[str, Any]:
    """Compare the peaks of memory."""
    from overhead import spread

    found: dict[str, list[dict[str, float]]] = {loop: [] for loop in ("by_hand", "fp32", "bf16")}
    for _ in range(rounds):
        for loop, peaks in found.items():
            output, _ = child("--loop", loop).communicate()
            peaks.append(json.loads(output))
    result: dict[str, Any] = {}
    for loop, peaks in found.items():
        result[f"{loop}_mib"] = spread([p["peak"] - p["before"] for p in peaks], 1)
        result[f"{loop}_with_imports_mib"] = spread([p["peak"] for p in peaks], 1)
        pairs = list(zip(peaks, found["by_hand"], strict=True))
        result[f"{loop}_ratio"] = spread([(a["peak"] - a["before"]) / (b["peak"] - b["before"]) for a, b in pairs])
    return result


COMMANDS = {
    "--help": [sys.executable, "run.py", "--help"],
    "--cfg job": [sys.executable, "run.py", "--cfg", "job"],
    "plugins": [str(Path(sys.executable).with_name("gan-framework")), "plugins"],
}


def startup(rounds: int) -> dict[str, Any]:
    """Time commands, each once to warm the disk's cache."""
    from overhead import spread

    times: dict[str, list[float]] = {name: [] for name in [*COMMANDS, "first step"]}
    for i in range(rounds + 1):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            if i:
                times[name].append(time.perf_counter() - start)
        elapsed = first_step()
        if i:
            times["first step"].append(elapsed)
    return {name: spread(values, 2) for name, values in times.items()}


def first_step() -> float:
    """Return the seconds from the command `run.py` to the line that its first step leaves."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "run.py", f"hydra.run.dir={folder}", "train.log_every=1"]
        start = time.perf_counter()
        run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = Path(folder) / "metrics.jsonl"
        while not (lines.exists() and lines.stat().st_size):
            assert run.poll() is None, "the run ended before its first step"
            time.sleep(0.005)
        elapsed = time.perf_counter() - start
        run.kill()
        run.wait()
    return elapsed


def tiny_in_this_process(steps: int) -> None:
    """Take steps of a tiny GAN as soon as a line arrives, and print how long they took."""
    import torch
    from overhead import configuration, framework, random_images, seconds

    from gan_framework.data import InMemory

    device = torch.device("cpu")
    shape, overrides = TINY
    step, _ = framework(configuration(shape, overrides), InMemory(random_images(shape)), device)
    seconds(step, 50, device)
    print("ready", flush=True)
    sys.stdin.readline()
    print(seconds(step, steps, device), flush=True)


def processes(rounds: int, steps: int = 1000) -> dict[str, Any]:
    """Compare a process for each core with one process for all."""
    from overhead import spread

    cores = len(os.sched_getaffinity(0))
    gains = []
    for _ in range(rounds):
        rates = {}
        for count in (1, cores):
            started = [child("--tiny", str(steps), threads=cores // count) for _ in range(count)]
            for one in started:
                assert one.stdin is not None and one.stdout is not None
                one.stdout.readline()
            for one in started:
                assert one.stdin is not None
                one.stdin.write("go\n")
                one.stdin.flush()
            rates[count] = sum(1 / float(one.communicate()[0]) for one in started)
        gains.append(rates[cores] / rates[1])
    return {"cores": cores, "gain": spread(gains)}


def main() -> None:
    """Print one line of JSON for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measurements = {"memory": memory, "startup": startup, "processes": processes}
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(measurements)}; all, if none is given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loop", help=argparse.SUPPRESS)
    parser.add_argument("--tiny", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loop:
        steps_in_this_process(arguments.loop, 4)
        return
    if arguments.tiny:
        tiny_in_this_process(arguments.tiny)
        return
    for name in arguments.names or measurements:
        print(json.dumps({"measurement": name, **measurements[name](arguments.rounds), "rounds": arguments.rounds}))


if __name__ == "__main__":
    main()
