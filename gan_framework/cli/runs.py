"""Lists the runs in a folder and below it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path
from typing import Any

from gan_framework.compare import conditions, overview
from gan_framework.compare.conditions import Condition, Described
from gan_framework.compare.overview import Overview
from gan_framework.errors import ConfigError
from gan_framework.runs.columns import LISTS
from gan_framework.storage import no_run, numbers
from gan_framework.storage.text import brief, few, visible

VALUE = 24
"""Characters of a setting's value in the list."""
DIFFERENCES = 160
"""Characters of what a run differs in there."""
FEW = 8
"""So many settings that differ are shown of every run; of more, only values that are not the usual ones."""
LEAST = 24
"""The narrowest column for a run's name."""
OF_NO_MATTER = (
    "tracker.",
    "train.resume",
    "train.device",
    "train.threads",
    "train.keep",
    "train.log_every",
    "train.sample_every",
    "train.checkpoint_every",
    "sample.",
)
"""Settings that are not shown in the list."""
REASON = 300
"""Characters of why a run failed."""
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def runs(arguments: list[str], as_json: bool) -> None:
    """List runs.

    Args:
        arguments: a folder, by default this one, then conditions: `status=failed`, `loss=hinge`, `seed!=0`,
            `step>=1000`, `fid<100`.
        as_json: whether JSON is printed in the place of a table.

    Raises:
        ConfigError: there is no such folder, or no run has a setting that a condition names.
    """
    folder, asked = _parse(arguments)
    problems: list[str] = []
    found = [overview.look(path) for path in overview.find(folder, problems)]
    for problem in problems:
        print(f"warning: {problem}", file=sys.stderr)
    described = [Described(run.config, run.status, run.step, shown_scores(run)) for run in found]
    for one in asked:
        conditions.require_known(one.key, described)
    listed = [run for run, own in zip(found, described, strict=True) if all(one.admits(own) for one in asked)]
    if as_json:
        print(json.dumps([_plain(run) for run in listed], indent=1))
    elif not found:
        print(f"no run lies in {visible(str(folder))} or below it", file=sys.stderr)
    elif not listed:
        there = ", ".join(sorted({run.status for run in found}))
        print(f"none of {len(found)} runs matches {visible(' '.join(arguments))}; status: {there}", file=sys.stderr)
    else:
        _show(listed, folder)


def _parse(arguments: list[str]) -> tuple[Path, list[Condition]]:
    rest = list(arguments)
    folder = Path()
    if rest and (not conditions.is_condition(rest[0]) or Path(rest[0]).is_dir()):
        folder = Path(rest.pop(0))
    if not folder.is_dir():
        raise ConfigError(no_run.said(folder) if folder.exists() else f"there is no folder {visible(str(folder))}")
    return folder, [conditions.condition(text) for text in rest]


def shown_scores(run: Overview) -> dict[str, float]:
    """Return a run's scores by name: the best of the one that the list shows, the last of all others."""
    return {**run.scores, **({run.best.metric: run.best.value} if run.best else {})}


def _plain(run: Overview) -> dict[str, Any]:
    """Return a run as JSON shows it."""
    seen = None if run.seen is None else time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(run.seen))
    return {
        "run": str(run.place.absolute()),
        "status": run.status,
        "error": run.why,
        "step": run.step,
        "steps": run.steps,
        "seed": run.config.get("seed"),
        "best": None if run.best is None else run.best._asdict(),
        "scores": run.scores,
        "overrides": run.overrides,
        "last_written": seen,
    }


def _show(listed: list[Overview], folder: Path) -> None:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() or "COLUMNS" in os.environ else None
    metrics = {run.best.metric for run in listed if run.best}
    heading = brief(next(iter(metrics)), VALUE) if len(metrics) == 1 else "score"
    rows = [("status", "step", heading, "age")]
    rows += [(run.status, _step(run), score(run, len(metrics) > 1), _age(run)) for run in listed]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    names = [_name(run, folder) for run in listed]
    # What may be long stands last, so that its further lines have room.
    last = ["run, and what differs" if len(listed) > 1 else "run"]
    last += [f"{name}  {text}".rstrip() for name, text in zip(names, _differences(listed, names), strict=True)]
    for row, text in zip(rows, last, strict=True):
        cells = "  ".join(f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True))
        print(_wrapped(f"{cells}  ", text, width))
    counts = Counter(run.status for run in listed)
    number = "1 run" if len(listed) == 1 else f"{len(listed)} runs"
    print(f"\n{number}: {', '.join(f'{n} {status}' for status, n in counts.most_common())}")
    reasons = [f"{name}: {brief(run.why, REASON)}" for run, name in zip(listed, names, strict=True) if run.why]
    for text in few(reasons):
        print(_wrapped("", text, width))


def _wrapped(lead: str, text: str, width: int | None) -> str:
    """Return a line, cut into several that are as wide as a terminal; a pipe has one line for each run."""
    if width is None:
        return f"{lead}{text}"
    room = max(width - len(lead), LEAST)
    further = " " * (len(lead) or 4)
    return textwrap.fill(text, len(lead) + room, initial_indent=lead, subsequent_indent=further, break_on_hyphens=False)


def score(run: Overview, named: bool = False) -> str:
    """Return a run's score as text, with the name of its metric if wanted."""
    if run.best is None:
        return ""
    value = numbers.score(run.best.value)
    return f"{brief(run.best.metric, VALUE)} {value}" if named else value


def _name(run: Overview, folder: Path) -> str:
    name = os.path.relpath(run.place, folder)
    return visible(run.place.resolve().name if name == "." else name)


def _differences(listed: list[Overview], names: list[str]) -> list[str]:
    """Return for each run what it is set to that others are not, or what its command changed if there is no other."""
    if len(listed) == 1:
        return [visible(" ".join(one for one in listed[0].overrides if not one.startswith("hydra.")))]
    settings = [run.settings() for run in listed]
    short = _telling(overview.different(listed), settings)
    usual = {key: Counter(own[key] for own in settings if key in own).most_common(1)[0][0] for key in short}
    texts = []
    for own, name in zip(settings, names, strict=True):
        said = name.rpartition("/")[2].split(",")  # a sweep's folders are named like this
        shown = [
            f"{short[key]}={brief(_written(key, own[key]), VALUE)}"
            for key in short
            if key in own and (len(short) <= FEW or key == "seed" or own[key] != usual[key])
        ]
        texts.append(brief(" ".join(visible(pair) for pair in shown if pair not in said), DIFFERENCES))
    return texts


def _telling(short: dict[str, str], settings: list[dict[str, str]]) -> dict[str, str]:
    """Return the settings that are worth a place in the list, what was chosen before what was set."""
    telling: dict[tuple[str | None, ...], str] = {}
    for key in sorted(short, key=lambda key: (not _is_choice(key), key != "seed")):
        if not key.startswith(OF_NO_MATTER):
            # One of those that go together: `data.image_size` and what the networks have of it.
            telling.setdefault(tuple(own.get(key) for own in settings), key)
    return {key: short[key] for key in telling.values()}


def _written(key: str, value: str) -> str:
    return f"[{','.join(value.split())}]" if key in LISTS and value != "none" else value


def _is_choice(key: str) -> bool:
    return key.endswith(".name") or key in LISTS


def _step(run: Overview) -> str:
    if run.step is None:
        return "" if run.steps is None else f"0/{run.steps}"
    return str(run.step) if run.step == run.steps or run.steps is None else f"{run.step}/{run.steps}"


def _age(run: Overview) -> str:
    if run.seen is None:
        return ""
    seconds = max(0, int(time.time() - run.seen))
    unit, size = next((one for one in UNITS if seconds >= one[1]), UNITS[-1])
    return f"{seconds // size} {unit}"
