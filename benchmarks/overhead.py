"""How fast a training step is beside a loop written by hand, and what the framework itself costs per step.

    python benchmarks/overhead.py [--pairs 9] [--steps 10] [--threads 2]

Two measurements, each a number of pairs of the two loops in turn, of which the medians count:

* `step`: DCGAN at 32x32, RGB, batch 64, float32 on the CPU. The ratio is the hand-written loop's
  time over the framework's: above 1 the framework is faster.
* `cost`: networks of one layer, where nearly all that is measured is Python. The figure is the
  framework's time above the hand-written loop's, in milliseconds per step.

The hand-written loop is what a PyTorch tutorial teaches, with the same networks and losses; it shares
its generated batch between the two moves, and draws its batches from a tensor that is ready to use.
The framework's step is everything that its trainer does when nothing is due: seeding, drawing a
batch from 8-bit images, the step itself, and the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from torch import Tensor, nn
from torch.nn import functional as F

import gan_framework.schema  # noqa: F401 (registers the schema)
from gan_framework import seeding
from gan_framework.clock import Clock
from gan_framework.compose import build_game
from gan_framework.configs import config_folder
from gan_framework.data import Batches, InMemory
from gan_framework.launch import plain
from gan_framework.types import DataShape

CPU = torch.device("cpu")
BATCH = 64
Step = Callable[[], None]

MEASUREMENTS: dict[str, tuple[tuple[int, int, int], list[str]]] = {
    "step": ((3, 32, 32), ["model=dcgan"]),
    "cost": (
        (1, 4, 4),
        [
            "model=mlp",
            "networks.generator.hidden=[]",
            "networks.discriminator.hidden=[8]",
            "prior.dim=8",
        ],
    ),
}
"""The shape of the images and the configuration of each measurement."""


def configuration(shape: tuple[int, int, int], overrides: list[str]) -> dict[str, Any]:
    """Compose the configuration of a measurement."""
    channels, size, _ = shape
    overrides = [*overrides, f"data.image_size={size}", f"data.channels={channels}", f"train.batch_size={BATCH}"]
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return plain(compose("config", overrides=overrides))


def framework(config: dict[str, Any], images: Tensor) -> Step:
    """Return one step of the framework's trainer when nothing is due."""
    game = build_game(config, DataShape(tuple(images.shape[1:])), CPU)
    batches = Batches(InMemory(images), BATCH, config["seed"], CPU)
    clock = Clock(steps=2**62)

    def step() -> None:
        seeding.reseed(config["seed"], "step", clock.step, clock.rollbacks)
        game.step(batches)
        clock.tick()
        assert not any(clock.due(every) for every in (2**61, 2**61, 2**61, 2**61))

    return step


def by_hand(config: dict[str, Any], images: Tensor) -> Step:
    """Return one step of a loop as a tutorial writes it, on the same networks."""
    game = build_game(config, DataShape(tuple(images.shape[1:])), CPU)
    generator, discriminator = game.generator, game.discriminator
    for network in (generator, discriminator):
        network.to(memory_format=torch.contiguous_format)
    settings = {name: config["optimizer"]["generator"][name] for name in ("lr", "betas", "eps")}
    d_optimizer = torch.optim.Adam(discriminator.parameters(), **settings)
    g_optimizer = torch.optim.Adam(generator.parameters(), **settings)
    ready = images.float() / 127.5 - 1
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
    dim = config["prior"]["dim"]
    order, position = torch.randperm(len(ready)), 0

    def step() -> None:
        nonlocal order, position
        if position + BATCH > len(ready):
            order, position = torch.randperm(len(ready)), 0
        real = ready[order[position : position + BATCH]]
        position += BATCH
        fake = generator(torch.rand(BATCH, dim) * 2 - 1)

        d_optimizer.zero_grad()
        d_loss = F.binary_cross_entropy_with_logits(discriminator(real).logits, ones)
        d_loss = d_loss + F.binary_cross_entropy_with_logits(discriminator(fake.detach()).logits, zeros)
        d_loss.backward()
        d_optimizer.step()

        g_optimizer.zero_grad()
        g_loss = F.binary_cross_entropy_with_logits(discriminator(fake).logits, ones)
        g_loss.backward()
        g_optimizer.step()

    return step


def seconds(step: Step, steps: int) -> float:
    """Return the time of one step, the average of several."""
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps


def measure(name: str, pairs: int, steps: int) -> dict[str, Any]:
    """Time both loops in turn, the one that goes first changing from pair to pair."""
    shape, overrides = MEASUREMENTS[name]
    config = configuration(shape, overrides)
    images = torch.randint(256, (2048, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    loops = {"by_hand": by_hand(config, images), "framework": framework(config, images)}
    for step in loops.values():
        seconds(step, max(steps // 2, 3))
    times: dict[str, list[float]] = {loop: [] for loop in loops}
    for pair in range(pairs):
        for loop in sorted(loops, reverse=pair % 2 == 1):
            times[loop].append(seconds(loops[loop], steps))
    ratios = [hand / ours for hand, ours in zip(times["by_hand"], times["framework"], strict=True)]
    above = [ours - hand for hand, ours in zip(times["by_hand"], times["framework"], strict=True)]
    return {
        "measurement": name,
        "by_hand_ms": round(1000 * statistics.median(times["by_hand"]), 3),
        "framework_ms": round(1000 * statistics.median(times["framework"]), 3),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_quartiles": [round(q, 3) for q in statistics.quantiles(ratios, n=4)[::2]],
        "above_ms": round(1000 * statistics.median(above), 3),
        "parameters": sum(count(config).values()),
    }


def count(config: dict[str, Any]) -> dict[str, int]:
    """Return the number of parameters of each network."""
    shape = (config["data"]["channels"], config["data"]["image_size"], config["data"]["image_size"])
    networks: nn.ModuleDict = build_game(config, DataShape(shape), CPU).networks
    return {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}


def main() -> None:
    """Print one line of JSON for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--steps", type=int, default=10, help="steps of each loop in a pair of `step`")
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "load": os.getloadavg()[0]}))
    for name, steps in (("step", arguments.steps), ("cost", 50 * arguments.steps)):
        print(json.dumps({**measure(name, arguments.pairs, steps), "pairs": arguments.pairs, "steps": steps}))


if __name__ == "__main__":
    main()
