"""Trains experiments for a short while and keeps a grid of each one's samples for the documentation's gallery.

    python benchmarks/gallery.py                                # all that have no picture yet, cheap ones first
    python benchmarks/gallery.py dcgan wgan_gp                  # these, again
    python benchmarks/gallery.py --mnist mnist10k.npz           # the file's images in the place of data=mnist

Each picture is `docs/gallery/NAME.png`; how it was made stands in `docs/gallery/gallery.json`. The runs lie under
`outputs/gallery`. A run that was interrupted goes on, and one that failed is reported and passed over.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
EXPERIMENTS = ROOT / "conf" / "experiment"
RUNS = ROOT / "outputs" / "gallery"
GALLERY = ROOT / "docs" / "gallery"
RECORDS = GALLERY / "gallery.json"
MOST_BYTES = 60_000
"""What a picture in the repository may have."""


@dataclass(frozen=True)
class Row:
    """How an experiment is trained for the gallery.

    Attributes:
        steps: how long.
        overrides: what else follows `experiment=NAME`.
        data: the option of `data` it is trained on; None for the experiment's own.
    """

    steps: int
    overrides: tuple[str, ...] = ()
    data: str | None = "mnist"


NARROW = ("networks.generator.width=32", "networks.discriminator.width=32")
"""Convolutions of a quarter of the channels or less, for a machine without a GPU."""

ROWS = {
    "bilinear": Row(200, data=None),
    "gaussian_1d": Row(500, data=None),
    "mlp": Row(6000),
    "autoencoder": Row(2000),
    "denoising_autoencoder": Row(2000),
    "vae": Row(6000),
    "vae_gan_start": Row(6000),
    "dcgan": Row(2000, (*NARROW, "train.batch_size=64")),
    "cgan_mlp": Row(20000),
    "mixture_2d": Row(10000, data=None),
    "lsgan": Row(2000),
    "wgan_gp": Row(500),
    "infogan_mlp": Row(6000),
    "dragan": Row(1000),
    "wgan": Row(600),
    "r3gan": Row(800),
    "cgan_mlp_tanh": Row(10000),
    "infogan": Row(
        3000, (*NARROW, "networks.generator.hidden=256", "networks.discriminator.hidden=256", "train.batch_size=64")
    ),
    "dcgan_conditional": Row(2000, NARROW),
    "autoencoder_conv_unpool": Row(400),
    "autoencoder_conv_upsample": Row(400),
    "conv": Row(1000),
    "conv_pretrained": Row(1000),
    "cgan_maxout": Row(3000),
    "infogan_tutorial": Row(800),
    "mixture_2d_unrolled": Row(10000, data=None),
    "acgan": Row(800, NARROW),
    "resnet": Row(150, (*NARROW, "train.batch_size=32")),
    "resnet_projection": Row(150, (*NARROW, "train.batch_size=32")),
}
"""The experiments that need other settings than those of `row`."""

WITHOUT = ("cgan_vectors",)
"""What these generate are vectors, no pictures."""


def row(name: str) -> Row:
    """Return how an experiment is trained; one that is new is given a thousand steps on MNIST or on its own data."""
    if name in ROWS:
        return ROWS[name]
    own = "override /data:" in (EXPERIMENTS / f"{name}.yaml").read_text()
    return Row(1000, data=None if own else "mnist")


def experiments() -> list[str]:
    """Return all experiments that can have a picture, those with rows first, in their order."""
    there = {path.stem for path in EXPERIMENTS.glob("*.yaml")} - {*WITHOUT}
    return [name for name in ROWS if name in there] + sorted(there - ROWS.keys())


def main() -> None:
    """Train what is asked for, one experiment after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"experiments: {', '.join(experiments())}")
    parser.add_argument("--mnist", type=Path, help="an .npz file with images `x` and labels `y`, for data=mnist")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of a run")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in experiments()]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; choose from {', '.join(experiments())}")
    failed = [name for name in asked.names or missing() if not make(name, asked.mnist, asked.threads)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; see run.log under {RUNS}")


def records() -> dict[str, dict[str, Any]]:
    """Return how the pictures that there are were made, by experiment."""
    return json.loads(RECORDS.read_text()) if RECORDS.exists() else {}


def missing() -> list[str]:
    """Return the experiments that have no picture."""
    return [name for name in experiments() if not (GALLERY / f"{name}.png").exists()]


def make(name: str, mnist: Path | None, threads: int) -> bool:
    """Train an experiment and keep its last grid; return whether that went well."""
    how = row(name)
    data = [f"data={how.data}"] if how.data else []
    shown = [f"experiment={name}", *data, *how.overrides, f"train.steps={how.steps}"]
    images = None
    run = RUNS / name
    command = [*shown, f"train.threads={threads}", f"train.sample_every={how.steps}", "evaluate.samples=5000"]
    command += ["tracker=[]", f"hydra.run.dir={run}"]
    if how.data == "mnist" and mnist is not None:
        images = count(mnist)
        command[1:2] = ["data=npz", f"data.path={mnist.resolve()}", "data.image_size=28"]
    print(f"{name}: {' '.join(command)}", flush=True)
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    if subprocess.run([sys.executable, "run.py", *command], cwd=ROOT, env=environment).returncode:
        return False
    summary = json.loads((run / "summary.json").read_text())
    picture = max((run / "samples").glob("*.png"))
    GALLERY.mkdir(parents=True, exist_ok=True)
    (GALLERY / f"{name}.png").write_bytes(small(picture))
    scores = {key.removeprefix("eval/"): value for key, value in summary["metrics"].items() if key.startswith("eval/")}
    record = {
        "command": shlex.join(["python", "run.py", *shown]),
        "data": f"{images:,} images of MNIST" if images else None,
        "steps": summary["step"],
        "minutes": round(summary["seconds"] / 60, 1),
        "threads": threads,
        "scores": scores,
    }
    RECORDS.write_text(json.dumps(dict(sorted((records() | {name: record}).items())), indent=1) + "\n")
    return True


def count(path: Path) -> int:
    """Return how many images an .npz file holds."""
    import numpy

    with numpy.load(path) as arrays:
        return len(arrays["x"])


def small(path: Path) -> bytes:
    """Return a picture as PNG of at most `MOST_BYTES`, with fewer colours where that is needed."""
    from PIL import Image

    colours: int | None = None
    with Image.open(path) as opened:
        image = opened.convert("RGB") if opened.mode not in ("L", "RGB") else opened.copy()
    while True:
        kept = BytesIO()
        (image if colours is None else image.quantize(colours)).save(kept, "PNG", optimize=True)
        if kept.tell() <= MOST_BYTES:
            return kept.getvalue()
        colours = 256 if colours is None else colours // 2
        if colours < 8:
            image, colours = image.resize((image.width * 3 // 4, image.height * 3 // 4)), None


if __name__ == "__main__":
    main()
