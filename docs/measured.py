"""Writes into docs/papers.md, for each paper, where what its experiments come to was measured here.

    python docs/measured.py

What was measured is found in the pages of results and the records beside them, and in the gallery: by an experiment's
name, and for the claims of objectives by the paper that both cite.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gan_framework.registry.options import Option, options_of

DOCS = Path(__file__).parent
PAPERS = DOCS / "papers.md"
sys.path.insert(0, str(DOCS.parent / "benchmarks"))

from evidence.objective_claims import FAMILIES, SCORES, Claim  # noqa: E402
from evidence.objective_page import MISSING, NOT, OPEN, SHOWS, evidence, verdict  # noqa: E402 (benchmarks are no package)
from evidence.objective_rows import ROWS  # noqa: E402
from evidence.record import Record, RecordFile  # noqa: E402
from evidence.system_rows import ROWS as SYSTEMS  # noqa: E402

CITED = re.compile(r"\(([^()]+ \d{4})\)")
"""The paper in a claim."""

GROUPS = ("loss", "term", "strategy", "schedule", "optimizer", "sampler", "discriminator", "game")
"""What an objective is made of."""

TYPED = re.compile(rf"(?:{'|'.join(GROUPS)})=\[?([\w,]+)\]?")

WORDS = {SHOWS: "shown", NOT: "not shown", OPEN: "inconclusive", MISSING: "of too few runs"}
"""What is said of a claim, by its verdict."""

NOWHERE = "not measured"
OF_NONE = "–"
COLUMN = "measured"


def measured(experiment: str, objectives: Record, systems: Record) -> list[str]:
    """Return links to where what an experiment comes to was measured; none if it was not.

    Args:
        experiment: its name.
        objectives: the runs of benchmarks/objectives.py.
        systems: those of benchmarks/systems.py.
    """
    return [*_claims(experiment, objectives), *_systems(experiment, systems), *_pages(experiment)]


def _claims(experiment: str, record: Record) -> Iterator[str]:
    """Yield, for each family, what became of the claims of an experiment's paper about what it is made of."""
    option = _experiments().get(experiment)
    if option is None:
        return
    parts = _chosen(option)
    for family, claims in FAMILIES.items():
        own = [claim for claim in claims if _cited(claim) in option.summary and _tried(claim) & parts]
        if own:
            verdicts = Counter(WORDS[verdict(claim, evidence(claim, record))] for claim in own)
            what = ", ".join(f"{verdicts[word]} {word}" for word in WORDS.values() if verdicts[word])
            anchor = family.lower().replace(" ", "-")
            yield f"[{'claim' if len(own) == 1 else 'claims'}: {what}](results/objectives.md#{anchor})"


@cache
def _experiments() -> dict[str, Option]:
    return {option.name: option for option in options_of("experiment")}


def _cited(claim: Claim) -> str:
    """Return the paper that a claim is of, `Li et al. 2017`; what nobody writes if it names none."""
    found = CITED.search(claim.text)
    return found[1] if found else claim.text


def _tried(claim: Claim) -> set[str]:
    """Return the options of a claim's run that the run which it is compared with has not.

    Where that is the same with other settings, all of them.
    """
    others = _typed(claim.other) if isinstance(claim.other, str) else set()
    return _typed(claim.run) - others or _typed(claim.run)


def _typed(run: str) -> set[str]:
    row = ROWS[run]
    typed = [TYPED.fullmatch(override) for override in (*row.setting.overrides, *row.overrides)]
    return {name for found in typed if found for name in found[1].split(",")}


def _chosen(option: Option | None) -> set[str]:
    """Return what an experiment chooses of the groups that objectives are made of, and what a loss brings."""
    found: set[str] = set()
    while option is not None:
        found |= {name for group in GROUPS for name in option.chosen(group)}
        option = option.base()
    return found


def _systems(experiment: str, record: Record) -> Iterator[str]:
    ran = {run for run, _ in record}
    pages = {row.page for name, row in SYSTEMS.items() if row.experiment == experiment and name in ran}
    for page in sorted(pages):
        yield f"[in small](results/{page}.md)"


def _pages(experiment: str) -> Iterator[str]:
    if re.search(rf"^## {experiment}$", (DOCS / "results.md").read_text(), re.MULTILINE):
        yield f"[on digits](results.md#{experiment})"
    if re.search(rf"\bexperiment={experiment}\b", (DOCS / "results" / "colour.md").read_text()):
        yield "[on CIFAR-10](results/colour.md)"
    if experiment in json.loads((DOCS / "gallery" / "gallery.json").read_text()):
        yield f"[one run](gallery.md#{experiment})"
    if _chosen(_experiments().get(experiment)) & _on_few_images():
        yield "[on few images](results/small_data.md)"
    if experiment in _scored():
        yield "[first steps](results/experiments.md)"


@cache
def _scored() -> set[str]:
    """Return the experiments that were scored as they are, after seconds of training."""
    with (DOCS / "results" / "experiments.csv").open(newline="") as file:
        return {line["run"] for line in csv.DictReader(file) if line["score"]}


@cache
def _on_few_images() -> set[str]:
    """Return what was measured against overfitting: strategies and terms."""
    with (DOCS / "results" / "small_data.csv").open(newline="") as file:
        return {line["run"] for line in csv.DictReader(file)} - {"none"}


def page(text: str) -> str:
    """Return the page of papers with its last column as the records have it now."""
    objectives = RecordFile(DOCS / "results" / "objectives.csv", SCORES).read()
    systems = RecordFile(DOCS / "results" / "systems.csv", ("score",)).read()
    lines = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" |")] if line.startswith("| ") else []
        if cells[:1] == ["paper"]:
            line = f"| {' | '.join([*cells[:4], COLUMN])} |"
        elif cells[:1] == ["---"]:
            line = f"| {' | '.join(['---'] * 5)} |"
        elif cells:
            names = re.findall(r"`(\w+)`", cells[2])
            found = list(dict.fromkeys(link for name in names for link in measured(name, objectives, systems)))
            shown = ", ".join(found) or (NOWHERE if names else OF_NONE)
            line = "| " + " | ".join([*cells[:4], shown]) + " |"
        lines.append(line.replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAPERS.write_text(page(PAPERS.read_text()))
