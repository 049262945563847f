"""Trains experiments for a short while and keeps a grid of each one's samples for the documentation's gallery.

    python benchmarks/gallery.py                                # all that have no picture yet, cheap ones first
    python benchmarks/gallery.py --jobs 16 --seconds 300        # sixteen at a time, for five minutes
    python benchmarks/gallery.py dcgan wgan_gp                  # these, again
    python benchmarks/gallery.py --mnist mnist10k.npz           # the file's images in the place of data=mnist

Each picture is `docs/gallery/NAME.png`; how it was made stands in `docs/gallery/gallery.json`. The runs lie under
`outputs/gallery`. A run that was interrupted goes on; one that was stopped, after `--minutes` or at the end, leaves its
newest picture; one that failed is reported and passed over.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from evidence import papers
from evidence.job import ROOT, Job, Outcome
from evidence.options import known, parser
from evidence.running import run_all

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

SMALL = ("data.image_size=16", "train.batch_size=64")

FEW = ("train.batch_size=32",)


def narrow(*names: str, width: int = 16) -> tuple[str, ...]:
    """Return the overrides that give networks few channels."""
    return tuple(f"networks.{name}.width={width}" for name in names)


PAIR = narrow("generator", "discriminator")
ENCODED = narrow("generator", "encoder", "discriminator")
DOMAINS = tuple(f"{role}_{domain}" for role in ("generator", "discriminator") for domain in "ab")

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
    "dcgan_r3gan": Row(800),
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
    "rpgan": Row(300, (NARROW[0], "networks.discriminator.width=8", "train.batch_size=64")),
    "resnet": Row(150, (*NARROW, "train.batch_size=32")),
    "resnet_projection": Row(150, (*NARROW, "train.batch_size=32")),
    "pix2pix": Row(1000, PAIR, data=None),
    "srgan": Row(1000, PAIR, data=None),
    "cyclegan": Row(400, data=None),
    "stargan": Row(250, PAIR[1:], data=None),
    "gan_cls": Row(1500, (*PAIR, *FEW), data=None),
    "context_encoder": Row(1000, PAIR, data=None),
    "gan_3d": Row(800, (*PAIR, *FEW), data=None),
    "acgan": Row(2000, PAIR),
    "catgan": Row(2000, FEW),
    "ppgn": Row(1500, (*ENCODED, *FEW)),
    "bigan_conv": Row(1000, ("data.image_size=32", *ENCODED, *FEW)),
    "cogan": Row(900, narrow(*DOMAINS)),
    "gawwn_box": Row(350, (*PAIR, *FEW), data=None),
    "genegan": Row(800, (*narrow("generator", "discriminator_marked", "discriminator_plain"), *FEW), data=None),
    "bicyclegan": Row(900, data=None),
    "mocogan": Row(500, narrow("generator", "discriminator", "discriminator_frames"), data=None),
    "gmmn": Row(6000, FEW),
    "munit": Row(300, data=None),
    "discogan": Row(400, narrow("generator_ab", "generator_ba", "discriminator_a", "discriminator_b"), data=None),
    "pixelda": Row(500, data=None),
    "deligan": Row(1000, ("networks.generator.of.width=16", *FEW)),
    "triple_gan": Row(900, FEW),
    "ss_infogan": Row(600, (*narrow("generator", "discriminator", "q"), *FEW)),
    "lapgan": Row(
        500,
        (
            "data.image_size=32",
            *narrow(*(f"{role}_{level}" for role in ("generator", "discriminator") for level in (1, 2))),
        ),
    ),
    "ali": Row(300, ("data.image_size=32", *ENCODED, *FEW)),
    "bigan": Row(1000, FEW),
    "sagan": Row(300, ("data.image_size=32", *PAIR, *FEW)),
}
"""The experiments that need other settings than those of `row`."""

WITHOUT = ("cgan_vectors",)
"""What these generate are vectors, no pictures."""


def row(name: str) -> Row:
    """Return how an experiment is trained.

    One that is new is given a thousand steps, on its own data or on MNIST; on MNIST of 16 pixels, with narrow networks,
    where it is DCGAN's.
    """
    if name in ROWS:
        return ROWS[name]
    text = said(name)
    if "override /data:" in text:
        return Row(1000, data=None)
    if not re.search(r"override /model: dcgan(_conditional)?\n", text):
        return Row(1000)
    return Row(1000, (*SMALL, *(NARROW[:1] if "discriminator: twin\n" in text else NARROW)))


def said(name: str) -> str:
    """Return the text of an experiment and of those that it is made of."""
    text = (EXPERIMENTS / f"{name}.yaml").read_text()
    return text + "".join(said(base) for base in re.findall(r"^  - (\w+)$", text, re.MULTILINE) if base != "_self_")


def experiments() -> list[str]:
    """Return all experiments that can have a picture, those with rows first, in their order."""
    there = {path.stem for path in EXPERIMENTS.glob("*.yaml")} - {*WITHOUT}
    return [name for name in ROWS if name in there] + sorted(there - ROWS.keys())


def main() -> None:
    """Train what is asked for."""
    options = parser(__doc__, experiments())
    options.add_argument("--mnist", type=Path, help="an .npz file with images `x` and labels `y`, for data=mnist")
    options.add_argument("--minutes", type=float, help="after so many a run is stopped, and its newest picture taken")
    asked = options.parse_args()
    known(options, asked.names, experiments())
    limit = asked.minutes and 60 * asked.minutes
    run_all(jobs(asked.names or missing(), asked.mnist, limit), asked.jobs, asked.seconds)
    papers.renew()


def records() -> dict[str, dict[str, Any]]:
    """Return how the pictures that there are were made, by experiment."""
    return json.loads(RECORDS.read_text()) if RECORDS.exists() else {}


def missing() -> list[str]:
    """Return the experiments that have no picture."""
    return [name for name in experiments() if not (GALLERY / f"{name}.png").exists()]


def jobs(names: Iterable[str], mnist: Path | None, limit: float | None = None, gallery: Path = GALLERY) -> list[Job]:
    """Return the runs that draw experiments.

    Args:
        names: of the experiments.
        mnist: a file of images in the place of `data=mnist`.
        limit: seconds after which a run is stopped.
        gallery: the folder of the pictures.
    """
    return [job(name, mnist, limit, gallery) for name in names]


def job(name: str, mnist: Path | None, limit: float | None, gallery: Path) -> Job:
    """Return the run that draws an experiment, of which ten pictures are made while it lasts."""
    how = row(name)
    data = [f"data={how.data}"] if how.data else []
    shown = [f"experiment={name}", *data, *how.overrides, f"train.steps={how.steps}"]
    own = images = None
    if how.data == "mnist" and mnist is not None:
        images = count(mnist)
        own = ["data=npz", f"data.path={mnist.resolve()}"]
        own += [] if any(text.startswith("data.image_size=") for text in how.overrides) else ["data.image_size=28"]
    every = max(how.steps // 10, 1)
    overrides = [shown[0], *(own or data), *shown[1 + len(data) :], "train.threads=1", f"train.sample_every={every}"]
    overrides += [f"train.checkpoint_every={every}", "evaluate.samples=5000", "tracker=[]"]
    return Job(name, tuple(overrides), partial(keep, name, shown, images, gallery), folder=RUNS / name, limit=limit)


def keep(name: str, shown: list[str], images: int | None, gallery: Path, outcome: Outcome) -> None:
    """Keep an experiment's newest grid, and how it was made."""
    pictures = sorted((outcome.folder / "samples").glob("*.png"))
    if outcome.status not in ("finished", "stopped") or not pictures:
        print(f"{name}: {outcome.status} without a picture; see {outcome.folder}/run.log\n{outcome.output[-500:]}")
        return
    steps = int(pictures[-1].stem.rpartition("_")[2])
    if not steps:
        return
    record = {
        "command": shlex.join(["python", "run.py", *shown]),
        "data": f"{images:,} images of MNIST" if images else None,
        "steps": steps,
        "of": yaml.safe_load((outcome.folder / "config.yaml").read_text())["train"]["steps"],
        "minutes": round(outcome.cpu_seconds / 60, 1),
        "threads": 1,
        "scores": outcome.scores,
    }
    add(gallery, name, pictures[-1], record)


def add(gallery: Path, name: str, picture: Path, record: dict[str, Any]) -> None:
    """Put a picture into a gallery, and how it was made into its records."""
    gallery.mkdir(parents=True, exist_ok=True)
    (gallery / f"{name}.png").write_bytes(small(picture))
    file = gallery / RECORDS.name
    there = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(dict(sorted((there | {name: record}).items())), indent=1) + "\n")


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
