"""What a sweep says at its end: which runs are the best, and what could be typed next."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.utils import JobReturn

from gan_framework.evaluation.protocol import differences
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.numbers import score
from gan_framework.storage.secrets import mask
from gan_framework.storage.text import visible

TYPED = ["gan-framework train"]
"""The command of this process, as it was typed."""

SHOWN = 3
"""So many of the best runs are named."""

AT_HOME = ("sweep.resume", "sweep.retry_failed", "sweep.folder", "sweep.trial")
"""Settings that say how a sweep goes on, which the command to go on has anew."""


def ranking(jobs: Sequence[JobReturn]) -> Iterator[str]:
    """Yield lines that name the best runs among those that finished; none where fewer than two have a score.

    Scores that were measured in different ways are not ranked; it is said in what these differ.
    """
    found = [best for job in jobs if (best := _best(job)) is not None]
    metrics = {best.metric for best in found}
    if len(found) < 2 or len(metrics) > 1:
        return
    first, *others = found
    fields = dict.fromkeys(
        field for other in others for field in differences(first.protocol, other.protocol, first.metric)
    )
    if fields:
        how = ", ".join(fields)
        yield f"{first.metric} was measured in different ways ({how}): the {len(found)} runs are not ranked"
        return
    ordered = sorted(found, key=lambda best: -best.value if best.higher_is_better else best.value)
    yield f"best of {len(found)} runs by {metrics.pop()}, each at its best step:"
    for place, best in enumerate(ordered[:SHOWN], 1):
        yield f"  {place}. {score(best.value):<8} {visible(best.folder.name)} (step {best.step:,})"


def command(typed: Sequence[str], folder: Path, *changed: str) -> str:
    """Return the command that goes on with a sweep, in full.

    Args:
        typed: the command that started it: the program and what it was given.
        folder: the sweep's folder.
        changed: overrides to add.
    """
    program, *given = typed
    start = ["python", program] if program.endswith(".py") else program.split()
    kept = [one for one in given if one.lstrip("+").partition("=")[0] not in AT_HOME]
    named = any(one.startswith("hydra.sweep.dir=") for one in kept)
    return quoted([*start, *kept, *([] if named else [f"sweep.resume={folder}"]), *changed])


def quoted(words: Sequence[str]) -> str:
    """Return a command as a shell reads it back; secrets are masked."""
    return visible(shlex.join(mask(list(words))))


class _Best(NamedTuple):
    """The best score of a run."""

    folder: Path
    metric: str
    value: float
    step: int
    higher_is_better: bool
    protocol: Mapping[str, Any]


def _best(job: JobReturn) -> _Best | None:
    """Return the best score of a run that finished a moment ago, or earlier; None if it has none."""
    if job.hydra_cfg is None:
        return None
    folder = Path(job.hydra_cfg.hydra.runtime.output_dir)
    try:
        summary = json.loads(RunFolder(folder).summary.read_text())
        found, protocol = summary["best"], summary.get("protocol") or {}
        best = _Best(folder, found["metric"], found["value"], found["step"], found["higher_is_better"], protocol)
        return best if math.isfinite(best.value) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
