"""Times of steps: synchronised with the device, after a warm-up, in turns."""

from __future__ import annotations

import time

import torch

from gpu.loops import Step
from gpu.sizes import Sizes


def wait(device: str) -> None:
    """Wait until the device has done all it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def seconds(step: Step, steps: int, device: str) -> float:
    """Return the time of one step, the average of several."""
    wait(device)
    start = time.perf_counter()
    for _ in range(steps):
        step()
    wait(device)
    return (time.perf_counter() - start) / steps


def in_turns(loops: dict[str, Step], sizes: Sizes) -> dict[str, list[float]]:
    """Return the times of a step of each loop, one for each round; the loop that goes first changes with the round."""
    counts = {}
    for name, step in loops.items():
        seconds(step, sizes.warm, sizes.device)
        counts[name] = max(round(sizes.seconds / seconds(step, max(sizes.warm // 2, 1), sizes.device)), 1)
    times: dict[str, list[float]] = {name: [] for name in loops}
    names = list(loops)
    for i in range(sizes.rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            times[name].append(seconds(loops[name], counts[name], sizes.device))
    return times
