"""The page of the study of few images, and its figure."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

from evidence.comparison import between, compare, direction, spread
from evidence.record import Found, Record
from evidence.small_data import CONTROL, LOOKS, QUALITY, ROWS, SETTING, SIDES, STEPS

HEADER = (
    "| | what it adds | n | training images taken for real | held-out ones | the gap is "
    "| its difference, 95 % interval | FID | its difference, 95 % interval | FID is | KID |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)

INTRODUCTION = """# Few images: what a discriminator knows by heart

Measured by `python benchmarks/small_data.py`, which wrote this page from `docs/results/small_data.csv`, a line for each
run: 200 images of CIFAR-10, 20 of each class, at 16 pixels, {steps:,} steps of 32. 2,000 other images are held out. A
discriminator that has learnt what images look like takes as many of them for real as of those that it was trained on;
one that knows its own by heart does not.

![The shares of training and held-out images that D takes for real, over steps](../figures/small_data.png)

```
python run.py {command}
```

* Shares are those of the last step, mean ± standard deviation over seeds; the *gap* is training minus held-out. All 200
  and all 2,000 images are judged as they are, without augmentation or noise.
* FID and KID compare 2,000 samples with the held-out images, by the features of a classifier of 10,000 further images:
  less is better.
* Differences are to the first row, paired by seed, with a 95 % interval by Student's t; "not significantly
  different" where it contains zero.

"""


def page(record: Record) -> str:
    """Return the page, from all runs so far."""
    typed = [part for part in SETTING if part != "tracker=[]"]
    command = " ".join(part.partition("=")[0] + "=" + Path(part).name if "path=" in part else part for part in typed)
    lines = [*HEADER, *(line(name, record) for name in ROWS if any(run == name for run, _ in record))]
    return INTRODUCTION.format(steps=STEPS, command=command) + "\n".join(lines) + "\n"


def line(name: str, record: Record) -> str:
    """Return a row of the table."""
    train, held_out = (f"{side}_{LOOKS[-1]}" for side in SIDES)
    gap = compare(with_gap(record), name, CONTROL, "gap")
    fid, kid = (compare(record, name, CONTROL, score) for score in QUALITY)
    cells = [
        name,
        f"`{' '.join(ROWS[name])}`" if ROWS[name] else "",
        str(len(gap.values)) + (f", {gap.failed} failed" if gap.failed else ""),
        *(spread(compare(record, name, CONTROL, side).values) for side in (train, held_out)),
        "" if name == CONTROL else direction(gap.interval),
        "" if name == CONTROL else between(gap.interval),
        spread(fid.values),
        "" if name == CONTROL else between(fid.interval),
        "" if name == CONTROL else direction(fid.interval),
        spread(kid.values),
    ]
    return "| " + " | ".join(cells) + " |"


def with_gap(record: Record) -> Record:
    """Return the record with the last gap between training and held-out images as a score."""
    train, held_out = (f"{side}_{LOOKS[-1]}" for side in SIDES)
    return {
        run: Found({**found.scores, "gap": found.scores[train] - found.scores[held_out]}, found.cpu_seconds)
        if train in found.scores
        else found
        for run, found in record.items()
    }


def draw(record: Record, path: Path) -> None:
    """Draw the shares over steps, a panel for each row, the mean over seeds with a thin line for each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [name for name in ROWS if any(run == name for run, _ in record)]
    if not names:
        return
    figure = Figure(figsize=(2.2 * len(names), 2.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for panel, name in zip(panels, names, strict=True):
        for side, colour in zip(SIDES, ("tab:blue", "tab:orange"), strict=True):
            curves = [
                [found.scores[f"{side}_{step}"] for step in LOOKS]
                for (run, _), found in record.items()
                if run == name and all(f"{side}_{step}" in found.scores for step in LOOKS)
            ]
            for curve in curves:
                panel.plot(LOOKS, curve, color=colour, linewidth=0.5, alpha=0.5)
            if curves:
                means = [fmean(values) for values in zip(*curves, strict=True)]
                panel.plot(LOOKS, means, color=colour, label=side.replace("_", "-"))
        panel.set(title=name, ylim=(0, 1.02), xlabel="step")
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("taken for real")
    panels[0].legend(loc="lower left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
