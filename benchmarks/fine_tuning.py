"""What it brings to start from trained weights: digits of one origin after those of another, at equal steps.

    python benchmarks/fine_tuning.py                # first a run on scikit-learn's digits, then the fine-tuning
    python benchmarks/fine_tuning.py --write        # no run: only the page

Needs `pip install 'gan-framework[mnist5k]'`, whose package ships the second images. The first runs lie in
`outputs/fine_tuning`. Each run is a process of its own with one thread, and a line of `docs/results/fine_tuning.csv`;
what has a line is not run again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from evidence.comparison import between, compare, direction, spread
from evidence.job import ROOT, Job, Outcome
from evidence.options import carry_out, parser
from evidence.record import Record, RecordFile

RECORD = ROOT / "docs" / "results" / "fine_tuning.csv"
PAGE = ROOT / "docs" / "results" / "fine_tuning.md"
TRAINED = ROOT / "outputs" / "fine_tuning"

NETWORKS = (
    *("model=dcgan", "data.image_size=28", "networks.generator.width=16", "networks.discriminator.width=16"),
    *("train.batch_size=32", "train.threads=1", "train.sample_every=0", "tracker=[]"),
)
FIRST = (*NETWORKS, "data=digits", "train.steps=1000", "train.checkpoint_every=1000", "metrics=[]")
STEPS = 200
SECOND = (
    *NETWORKS,
    *("data=mnist_5k", f"train.steps={STEPS}", f"train.checkpoint_every={STEPS}"),
    *("extractor=classifier", "metrics=[fid]", "evaluate.samples=1000", "evaluate.baselines=false"),
)
SCORE = "fid_classifier"

ROWS: dict[str, tuple[str, ...]] = {
    "from scratch": (),
    "generator": ("networks.generator.from={run}",),
    "both": ("networks.generator.from={run}", "networks.discriminator.from={run}"),
    "both, first layers of D fixed": (
        "networks.generator.from={run}",
        "networks.discriminator.from={run}",
        "networks.discriminator.freeze=[blocks.0]",
    ),
}
CONTROL = "from scratch"

INTRODUCTION = """# Starting from trained weights

Measured by `python benchmarks/fine_tuning.py`, which wrote this page from `docs/results/fine_tuning.csv`, a line for
each run: {steps} steps on 4,000 digits of MNIST, from scratch or from a run of 1,000 steps on the 1,797 digits of
scikit-learn, a DCGAN of width 16 at 28 pixels. Fixing the first layers of D is FreezeD (Mo et al. 2020, arXiv
2002.10964).

```
python run.py {first} hydra.run.dir=outputs/first
python run.py {second} networks.generator.from=outputs/first networks.discriminator.from=outputs/first
```

FID compares 1,000 samples with held-out digits by the features of a classifier of MNIST's: less is better. Mean ±
standard deviation over seeds; differences are to the first row, paired by seed, with a 95 % interval by Student's t.

| what is loaded | n | FID | its difference, 95 % interval | FID is |
| --- | --- | --- | --- | --- |
"""


def jobs(record: Path, seeds: Iterable[int], names: Iterable[str] = ()) -> list[Job]:
    """Return the runs that have no line in the record yet, each seed's first run before those that start from it."""
    file = RecordFile(record, (SCORE,))
    done, wanted, found = file.read(), list(names) or list(ROWS), []
    for seed in seeds:
        run = TRAINED / f"seed={seed}"
        left = [name for name in wanted if (name, seed) not in done]
        if any(ROWS[name] for name in left) and not (run / "summary.json").exists():
            found.append(Job(f"trained, seed {seed}", (*FIRST, f"seed={seed}"), _failed_loudly, folder=run))
        for name in left:
            more = tuple(part.format(run=run) for part in ROWS[name])
            found.append(Job(f"{name}, seed {seed}", (*SECOND, *more, f"seed={seed}"), partial(file.add, name, seed)))
    return found


def write(record: Path) -> None:
    """Write the page of a record."""
    found = RecordFile(record, (SCORE,)).read()
    lines = [line(name, found) for name in ROWS if any(run == name for run, _ in found)]
    first, second = (" ".join(part for part in of if part != "tracker=[]") for of in (FIRST, SECOND))
    PAGE.write_text(INTRODUCTION.format(steps=STEPS, first=first, second=second) + "\n".join(lines) + "\n")


def line(name: str, record: Record) -> str:
    """Return a row of the table."""
    found = compare(record, name, CONTROL, SCORE)
    verdict = ("", "") if name == CONTROL else (between(found.interval), direction(found.interval))
    return f"| {' | '.join([name, str(len(found.values)), spread(found.values), *verdict])} |"


def _failed_loudly(outcome: Outcome) -> None:
    if outcome.status != "finished":
        print(outcome.output, flush=True)


if __name__ == "__main__":
    carry_out(parser(__doc__, ROWS, RECORD), ROWS, jobs, write)
