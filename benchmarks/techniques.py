"""What each technique changes, alone: every row is trained on three seeds and compared with its control, seed by seed.

    python benchmarks/techniques.py                  # all rows: seed 0 of each, then seed 1, then seed 2
    python benchmarks/techniques.py ema r1           # some rows, and the controls that they are compared with
    python benchmarks/techniques.py --write          # no run: only the page, and what the techniques' pages say

Each run is a process of its own with one thread. Its scores and its CPU time become a line of
`docs/results/techniques.csv`; what has a line is not run again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple, NoReturn

from scipy.stats import ttest_rel

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "docs" / "results" / "techniques.csv"
PAGE = ROOT / "docs" / "results" / "techniques.md"
PAGES = ROOT / "docs" / "techniques"
SEEDS = (0, 1, 2)
SCORES = ("fid_classifier", "kid_classifier")
COLUMNS = ("technique", "seed", "status", *SCORES, "cpu_seconds")

BASELINE = ("model=dcgan", "loss=nonsaturating")
SETTING = (
    "data.image_size=16",
    "networks.generator.width=16",
    "networks.discriminator.width=16",
    "train.steps=400",
    "train.threads=1",
    "metrics=[fid,kid]",
    "metrics.kid.subsets=20",
    "tracker=[]",
)
"""The default run made small: a quarter of the pixels, half the width, 400 steps for 700."""

LAYER = ("networks.discriminator.norm=layer",)
"""A penalty on the gradient at a sample needs a discriminator that judges each sample alone."""

CODES = ("prior=codes", "prior.dim=100")


@dataclass(frozen=True)
class Row:
    """A technique, or a control.

    Attributes:
        overrides: what it adds to the baseline.
        control: the row it is compared with; None for a control.
    """

    overrides: tuple[str, ...]
    control: str | None = "baseline"


ROWS = {
    "baseline": Row((), None),
    "baseline_layer_norm": Row(LAYER, None),
    "baseline_codes": Row(CODES, None),
    "minimax": Row(("loss=minimax",)),
    "maximum_likelihood": Row(("loss=maximum_likelihood",)),
    "least_squares": Row(("loss=least_squares",)),
    "hinge": Row(("loss=hinge",)),
    "relativistic": Row(("loss=relativistic",)),
    "wasserstein": Row(("loss=wasserstein",)),
    "wasserstein_gp": Row(("loss=wasserstein_gp", *LAYER), "baseline_layer_norm"),
    "r3gan": Row(("loss=r3gan", *LAYER), "baseline_layer_norm"),
    "gradient_penalty": Row(("term=[gradient_penalty]", *LAYER), "baseline_layer_norm"),
    "dragan": Row(("term=[dragan]", *LAYER), "baseline_layer_norm"),
    "r1": Row(("term=[r1]", *LAYER), "baseline_layer_norm"),
    "r2": Row(("term=[r2]", *LAYER), "baseline_layer_norm"),
    "ema": Row(("strategy=[ema]",)),
    "ema, decay 0.98": Row(("strategy=[ema]", "strategy.ema.decay=0.98")),
    "feature_matching": Row(("strategy=[feature_matching]",)),
    "feature_matching, add": Row(("strategy=[feature_matching]", "strategy.feature_matching.mode=add")),
    "historical_averaging": Row(("strategy=[historical_averaging]",)),
    "k_step": Row(("strategy=[k_step]",)),
    "loss_gated": Row(("strategy=[loss_gated]",)),
    "lr_decay": Row(("strategy=[lr_decay]",)),
    "lr_decay_exponential": Row(("strategy=[lr_decay_exponential]",)),
    "minibatch_discrimination": Row(("strategy=[minibatch_discrimination]",)),
    "minibatch_stddev": Row(("strategy=[minibatch_stddev]",)),
    "one_sided_label_smoothing": Row(("strategy=[one_sided_label_smoothing]",)),
    "pretrain_discriminator": Row(("strategy=[pretrain_discriminator]",)),
    "q_head": Row(("strategy=[q_head]", *CODES), "baseline_codes"),
    "spectral_norm": Row(("strategy=[spectral_norm]",)),
    "split_discriminator": Row(("strategy=[split_discriminator]",)),
    "stored_discriminators": Row(("strategy=[stored_discriminators]",)),
    "train_with_labels": Row(("strategy=[train_with_labels]",)),
    "unrolled": Row(("strategy=[unrolled]",)),
    "virtual_batch_norm": Row(("strategy=[virtual_batch_norm]",)),
    "weight_clipping": Row(("strategy=[weight_clipping]",)),
    "alternating, share_fakes false": Row(("schedule.share_fakes=false",)),
    "simultaneous": Row(("schedule=simultaneous",)),
    "stages": Row(("schedule=stages",)),
    "rejection": Row(("sampler=rejection",)),
    "boundary_seeking": Row(("loss=boundary_seeking",)),
    "density_ratio": Row(("loss=density_ratio",)),
    "f_gan": Row(("loss=f_gan",)),
    "fisher": Row(("loss=fisher",)),
    "importance_weighted": Row(("loss=importance_weighted",)),
    "loss_sensitive": Row(("loss=loss_sensitive",)),
    "margin_pair": Row(("loss=margin_pair",)),
    "quadratic_potential": Row(("loss=quadratic_potential",)),
    "softmax": Row(("loss=softmax",)),
    "gradient_power": Row(("term=[gradient_power]", *LAYER), "baseline_layer_norm"),
    "gradient_maximum": Row(("term=[gradient_maximum]", *LAYER), "baseline_layer_norm"),
    "weighted_gradient": Row(("term=[weighted_gradient]", *LAYER), "baseline_layer_norm"),
    "lecam, start 100": Row(("term=[lecam]", "terms.lecam.start=100")),
    "score_size": Row(("term=[score_size]",)),
    "orthogonal": Row(("term=[orthogonal]",)),
    "mode_seeking": Row(("term=[mode_seeking]",)),
    "diff_augment": Row(("strategy=[diff_augment]",)),
    "ada": Row(("strategy=[ada]",)),
    "instance_noise": Row(("strategy=[instance_noise]",)),
    "lookahead": Row(("strategy=[lookahead]",)),
    "sliced_wasserstein": Row(("strategy=[sliced_wasserstein]",)),
    "consensus": Row(("schedule=consensus",)),
    "extragradient": Row(("schedule=extragradient",)),
    "mmd": Row(("loss=mmd",)),
    "score_moments": Row(("loss=score_moments",)),
    "coulomb": Row(("loss=coulomb",)),
    "svm_norm": Row(("term=[svm_norm]",)),
    "metropolis_hastings, 100 proposals": Row(("sampler=metropolis_hastings", "sampler.proposals=100")),
    "discriminator_transport": Row(("sampler=discriminator_transport",)),
}

START = "start"
"""One step of the baseline: what starting and scoring take, and no part of the time of training."""


class Found(NamedTuple):
    """What one run came to: its scores by name, none if it failed, and its CPU time in seconds."""

    scores: dict[str, float]
    cpu_seconds: float


Record = dict[tuple[str, int], Found]


def main() -> None:
    """Run what is asked for and has no line yet, then write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"rows to run: {'; '.join(ROWS)}")
    parser.add_argument("--write", action="store_true", help="run nothing")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in ROWS]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; choose from {'; '.join(ROWS)}")
    if not asked.write:
        import gan_framework.cli.train
        import gan_framework.runs.launch  # noqa: F401 (imported before runs are forked, it is no time of theirs)

        controls = [control for name in asked.names if (control := ROWS[name].control)]
        wanted = dict.fromkeys([*controls, *asked.names] if asked.names else ROWS)
        for name, seed in [(START, SEEDS[0]), *((name, seed) for seed in SEEDS for name in wanted)]:
            if (name, seed) not in read(RECORD):
                run(name, seed)
    record = read(RECORD)
    PAGE.write_text(page(record))
    for path in PAGES.glob("*.md"):
        path.write_text(measured(path.read_text(), record))


def overrides(name: str) -> list[str]:
    """Return what follows `python run.py`, but for the seed."""
    own = ("train.steps=1",) if name == START else ROWS[name].overrides
    return [*BASELINE, *SETTING, *own]


def run(name: str, seed: int) -> None:
    """Train one run in a process of its own and add its line to the record."""
    print(f"{name}, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        child = os.fork()
        if not child:
            train_here([*overrides(name), f"seed={seed}", f"hydra.run.dir={folder}/run"], Path(folder, "output"))
        _, status, used = os.wait4(child, 0)
        file = Path(folder, "run", "summary.json")
        summary: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"status": "refused"}
        if summary["status"] not in ("finished", "failed"):
            sys.exit(f"{name}, seed {seed} was {summary['status']}:\n{Path(folder, 'output').read_text()}")
        scores = ["" if status else summary["metrics"].get(f"eval/{score}", "") for score in SCORES]
    new = not RECORD.exists()
    with RECORD.open("a", newline="") as record:
        writer = csv.writer(record, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        writer.writerow([name, seed, summary["status"], *scores, round(used.ru_utime + used.ru_stime, 2)])


def train_here(arguments: list[str], output: Path) -> NoReturn:
    """Be `python run.py` with these arguments, in a process that has imported everything, and end."""
    with output.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    from gan_framework.cli.train import train

    os.chdir(ROOT)
    sys.argv = ["run.py", *arguments]
    code = 1
    try:
        code = train()
    finally:
        sys.stdout.flush()
        os._exit(code)


def read(path: Path) -> Record:
    """Return the runs that have a line, by name and seed."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {
            (line["technique"], int(line["seed"])): Found(
                {score: float(line[score]) for score in SCORES if line[score]}, float(line["cpu_seconds"])
            )
            for line in csv.DictReader(file)
        }


class Effect(NamedTuple):
    """A technique beside its control.

    Attributes:
        values: the technique's scores, over seeds.
        control: the control's.
        failed: the number of runs without a score.
        difference: technique minus control, the mean over seeds that both have a score for; None for none.
        interval: the 95 % confidence interval of the difference; None for fewer than two seeds.
    """

    values: list[float]
    control: list[float]
    failed: int
    difference: float | None
    interval: tuple[float, float] | None


def effect(name: str, score: str, record: Record) -> Effect:
    """Return what a technique changes of a score."""
    control = ROWS[name].control or name
    of = {seed: record[name, seed].scores.get(score) for seed in SEEDS if (name, seed) in record}
    values = {seed: value for seed, value in of.items() if value is not None}
    others = {seed: record[control, seed].scores[score] for seed in SEEDS if score in _scores(control, seed, record)}
    pairs = [(value, others[seed]) for seed, value in values.items() if seed in others]
    difference = fmean(a - b for a, b in pairs) if pairs else None
    interval = None
    if len(pairs) > 1 and control != name:
        low, high = ttest_rel(*zip(*pairs, strict=True)).confidence_interval(0.95)
        interval = (float(low), float(high))
    return Effect(list(values.values()), list(others.values()), len(of) - len(values), difference, interval)


def _scores(name: str, seed: int, record: Record) -> dict[str, float]:
    return record[name, seed].scores if (name, seed) in record else {}


def times(name: str, record: Record) -> float | None:
    """Return how often the control's CPU time of training a technique takes, over the seeds that both have."""
    control = ROWS[name].control or name
    seeds = [seed for seed in SEEDS if (name, seed) in record and (control, seed) in record]
    if not seeds or (START, SEEDS[0]) not in record:
        return None
    start = record[START, SEEDS[0]].cpu_seconds
    training = {row: sum(record[row, seed].cpu_seconds - start for seed in seeds) for row in (name, control)}
    return training[name] / training[control]


def spread(values: list[float]) -> str:
    """Return mean ± standard deviation, to three digits."""
    if not values:
        return "none"
    return f"{fmean(values):.3g} ± {stdev(values):.2g}" if len(values) > 1 else f"{values[0]:.3g}"


def between(interval: tuple[float, float] | None) -> str:
    """Return an interval in brackets."""
    return f"[{interval[0]:+.3g}, {interval[1]:+.3g}]" if interval is not None else "none"


def verdict(interval: tuple[float, float] | None) -> str:
    """Return what an interval of differences of a score of which less is better tells."""
    if interval is None:
        return "too few runs"
    low, high = interval
    return "lower" if high < 0 else "higher" if low > 0 else "not told apart"


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
            verdict(fid.interval),
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
That is the [README](../../README.md)'s first run made small. So far {runs} of {all} runs have been made.

How to read it:

* *n* is the number of seeds. FID and KID are mean ± standard deviation over seeds; less is better of both.
* The *difference* is technique minus control, paired by seed, with a 95 % interval by Student's t on n - 1 degrees of
  freedom. The control is the baseline. Penalties on the gradient at a sample cannot stand beside the batch norm of the
  baseline's discriminator, and are compared with the baseline with layer norm; `q_head` with the baseline on latents
  with codes.
* *FID is* "lower" or "higher" where the interval leaves out zero, and "not told apart" where it does not: that is no
  finding that the technique does nothing, only that so few seeds of so short a training do not show it. One seed has
  no interval and tells nothing apart. {chance}
* *time* is the CPU time of training as a multiple of the control's, for the same number of generator updates. How far
  `minimax` and `hinge`, which cost what the baseline does, are from 1 says how exact it is on a busy machine.
* What it says is about one small network, 1,442 digits of 16 pixels and 400 steps, with each technique's default
  settings. Techniques that pay off late (averages over thousands of steps, decay to zero, penalties that keep long
  runs from falling apart) cannot do so here. Before you choose by it, repeat it on your own data.

"""


def page(record: Record) -> str:
    """Return the page, from all runs so far."""
    done = [name for name in ROWS if (name, SEEDS[0]) in record]
    compared = [name for name in done if ROWS[name].control is not None]
    intervals = sum(effect(name, SCORES[0], record).interval is not None for name in compared)
    text = INTRODUCTION.format(
        command=" ".join([*BASELINE, *SETTING]),
        runs=len([key for key in record if key[0] != START]),
        all=len(ROWS) * len(SEEDS),
        chance=(
            f"Of {intervals} intervals at 95 % about {round(0.05 * intervals)} would leave out zero by chance alone."
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
    if not any((name, seed) in record for seed in SEEDS):
        return f"* `{name}`: not measured yet."
    if fid.difference is None or factor is None:
        return f"* `{name}`: no run came to a score."
    failed = f"; {fid.failed} further failed" if fid.failed else ""
    certain = f", 95 % interval {between(fid.interval)}" if fid.interval is not None else ""
    return (
        f"* `{name}`: FID {spread(fid.values)} (n = {len(fid.values)}{failed}), and {spread(fid.control)} of "
        f"`{control}`; difference {fid.difference:+.3g}{certain}: {verdict(fid.interval)}. Training took "
        f"{factor:.2f} times the CPU time."
    )


if __name__ == "__main__":
    main()
