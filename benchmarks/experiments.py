"""What every experiment comes to as it is, on its own data, when it may train for so many seconds.

    python benchmarks/experiments.py --jobs 2 --train-for 60             # seed 0 of each on the CPU
    python benchmarks/experiments.py --jobs 16 --seconds 300             # sixteen at a time, for five minutes
    python benchmarks/experiments.py dcgan wgan_gp --gallery             # pictures for those that the gallery lacks
    python benchmarks/experiments.py --write                             # no run: only the page

Each run is `python run.py experiment=NAME`, stopped after its time and scored by its own metrics, as are its networks
before any training, real samples and noise. Its scores become lines of `docs/results/experiments.csv`; what has a line
is not run again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import gallery
from evidence.experiments_page import page
from evidence.job import ROOT, Job, Outcome
from evidence.lines import add, read
from evidence.options import known, parser
from evidence.running import run_all

RECORD = ROOT / "docs" / "results" / "experiments.csv"
PAGE = ROOT / "docs" / "results" / "experiments.md"
COLUMNS = ("run", "seed", "on", "seconds", "steps", "of", "score", "better", "untrained", "trained", "real", "noise")
COMMON = ("train.threads=1", "tracker=[]", "evaluate.samples=0", "train.checkpoint_every=0", "train.sample_every=0")
SCORING = ("evaluate.samples=2000", "evaluate.reference=5000")
DRAWN = "drawn.png"
"""The picture of what a run has learnt, in its folder."""
GRACE = 90.0
"""Seconds that scoring may take."""

Line = dict[str, Any]


def experiments() -> list[str]:
    """Return the names of all experiments."""
    return sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


def main() -> None:
    """Run what is asked for and has no line yet, then write the page."""
    made = parser(__doc__, experiments(), RECORD)
    made.set_defaults(seeds=1)
    made.add_argument(
        "--train-for",
        type=float,
        default=20.0,
        help="seconds that each run trains, its start included; on a CPU of its processor time",
    )
    made.add_argument("--gallery", action="store_true", help="keep what those draw that have no picture in the gallery")
    asked = made.parse_args()
    known(made, asked.names, experiments())
    if not asked.write:
        wanted = asked.names or experiments()
        pictures = gallery.GALLERY if asked.gallery else None
        planned = jobs(asked.record, range(asked.seeds), wanted, asked.train_for, pictures)
        run_all(planned, asked.jobs, asked.seconds)
    PAGE.write_text(page(read(asked.record)))


def jobs(
    record: Path, seeds: Iterable[int], names: Iterable[str], train_for: float, pictures: Path | None
) -> list[Job]:
    """Return the runs that have no line in the record yet, seed by seed.

    Args:
        record: the file of the runs' lines.
        seeds: of each experiment.
        names: of the experiments.
        train_for: seconds that each run trains.
        pictures: the gallery, for those that it has no picture of; None for no pictures.
    """
    done = {(line["run"], int(line["seed"])) for line in read(record)}
    return [
        Job(
            f"{name}, seed {seed}",
            (f"experiment={name}", *COMMON, f"seed={seed}"),
            partial(take, record, pictures, name, seed, train_for),
            measure,
            limit=train_for + GRACE,
            train_for=train_for,
        )
        for seed in seeds
        for name in names
        if (name, seed) not in done
    ]


def measure(run: Path) -> dict[str, Any]:
    """Score a run by its experiment's own metrics, as trained and with the weights that it began with."""
    import torch

    from gan_framework.build import build_game
    from gan_framework.cli.evaluate import evaluator_for
    from gan_framework.cli.sample import Wanted, sample
    from gan_framework.core.records import DataShape
    from gan_framework.runs.device import choose_device
    from gan_framework.runs.restore import load

    device = choose_device("auto")
    game, state = load(run, device)
    if game.generates:
        wanted = Wanted(n=24, columns=8, seed=0, source=game.generates_from and "test")
        sample(run, wanted, [], "auto", run / DRAWN)
    if not state["config"]["metrics"]:
        return {"on": _name(device), "of": state["config"]["train"]["steps"]}
    evaluator, _, _ = evaluator_for(run, game, state, [*SCORING], device)
    trained = evaluator(game)
    torch.manual_seed(state["config"]["seed"])
    untrained = evaluator(build_game(state["config"], DataShape.of(state["shape"]), device))
    return {
        "on": _name(device),
        "of": state["config"]["train"]["steps"],
        "trained": trained.scores,
        "untrained": untrained.scores,
        "baselines": {name: (found.real, found.noise) for name, found in trained.baselines.items()},
        "higher_is_better": trained.higher_is_better,
    }


def _name(device: Any) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else "one CPU thread"


def take(record: Path, pictures: Path | None, name: str, seed: int, seconds: float, outcome: Outcome) -> None:
    """Add the lines of a run to a record, and its picture to a gallery that has none of it."""
    found: dict[str, Any] = outcome.scores
    if "on" not in found:
        print(f"{name}, seed {seed}: {outcome.status}, without scores\n{outcome.output[-1500:]}", flush=True)
        return
    summary = json.loads((outcome.folder / "summary.json").read_text())
    common = {
        "run": name,
        "seed": seed,
        "on": found["on"],
        "seconds": seconds,
        "steps": summary["step"],
        "of": found["of"],
    }
    add(record, COLUMNS, [common | line for line in lines(found) or [{}]])
    drawn = outcome.folder / DRAWN
    if pictures is not None and drawn.exists() and not (pictures / f"{name}.png").exists():
        gallery.add(pictures, name, drawn, how(name, common, found, outcome.cpu_seconds))


def how(name: str, common: Line, found: dict[str, Any], cpu_seconds: float) -> dict[str, Any]:
    """Return how a picture was made, as the gallery says it."""
    return {
        "command": f"python run.py experiment={name}",
        "data": None,
        "steps": common["steps"],
        "of": common["of"],
        "minutes": round(cpu_seconds / 60, 1),
        "threads": 1 if "CPU" in found["on"] else None,
        "scores": found.get("trained", {}),
    }


def lines(found: dict[str, Any]) -> list[Line]:
    """Return a line for each score that ranks, in their order."""
    return [
        {
            "score": name,
            "better": "higher" if found["higher_is_better"][name] else "lower",
            "untrained": found["untrained"].get(name),
            "trained": value,
            "real": found["baselines"].get(name, (None, None))[0],
            "noise": found["baselines"].get(name, (None, None))[1],
        }
        for name, value in found.get("trained", {}).items()
        if name in found["higher_is_better"]
    ]


if __name__ == "__main__":
    main()
