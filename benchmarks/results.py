"""Trains experiments on three seeds each and writes docs/results.md: command, seeds, scores with protocol, minutes.

    python benchmarks/results.py --data mnist10k.npz               # everything, in this order
    python benchmarks/results.py --data mnist10k.npz mlp cgan_mlp  # some of it
    python benchmarks/results.py --data mnist10k.npz --jobs 8      # eight runs at a time, with one thread each
    python benchmarks/results.py --write                           # only write the page from what has been run

Runs that have finished are kept under `outputs/results` and not repeated; interrupted ones are resumed.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.comparison import spread
from evidence.job import MEASURED, ROOT, Job, Outcome
from evidence.options import known, parser
from evidence.running import run_all

RUNS = ROOT / "outputs" / "results"
PAGE = ROOT / "docs" / "results.md"
FIGURES = ROOT / "docs" / "figures" / "results"
SEEDS = (0, 1, 2)

MNIST = ("data=npz", "data.path={data}", "data.image_size=28", "data.channels=1", "evaluate.samples=5000")
"""Digits (N, 28, 28) `x` with classes (N,) `y`; scores of 5,000 samples against the training split."""


def tag_precision(run: Path) -> dict[str, float]:
    """Return the share of right words among the ten that a trained `cgan_vectors` finds for unseen conditions."""
    from gan_framework.data import build_source
    from gan_framework.runs.restore import load_game
    from gan_zoo.tags import most_frequent_words

    game, config = load_game(run)
    source: Any = build_source(config["data"])
    conditions = source.load("test").labels
    topics = most_frequent_words(game, conditions, source.vocabulary) // source.words
    right = topics == source.topics_of(conditions)[:, None]
    return {"tag_precision": right.float().mean().item()}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        overrides: what follows `python run.py`.
        measure: returns further figures of a finished run.
        picture: whether the page shows the samples of the first seed.
    """

    overrides: tuple[str, ...]
    measure: Callable[[Path], dict[str, float]] | None = None
    picture: bool = True


NARROW = ("networks.generator.width=32", "networks.discriminator.width=32")
"""Convolutions a quarter as expensive, for machines without a GPU."""

LOW = ("networks.generator.hidden=256", "networks.discriminator.hidden=256")
"""Fully connected layers of InfoGAN a quarter as expensive."""

ROWS = {
    "mlp": Row(("experiment=mlp", *MNIST, "train.steps=5000")),
    "dcgan": Row(("experiment=dcgan", *MNIST, *NARROW, "train.steps=2000", "train.batch_size=64")),
    "cgan_mlp": Row(("experiment=cgan_mlp", *MNIST, "strategy=[ema]", "train.steps=40000")),
    "dcgan_conditional": Row(("experiment=dcgan_conditional", *MNIST, *NARROW, "train.steps=2000")),
    "infogan": Row(("experiment=infogan", *MNIST, *NARROW, *LOW, "train.steps=3000", "train.batch_size=64")),
    "vae": Row(("experiment=vae", *MNIST, "train.steps=5000")),
    "mixture_2d": Row(("experiment=mixture_2d",)),
    "mixture_2d_unrolled": Row(("experiment=mixture_2d_unrolled",)),
    "cgan_vectors": Row(("experiment=cgan_vectors", "train.steps=500"), tag_precision, picture=False),
}


def main() -> None:
    """Run what is asked for, then write the page."""
    options = parser(__doc__, ROWS)
    options.add_argument("--data", type=Path, help="the .npz file of digits")
    options.add_argument("--write", action="store_true", help="run nothing")
    asked = options.parse_args()
    known(options, asked.names, ROWS)
    if not asked.write:
        wanted = [(name, seed) for seed in SEEDS for name in asked.names or ROWS if summary(name, seed) is None]
        run_all([job(name, seed, asked.data) for name, seed in wanted], asked.jobs, asked.seconds)
    PAGE.write_text(page())


def folder(name: str, seed: int) -> Path:
    """Return where the run of a row and a seed lies."""
    return RUNS / name / f"seed_{seed}"


def summary(name: str, seed: int) -> dict[str, Any] | None:
    """Return the summary of a finished run, or None."""
    path = folder(name, seed) / "summary.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    return found if found.get("status") == "finished" else None


def job(name: str, seed: int, data: Path | None) -> Job:
    """Return a run, which goes on where it was interrupted."""
    row = ROWS[name]
    if data is None and any("{data}" in override for override in row.overrides):
        sys.exit(f"{name} needs --data, the .npz file of digits")
    overrides = [override.format(data=data.resolve() if data else "") for override in row.overrides]

    def take(outcome: Outcome) -> None:
        if outcome.status != "finished":
            print(f"{name}, seed {seed} was {outcome.status}:\n{outcome.output}", flush=True)

    shown = f"{name}, seed {seed}"
    return Job(shown, (*overrides, f"seed={seed}", "tracker=[]"), take, row.measure, folder(name, seed))


def page() -> str:
    """Return the page, from all runs that have finished."""
    done = {name: [s for seed in SEEDS if (s := summary(name, seed))] for name in ROWS}
    lines = [
        "# Results",
        "",
        "Measured by `python benchmarks/results.py --data mnist10k.npz`, which wrote this page: mean ± standard",
        "deviation over training seeds, at the last step. `mnist10k.npz` holds the 10,000 images of the MNIST test",
        "split, of which a tenth is held out; so these are no scores on MNIST as others report them. Every run had",
        "one thread of a machine that had other work too.",
        "",
        "Nearly every experiment stands in a table of its kind, run in small beside what it is compared with:",
        "[encoders, codes, several networks](results/architectures.md), [objectives](results/losses.md),",
        "[classes, texts, editing, other domains](results/conditional.md) and",
        "[tokens, series, tables, control](results/beyond_images.md). [Every experiment](results/experiments.md) as it",
        "is was trained for some seconds.",
        "",
        "| experiment | seeds | steps | minutes | scores |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, runs in done.items():
        if runs:
            seeds = ", ".join(str(found["seed"]) for found in runs)
            minutes = spread([found["seconds"] / 60 for found in runs])
            lines.append(f"| {name} | {seeds} | {runs[0]['step']:,} | {minutes} | {scores(name, runs)} |")
    for name, runs in done.items():
        if runs:
            lines += ["", f"## {name}", "", *details(name, runs)]
    return "\n".join(lines) + "\n"


def scores(name: str, runs: list[dict[str, Any]]) -> str:
    """Return every score with its spread over the seeds."""
    values: dict[str, list[float]] = {}
    for found in runs:
        measured = folder(name, found["seed"]) / MEASURED
        further = json.loads(measured.read_text()) if measured.exists() else {}
        evaluated = {key[5:]: value for key, value in found["metrics"].items() if key.startswith("eval/")}
        for key, value in (evaluated | further).items():
            values.setdefault(key, []).append(value)
    return "<br>".join(f"{key} {spread(found)}" for key, found in values.items())


def details(name: str, runs: list[dict[str, Any]]) -> list[str]:
    """Return the command, the protocol and the samples of the first seed."""
    overrides = " ".join(override.format(data="mnist10k.npz") for override in ROWS[name].overrides)
    protocol = {key: value for key, value in (runs[0]["protocol"] or {}).items() if key != "metrics"}
    lines = ["```", f"python run.py {overrides} seed=0,1,2 -m", "```"]
    if protocol:
        lines += ["", "Protocol: " + ", ".join(f"{key} {value}" for key, value in protocol.items()) + "."]
    if ROWS[name].picture:
        newest = max((folder(name, runs[0]["seed"]) / "samples").glob("*.png"))
        FIGURES.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(newest, FIGURES / f"{name}.png")
        lines += ["", f"![samples of {name}](figures/results/{name}.png)"]
    return lines


if __name__ == "__main__":
    main()
