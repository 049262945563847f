"""The page of what objectives' claims came to, and the paragraphs on the techniques' own pages."""

from __future__ import annotations

import re
from statistics import fmean

from evidence.comparison import Comparison, between, compare, spread
from evidence.objective_claims import FAMILIES, WORST, Claim
from evidence.objective_rows import QUIET, ROWS
from evidence.record import Found, Record

SHOWS, NOT, OPEN, MISSING = "shows", "does not, in this setting", "inconclusive", "too few runs"


def verdict(claim: Claim, found: Comparison) -> str:
    """Return what the interval of a claim's difference says of it."""
    if found.interval is None:
        return MISSING
    low, high = found.interval
    if claim.side in ("less", "not more"):
        low, high = -high, -low
    threshold = -claim.margin if claim.side.startswith("not ") else claim.margin
    return SHOWS if low > threshold else NOT if high < threshold else OPEN


def evidence(claim: Claim, record: Record) -> Comparison:
    """Return a claim's comparison."""
    return compare(with_worst(record, claim.score), claim.run, claim.other, claim.score)


def with_worst(record: Record, score: str) -> Record:
    """Return the record with the worst value of a score where a run failed, and the CPU time as a score."""
    worst = {score: WORST[score]} if score in WORST else {}
    return {
        run: Found({**worst, "cpu_seconds": found.cpu_seconds, **found.scores}, found.cpu_seconds)
        for run, found in record.items()
    }


def line(claim: Claim, record: Record) -> str:
    """Return a claim's line of the table."""
    found = evidence(claim, record)
    margin = f" by {claim.margin:g}" if claim.margin else ""
    other = claim.other if isinstance(claim.other, str) else f"{claim.other:g}"
    cells = [
        claim.text,
        f"`{claim.score}` of *{claim.run}* {claim.side}{margin} than *{other}*",
        str(len(found.values)) + (f", {found.failed} failed" if found.failed else ""),
        spread(found.values),
        spread(found.others) if isinstance(claim.other, str) else other,
        between(found.interval),
        f"**{verdict(claim, found)}**",
    ]
    return "| " + " | ".join(cells) + " |"


HEADER = (
    "| claim | as a comparison | n | run | other | 95 % interval of the difference | here |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)

INTRODUCTION = """# What objectives claim, and what shows here

Measured by `python benchmarks/objectives.py`, which wrote this page from `docs/results/objectives.csv`, a line for
each run. Each claim of a paper is a comparison of short runs on a small problem: {shows} of {all} show, {nots} do not
in this setting, {open} are inconclusive{missing}.

How to read it:

* *n* is the number of seeds; values are mean ± standard deviation over them. The difference is run minus other, paired
  by seed, with a 95 % interval by Student's t on n - 1 degrees of freedom. Of so many intervals a few miss the
  truth by chance.
* "shows": the whole interval lies on the claimed side. "does not, in this setting": it lies on the other side.
  "inconclusive": it lies on both, so the difference is not significant, which is no finding against the claim. "not
  less by 1" asks that the interval lies above -1.
* Where all seeds give the same number the interval has no width: scores that count modes, games without chance.
* A run that failed, as its loss was not finite, counts as no modes and no samples of high quality.
* Nothing was tuned until it showed. The settings are those below with each objective's defaults but for what the rows
  name; a claim about long training on large images may hold there and not here.

"""

ENDING = """
## The runs

`ring` are eight Gaussians in the plane of deviation 0.02 (`modes_covered_raw` of 8, and `high_quality_raw`, the share
of samples within three deviations of one), `grid` twenty-five and `spiral` sixteen. `outliers` is the ring with one in
a hundred points at (4, 4), and its score the share of samples beyond a radius of 3. `line` is one Gaussian against two
modes on a line, `dirac` the game of two numbers of Mescheder et al. 2018 (arXiv 1801.04406), `digits` the first run of
the README made small. `moments` is one Gaussian for another on a line, and its `distance` that of mean and deviation
from the data's; the discriminator that is trained has the same features, the same penalty of its weights and the same
rate. `intervals` is the game of two means and two intervals of Li et al. 2017 (arXiv 1706.09884), and its score the
mean total variation that is left after 500 steps from each of eight random starts.

"""


def page(record: Record) -> str:
    """Return the page, from all runs so far."""
    claims = [claim for family in FAMILIES.values() for claim in family]
    verdicts = [verdict(claim, evidence(claim, record)) for claim in claims]
    count = {word: verdicts.count(word) for word in (SHOWS, NOT, OPEN, MISSING)}
    text = INTRODUCTION.format(
        all=len(claims),
        shows=count[SHOWS],
        nots=count[NOT],
        open=count[OPEN],
        missing=f"; of {count[MISSING]} there are too few runs so far" if count[MISSING] else "",
    )
    for family, of_family in FAMILIES.items():
        text += "\n".join([f"## {family}", "", *HEADER, *(line(claim, record) for claim in of_family)]) + "\n\n"
    return text.rstrip("\n") + "\n" + ENDING + "\n".join(runs(record)) + "\n"


def runs(record: Record) -> list[str]:
    """Return a table of all rows: what is typed, and the CPU seconds that it takes."""
    lines = ["| run | `python run.py` ... | CPU seconds |", "| --- | --- | --- |"]
    for name, row in ROWS.items():
        seconds = [found.cpu_seconds for (run, _), found in record.items() if run == name]
        typed = " ".join(override for override in (*row.setting.overrides, *row.overrides) if override not in QUIET)
        typed = typed.replace("|", "\\|")
        lines.append(f"| {name} | `{shortened(typed)}` | {f'{fmean(seconds):.0f}' if seconds else ''} |")
    return lines


def shortened(typed: str) -> str:
    """Return what is typed with the data's path from the project's root."""
    head, found, tail = typed.partition("data.path=")
    return f"{head}{found}outputs{tail.partition('/outputs')[2]}" if found else typed


MARK = re.compile(r"(<!-- claims: (.+?) -->\n).*?(?=\n\n|\Z)", re.DOTALL)
"""Begins, on a technique's page, the paragraph of the claims about the runs that it names."""


def claimed(text: str, record: Record) -> str:
    """Return a technique's page with its marked paragraphs of claims written anew."""
    claims = [claim for family in FAMILIES.values() for claim in family]

    def paragraph(found: re.Match[str]) -> str:
        of_page = [claim for name in found[2].split("; ") for claim in claims if claim.run == name]
        return found[1] + "\n".join(f"* {sentence(claim, record)}" for claim in of_page)

    return MARK.sub(paragraph, text)


def sentence(claim: Claim, record: Record) -> str:
    """Return in words what a claim is and what became of it."""
    found = evidence(claim, record)
    if not found.values:
        return f"{claim.text}: not measured yet."
    than = f"{spread(found.others)} (*{claim.other}*)" if isinstance(claim.other, str) else f"{claim.other:g}"
    side = f"{claim.side} by {claim.margin:g}" if claim.margin else claim.side
    return (
        f"{claim.text}: **{verdict(claim, found)}**. `{claim.score}` of *{claim.run}* is {spread(found.values)} "
        f"(n = {len(found.values)}); the claim asks for {side} than {than}."
    )
