"""How large the measurements are: in earnest on a GPU, or tiny on a CPU to see that all of them work."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """How large the measurements are.

    Attributes:
        device: where they run.
        precisions: the values of `train.precision`.
        compiled: those of them that are compiled, in this order for as long as there is time.
        overrides: what makes each system small.
        images: in the data set that steps are timed on.
        rounds: of taking turns.
        seconds: for each loop in each round.
        warm: steps before anything is counted or timed.
        counted: steps in which waits for the device are counted.
        penalty_steps: steps with each penalty.
        run_seconds: how long each run of the program trains.
        run_images: how many images of an archive it trains on; None for all.
        threads: of the CPU; None for torch's choice.
        compiled_systems: how many systems are compiled; None for all.
    """

    device: str = "cuda"
    precisions: tuple[str, ...] = ("fp32", "tf32", "bf16", "fp16")
    compiled: tuple[str, ...] = ("bf16", "tf32", "fp16", "fp32")
    overrides: tuple[str, ...] = ()
    images: int = 8192
    rounds: int = 7
    seconds: float = 0.1
    warm: int = 6
    counted: int = 12
    penalty_steps: int = 200
    run_seconds: float = 35.0
    run_images: int | None = None
    threads: int | None = None
    compiled_systems: int | None = None


REAL = Sizes()
DRY = Sizes(
    device="cpu",
    precisions=("fp32", "bf16"),
    compiled=("fp32",),
    overrides=("networks.generator.width=4", "networks.discriminator.width=4", "train.batch_size=4"),
    images=256,
    rounds=3,
    seconds=0.02,
    warm=1,
    counted=2,
    penalty_steps=5,
    run_seconds=4.0,
    run_images=500,
    threads=1,  # tensors are so small that more would only wait for each other
    compiled_systems=1,
)


def sizes() -> Sizes:
    """Return the sizes: tiny ones if GPU_DRY=1 says so, or without a CUDA device."""
    import torch

    return DRY if os.environ.get("GPU_DRY") == "1" or not torch.cuda.is_available() else REAL
