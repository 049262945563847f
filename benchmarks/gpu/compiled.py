"""Times of steps with compiled networks, where the framework allows them."""

from __future__ import annotations

import time

import torch

from gan_framework.errors import ConfigError
from gpu.part import Part
from gpu.step_times import figures, loops
from gpu.systems import SYSTEMS
from gpu.timing import in_turns, seconds


def measure(part: Part) -> None:
    """Compile one system in one precision after the other, for as long as there is time for the next."""
    (name,) = part.arguments
    sizes, took = part.sizes, 0.0
    for precision in sizes.compiled:
        if part.left() < 1.2 * took:
            part.add(system=name, precision=precision, skipped="no time left")
            continue
        start = time.monotonic()
        torch._dynamo.reset()  # else what was compiled for another precision counts against this one
        makers = loops(SYSTEMS[name], sizes, precision, compiled=True)
        try:
            made = {kind: make() for kind, make in makers.items() if kind != "replayed"}
        except ConfigError as refusal:
            part.add(system=name, precision=precision, skipped=f"refused: {refusal}")
            return
        compile_seconds = round(3 * seconds(made["compiled"], 3, sizes.device), 1)
        part.add(system=name, precision=precision, compile_seconds=compile_seconds, **figures(in_turns(made, sizes)))
        if "replayed" in makers:
            both = {"by_hand": makers["by_hand"](), "compiled_replayed": makers["replayed"]()}
            part.add(system=name, precision=precision, **figures(in_turns(both, sizes)))
        took = time.monotonic() - start
