"""The names of a sweep and of its runs' folders."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from gan_framework.storage.secrets import mask

LONGEST = 150
"""Characters of a folder's name, without the hash."""


def concerns_sweep(override: str) -> bool:
    """Whether an override says how the sweep goes (`sweep.resume=...`), not what its runs are."""
    return override.lstrip("+~").startswith(("sweep.", "sweep="))


def run_name(overrides: Sequence[str]) -> str:
    """Return the folder of the run that a job's overrides ask for.

    It says what was asked for, in any order, and nothing of when: a sweep that is extended or
    repeated finds its runs again. A hash is added where the overrides do not fit into a name.
    Secrets among them are masked.
    """
    chosen = sorted(override for override in overrides if not concerns_sweep(override))
    exact = ",".join(chosen)
    plain = re.sub(r"\[([\w,]*)\]", lambda found: found[1].replace(",", "+"), ",".join(mask(chosen)))
    name = re.sub(r"[^A-Za-z0-9_.=,+-]+", "-", plain).lstrip(".-")
    if name == plain and len(name) <= LONGEST and "+" not in exact:
        return name or "defaults"
    if len(name) > LONGEST:
        # The last part of a setting's path says most.
        name = re.sub(r"(^|,)[^=,]*\.([^.=,]+=)", r"\1\2", name)[:LONGEST].rstrip(".-,")
    return f"{name or 'run'}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


def sweep_name(folder: Path) -> str:
    """Return the name of the sweep in a folder; a time of day alone is no name."""
    *_, day, name = ("", *folder.resolve().parts)
    return f"{day}_{name}" if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else name


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> int:
    """Return how many NVIDIA GPUs this process may use, without touching one."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip()])
    return len([path for path in Path("/dev").glob("nvidia*") if path.name[len("nvidia") :].isdigit()])


def register_resolvers() -> None:
    """Make these available in the configuration: `${run_name:...}`, `${first_set:...}`, `${gpus:}` and its like."""
    resolvers: dict[str, Any] = {
        "run_name": run_name,
        "first_set": lambda *values: next((value for value in values if value is not None), None),
        "gpus": gpus,
        "one_gpu": lambda: min(gpus(), 1),
        "workers": lambda: gpus() or cores(),
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)


register_resolvers()
