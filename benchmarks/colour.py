"""How far systems come with CIFAR-10 in the same time: real colour images, scored with real ImageNet features.

    python benchmarks/colour.py --images cifar10.tar.xz --minutes 60          # one after another, an hour each
    python benchmarks/colour.py --images cifar10.npz --minutes 5 --jobs 12 \
        --option train.precision=tf32 --option train.cuda_graph=true          # twelve at a time, on one GPU
    python benchmarks/colour.py --write                                       # no run: only the page

The archive holds train/CLASS/NAME.jpg. Each run is the real program, stopped after its time, which on a CPU is what it
has computed, whatever else the machine does, and scored by `gan-framework evaluate`: FID with
`extractor=efficientnet_lite0` (ImageNet weights from a package) of 5,000 samples against the images it was trained on.
Beside them stand what other real images and noise score. A run is a line of `docs/results/colour.csv`; what has a line
is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from evidence.archive import archived
from evidence.lines import add, read
from evidence.options import known, parser

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "docs" / "results" / "colour.csv"
PAGE = ROOT / "docs" / "results" / "colour.md"
PICTURES = ROOT / "docs" / "figures" / "results"
COLUMNS = ("system", "seed", "on", "minutes", "steps", "images_seen", "fid", "held_out", "noise")
PROGRAM = (sys.executable, "-c", "import sys; from gan_framework.cli.commands import main; sys.exit(main())")
"""The program `gan-framework`, by whatever Python runs this."""
FID = "fid_efficientnet_lite0"

SYSTEMS = {
    "dcgan": ("experiment=dcgan", "train.steps=1000000", "strategy=[ema]"),
    "sngan": (
        *("experiment=resnet", "strategy.k_step.g_batches=1"),
        *("networks.generator.width=128", "networks.discriminator.width=64"),
    ),
    "wgan_gp": ("experiment=wgan_gp", "train.steps=1000000"),
    "dcgan_r3gan": ("experiment=dcgan_r3gan",),
    "r3gan": (
        "experiment=r3gan",
        "networks.generator.width=48",
        "networks.discriminator.width=48",
        "train.steps=10000",
    ),
    "stylegan2": (
        "experiment=stylegan2",
        *("networks.generator.base=2048", "networks.generator.most=128"),
        *("networks.discriminator.base=2048", "networks.discriminator.most=128"),
        "terms.r1.weight=0.01",
    ),
}
"""What follows `python run.py`; networks of a width that two cores can train for an hour."""
COMMON = (
    *("data=npz", "data.image_size=32", "data.channels=3", "data.test_share=0.1", "data.flip=true"),
    *("tracker=[]", "metrics=[]", "train.log_every=100", "train.sample_every=500", "train.checkpoint_every=0"),
)
SCORING = (
    *("extractor=efficientnet_lite0", "metrics=[fid]"),
    *("evaluate.samples=5000", "evaluate.reference=10000", "evaluate.batch_size=250"),
)


@dataclass(frozen=True)
class Run:
    """One run: a system, a seed, and how long it may train."""

    system: str
    seed: int
    minutes: float
    images: Path
    options: Sequence[str]

    def __call__(self) -> dict[str, object]:
        """Train, stop, score; return a line of the record."""
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "run"
            words = [*SYSTEMS[self.system], *COMMON, f"data.path={self.images}", f"seed={self.seed}", *self.options]
            summary = self._train(words, folder)
            subprocess.run([*PROGRAM, "evaluate", str(folder), *SCORING], cwd=ROOT, check=True)
            found = json.loads((folder / "evaluation.json").read_text())
            if self.seed == 0:
                picture = PICTURES / f"colour_{self.system}.png"
                subprocess.run([*PROGRAM, "sample", str(folder), "--out", str(picture)], cwd=ROOT, check=True)
        return {
            "system": self.system,
            "seed": self.seed,
            "on": on(),
            "minutes": self.minutes,
            "steps": summary["step"],
            "images_seen": summary["images_seen"],
            "fid": found["scores"][FID],
            "held_out": found["baselines"][FID]["real"],
            "noise": found["baselines"][FID]["noise"],
        }

    def _train(self, words: Sequence[str], folder: Path) -> dict[str, object]:
        run = subprocess.Popen([sys.executable, "run.py", *words, f"hydra.run.dir={folder}"], cwd=ROOT)
        try:
            lines = folder / "metrics.jsonl"
            while run.poll() is None and not (lines.exists() and lines.stat().st_size):
                time.sleep(0.1)
            until = spent(run.pid) + 60 * self.minutes
            while run.poll() is None and spent(run.pid) < until:
                time.sleep(0.1)
            if run.poll() is None:
                run.send_signal(signal.SIGTERM)
            if run.wait() not in (0, 3):
                raise RuntimeError(f"{self.system}, seed {self.seed}: the run ended with code {run.returncode}")
        finally:
            run.kill()
        summary: dict[str, object] = json.loads((folder / "summary.json").read_text())
        return summary


def main() -> None:
    """Run what is asked for and has no line yet, then write the page."""
    options = parser(__doc__, SYSTEMS, RECORD)
    options.add_argument("--images", type=Path, help="an archive, or an .npz file of x uint8 (N, 32, 32, 3)")
    options.add_argument("--minutes", type=float, default=60.0, help="of training, from the first line of figures")
    options.add_argument("--option", action="append", default=[], help="of every run: train.precision=bf16")
    asked = options.parse_args()
    known(options, asked.names, SYSTEMS)
    if not asked.write:
        if asked.images is None:
            options.error("--images names the archive of images, or an .npz file of them")
        carry_out(asked.record, asked.names or SYSTEMS, range(asked.seeds), asked)
    PAGE.write_text(page(read(asked.record)))


def carry_out(record: Path, names: Iterable[str], seeds: Iterable[int], asked: argparse.Namespace) -> None:
    """Run what has no line in the record yet; a run that fails is named, and keeps no other from its end."""
    with tempfile.TemporaryDirectory() as temporary:
        images = Path(asked.images).resolve()
        if images.suffix != ".npz":
            images = unpacked(images, Path(temporary) / "images.npz")
        done = {(line["system"], int(line["seed"])) for line in read(record)}
        runs = [
            Run(name, seed, asked.minutes, images, asked.option)
            for seed in seeds
            for name in names
            if (name, seed) not in done
        ]
        with ThreadPoolExecutor(asked.jobs) as pool:
            begun = {pool.submit(run): run for run in runs}
            for ended in as_completed(begun):
                try:
                    add(record, COLUMNS, [ended.result()])
                except (RuntimeError, subprocess.CalledProcessError, KeyError, OSError) as error:
                    print(f"{begun[ended].system}, seed {begun[ended].seed}: {error!r}", flush=True)


def unpacked(archive: Path, target: Path) -> Path:
    """Write the training images of an archive as arrays."""
    import numpy as np

    images, names = [], []
    for image in archived(archive):
        if image.split == "train":
            images.append(np.asarray(image.decoded()))
            names.append(image.kind)
    classes = sorted(set(names))
    order = np.random.default_rng(0).permutation(len(images))
    np.savez(target, x=np.stack(images)[order], y=np.array([classes.index(name) for name in names])[order])
    return target


def spent(pid: int) -> float:
    """Return the seconds that a process has computed, on a CPU alone; those that have passed, elsewhere."""
    import torch

    if torch.cuda.is_available() or not Path("/proc/self/stat").exists():
        return time.monotonic()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return math.inf  # it has ended
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def on() -> str:
    """Return what a run computes on, in words."""
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, shared by all runs"
    return "one CPU thread"


def page(lines: list[dict[str, str]]) -> str:
    """Return the page of a record."""
    rows, pictures = [], []
    systems = dict.fromkeys(line["system"] for line in lines)
    lines_of = {name: [line for line in lines if line["system"] == name] for name in systems}
    fids = {name: [float(line["fid"]) for line in own] for name, own in lines_of.items()}
    for name in sorted(systems, key=lambda name: (lines_of[name][0]["on"], statistics.fmean(fids[name]))):
        own = lines_of[name]
        spread = f" ± {statistics.stdev(fids[name]):.2g}" if len(own) > 1 else ""
        steps = " and ".join(f"{int(line['steps']):,}" for line in own)
        seen = statistics.fmean(float(line["images_seen"]) for line in own) / 1e6
        trained = " and ".join(dict.fromkeys(f"{float(line['minutes']):g} min, {line['on']}" for line in own))
        score = f"{statistics.fmean(fids[name]):.1f}{spread}"
        rows.append(f"| `{name}` | {trained} | {steps} | {seen:.2f} | {len(own)} | {score} |")
        if (PICTURES / f"colour_{name}.png").exists():
            pictures.append(f"`{name}`, seed 0:\n\n![samples of {name}](../figures/results/colour_{name}.png)\n")
    known_lines = [(f"{float(line['held_out']):.1f}", f"{float(line['noise']):.0f}") for line in lines]
    held_out, noise = known_lines[0] if known_lines else ("", "")
    return HEAD.format(
        held_out=held_out,
        noise=noise,
        rows="\n".join(rows),
        commands="\n".join(f"    {name}: {shlex.join(SYSTEMS[name])}" for name in systems),
        common=shlex.join(word for word in COMMON if not word.startswith(("tracker", "metrics", "train."))),
        pictures="\n".join(pictures),
    )


HEAD = """# Colour images

Written by `benchmarks/colour.py`: systems trained on 45,000 images of CIFAR-10, recompressed as JPEG, for some minutes
each. The networks are narrower than those of the papers, and minutes are not days: the table says how systems compare
that had the same time on the same device, not what they come to; rows of different devices do not compare. FID uses
`extractor=efficientnet_lite0`, whose numbers do not compare with those of Inception, of 5,000 samples against 10,000
images of the training data. The 5,000 held-out images score {held_out}, noise {noise}.

| system | time | steps | million images seen | seeds | FID |
| --- | --- | --- | --- | --- | --- |
{rows}

What follows `python run.py {common} data.path=cifar10.npz seed=0`:

{commands}

{pictures}"""


if __name__ == "__main__":
    main()
