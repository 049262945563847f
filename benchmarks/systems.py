"""Small runs of systems whose data have a known truth, with what each is compared with.

    python benchmarks/systems.py                        # all, three seeds
    python benchmarks/systems.py dann --jobs 2          # one of them with its control, two runs at a time
    python benchmarks/systems.py --seconds 600          # what ten minutes allow; the next call goes on
    python benchmarks/systems.py --write                # no run: only the pages

Each run is a process of its own with one thread, and a line of `docs/results/systems.csv`; what has a line is not run
again. Where the gallery has no picture of an experiment, the run of its row leaves one there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import gallery
from evidence import papers
from evidence.comparison import between, compare, direction, spread
from evidence.job import ROOT, Job, Outcome
from evidence.options import carry_out, parser
from evidence.record import Record, RecordFile
from evidence.system_rows import ROWS

RESULTS = ROOT / "docs" / "results"
RECORD = RESULTS / "systems.csv"
SCORE = "score"
COMMON = ("train.threads=1", "train.sample_every=0", "tracker=[]", "evaluate.baselines=false")

TITLES = {
    "conditional": "Classes, texts, editing, other domains",
    "beyond_images": "Tokens, series, tables, control",
    "architectures": "Encoders, codes, several networks",
    "losses": "Objectives on one pair of networks",
}

INTRODUCTION = """# {title}

Measured by `python benchmarks/systems.py`, which wrote this page from `docs/results/systems.csv`, a line for each run:
systems in small, on data whose truth is known, minutes of one core each. Mean ± standard deviation over seeds;
differences are paired by seed, with a 95 % interval by Student's t. They say what these settings come to, and not what
a paper's own networks and data do. Names lead to pictures in the gallery.

| `experiment=` | what is measured | n | value | beside | difference, 95 % interval | it is | further settings |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def jobs(record: Path, seeds: Iterable[int], names: Iterable[str] = ()) -> list[Job]:
    """Return the runs that have no line in the record yet, seed by seed, a control with each that is asked for."""
    file = RecordFile(record, (SCORE,))
    pictures = gallery.GALLERY if record == RECORD else None
    done, asked = file.read(), list(names) or list(ROWS)
    wanted = dict.fromkeys(name for one in asked for name in (ROWS[one].control, one) if isinstance(name, str))
    return [
        Job(
            f"{name}, seed {seed}",
            (f"experiment={ROWS[name].experiment}", *ROWS[name].overrides, *COMMON, f"seed={seed}"),
            _Taken(file, name, seed, pictures),
        )
        for seed in seeds
        for name in wanted
        if (name, seed) not in done
    ]


class _Taken:
    """Adds the line of a run, with the row's figure as its score, and its picture to a gallery that has none."""

    def __init__(self, file: RecordFile, name: str, seed: int, pictures: Path | None) -> None:
        self.file, self.name, self.seed, self.pictures = file, name, seed, pictures

    def __call__(self, outcome: Outcome) -> None:
        row = ROWS[self.name]
        if self.pictures and self.name == row.experiment and not (self.pictures / f"{self.name}.png").exists():
            shown = [f"experiment={self.name}", *row.overrides, f"seed={self.seed}"]
            gallery.keep(self.name, shown, None, self.pictures, outcome)
        wanted = row.score
        found = [value for name, value in outcome.scores.items() if name.startswith(wanted)]
        if outcome.status == "finished" and not found:
            print(f"{self.name}: no score begins with {wanted}; there are {', '.join(outcome.scores)}", flush=True)
            return
        self.file.add(self.name, self.seed, outcome._replace(scores={SCORE: found[0]} if found else {}))


def write(record: Path) -> None:
    """Write the pages of a record."""
    found = RecordFile(record, (SCORE,)).read()
    for page, title in TITLES.items():
        rows = [name for name, row in ROWS.items() if row.page == page and any(run == name for run, _ in found)]
        if rows:
            text = INTRODUCTION.format(title=title) + "".join(f"{line(name, found)}\n" for name in rows)
            (RESULTS / f"{page}.md").write_text(text)
    if record == RECORD:
        papers.renew()


def line(name: str, record: Record) -> str:
    """Return a row of a table."""
    row = ROWS[name]
    against = row.control if row.control is not None else name
    found = compare(record, name, against, SCORE)
    beside, verdict = "", ("", "")
    if row.control is not None:
        beside = f"{row.control}: {spread(found.others)}" if isinstance(row.control, str) else str(row.control)
        verdict = (between(found.interval), direction(found.interval))
    drawn = row.experiment in gallery.records()
    experiment = f"[{row.experiment}](../gallery.md#{row.experiment})" if drawn else row.experiment
    shown = experiment if name == row.experiment else f"{experiment} ({name})"
    cells = [shown, row.says, str(len(found.values)), spread(found.values), beside, *verdict]
    settings = " ".join(row.overrides)
    return f"| {' | '.join([*cells, f'`{settings}`'])} |"


if __name__ == "__main__":
    carry_out(parser(__doc__, ROWS, RECORD), ROWS, jobs, write)
