"""Where steps wait for the device, as torch's debug mode for synchronisations sees it."""

from __future__ import annotations

import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from gpu.loops import Step

OURS = {"gan_framework", "gan_zoo"}


def waits(step: Step, steps: int) -> Counter[str]:
    """Return how often some steps wait for the device, by the innermost line of the framework that waits."""
    found: Counter[str] = Counter()

    def show(message: Warning | str, *_: Any) -> None:
        if "called a synchronizing" in str(message):
            found[_place()] += 1

    torch.cuda.synchronize()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show  # type: ignore[assignment]  # the context takes it back
        torch.cuda.set_sync_debug_mode("warn")
        try:
            for _ in range(steps):
                step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return found


def _place() -> str:
    stack = [frame for frame in traceback.extract_stack() if OURS & {*Path(frame.filename).parts}]
    if not stack:
        return "outside of the framework"
    path, line = Path(stack[-1].filename), stack[-1].lineno
    return f"{path.parent.name}/{path.name}:{line}"
