"""Checkpoints that are damaged or foreign, made from a real one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tests.fuzzing.case import Case
from tests.fuzzing.datasets import damaged

RUN = ("model=mlp", "debug=smoke", "data.image_size=8", "sample.count=4", "metrics=[]")
OTHERS = (
    "model=dcgan",
    "data.image_size=16",
    "strategy=[ema]",
    "optimizer=sgd",
    "networks.generator.hidden=[7]",
    "prior.dim=3",
)


def cases(choice: random.Random, count: int, run: Path) -> Iterator[Case]:
    """Yield resumes from what a run left behind, changed.

    Args:
        choice: random numbers.
        count: how many.
        run: the folder of a finished run of `RUN`.
    """
    content = (run / "checkpoints" / "last.pt").read_bytes()
    for _ in range(count):
        changed = damaged(content, choice)
        other = choice.choice(OTHERS) if choice.random() < 0.2 else "train.steps=3"
        if choice.random() < 0.5:
            place = "run/checkpoints/step_0000002.pt"
            arguments = (*RUN, "train.steps=3", other)
        else:
            place = "some.pt"
            arguments = (*RUN, "train.steps=3", "train.resume={folder}/some.pt", other)

        def write(folder: Path, place: str = place, changed: bytes = changed) -> None:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(changed)

        yield Case("checkpoint", arguments, write)
