"""The page of what techniques change, and the paragraphs on their own pages."""

from __future__ import annotations

import re

from evidence.comparison import Comparison, between, compare, direction, spread
from evidence.record import Record
from evidence.technique_rows import BASELINE, ROWS, SCORES, SETTING, START


def effect(name: str, score: str, record: Record) -> Comparison:
    """Return what a technique changes of a score."""
    return compare(record, name, ROWS[name].control or name, score)


def seeds(name: str, record: Record) -> list[int]:
    """Return the seeds of which there are runs."""
    return sorted(seed for run, seed in record if run == name)


def times(name: str, record: Record) -> float | None:
    """Return how often the control's CPU time of training a technique takes, over the seeds that both have."""
    control = ROWS[name].control or name
    both = [seed for seed in seeds(name, record) if (control, seed) in record]
    if not both or (START, 0) not in record:
        return None
    start = record[START, 0].cpu_seconds
    training = {row: sum(record[row, seed].cpu_seconds - start for seed in both) for row in (name, control)}
    return training[name] / training[control]


def line(name: str, record: Record) -> str:
    """Return a technique's line of the table."""
    fid, kid = (effect(name, score, record) for score in SCORES)
    factor = times(name, record)
    cells = [
        f"`{' '.join(ROWS[name].overrides)}`" if ROWS[name].overrides else "the baseline",
        str(len(fid.values)) + (f", {fid.failed} failed" if fid.failed else ""),
        spread(fid.values),
    ]
    if ROWS[name].control is None:
        cells += ["", "", "", spread(kid.values), ""]
    else:
        cells += [
            f"{fid.difference:+.3g}" if fid.difference is not None else "none",
            between(fid.interval),
            direction(fid.interval),
            spread(kid.values),
            between(kid.interval),
        ]
    cells.append(f"{factor:.2f}" if factor is not None and ROWS[name].control is not None else "1")
    return f"| {name} | " + " | ".join(cells) + " |"


HEADER = (
    "| technique | what it adds | n | FID | difference | 95 % interval | FID is | KID | its 95 % interval | time |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)

INTRODUCTION = """# What each technique changes, alone

Measured by `python benchmarks/techniques.py`, which wrote this page from `docs/results/techniques.csv`, a line for each
run. Every row trains

```
python run.py {command} seed=0,1,2 -m
```

with what the row adds to it, and scores 1,000 samples by the features of the classifier, against the training split.
That is the [README](../../README.md)'s first run made small. So far there are {runs} runs of {rows} rows.

How to read it:

* *n* is the number of seeds. FID and KID are mean ± standard deviation over seeds; less is better of both.
* The *difference* is technique minus control, paired by seed, with a 95 % interval by Student's t on n - 1 degrees of
  freedom. The control is the baseline. Penalties on the gradient at a sample cannot stand beside the batch norm of the
  baseline's discriminator, and are compared with the baseline with layer norm; `q_head` with the baseline on latents
  with codes.
* *FID is* "lower" or "higher" where the interval excludes zero, and "not significantly different" where it does
  not. That does not mean that the technique has no effect, only that so few seeds of so short a training do not show
  one. A single seed has no interval. {chance}
* *time* is the CPU time of training as a multiple of the control's, for the same number of generator updates. How far
  `minimax` and `hinge`, which cost what the baseline does, are from 1 says how exact it is on a busy machine.
* What it says is about one small network, 1,442 digits of 16 pixels and 400 steps, with each technique's default
  settings. Techniques that pay off late (averages over thousands of steps, decay to zero, penalties that keep long
  runs from falling apart) cannot do so here. Before you choose by it, repeat it on your own data.

"""


def page(record: Record) -> str:
    """Return the page, from all runs so far."""
    done = [name for name in ROWS if seeds(name, record)]
    compared = [name for name in done if ROWS[name].control is not None]
    intervals = sum(effect(name, SCORES[0], record).interval is not None for name in compared)
    text = INTRODUCTION.format(
        command=" ".join([*BASELINE, *SETTING]),
        runs=len([run for run, _ in record if run != START]),
        rows=len(ROWS),
        chance=(
            f"Of {intervals} intervals at 95 % about {round(0.05 * intervals)} would exclude zero by chance alone."
            if intervals
            else "So far no technique has two seeds."
        ),
    )
    controls = [name for name in done if ROWS[name].control is None]
    return text + "\n".join([*HEADER, *(line(name, record) for name in [*controls, *compared])]) + "\n"


MARK = re.compile(r"(<!-- measured: (.+?) -->\n).*?(?=\n\n|\Z)", re.DOTALL)
"""Begins, on a technique's page, the paragraph that says what was measured of the rows that it names."""


def measured(text: str, record: Record) -> str:
    """Return a technique's page with its marked paragraphs written anew."""

    def paragraph(found: re.Match[str]) -> str:
        return found[1] + "\n".join(sentence(name, record) for name in found[2].split("; ")).rstrip("\n")

    return MARK.sub(paragraph, text).rstrip("\n") + "\n"


def sentence(name: str, record: Record) -> str:
    """Return in words what was measured of a technique."""
    fid = effect(name, SCORES[0], record)
    factor, control = times(name, record), ROWS[name].control
    if not seeds(name, record):
        return f"* `{name}`: not measured yet."
    if fid.difference is None or factor is None:
        return f"* `{name}`: no run came to a score."
    failed = f"; {fid.failed} further failed" if fid.failed else ""
    certain = f", 95 % interval {between(fid.interval)}" if fid.interval is not None else ""
    return (
        f"* `{name}`: FID {spread(fid.values)} (n = {len(fid.values)}{failed}), and {spread(fid.others)} of "
        f"`{control}`; difference {fid.difference:+.3g}{certain}: {direction(fid.interval)}. Training took "
        f"{factor:.2f} times the CPU time."
    )
