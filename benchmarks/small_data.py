"""What augmentation, noise and a regulariser do for a discriminator that sees 200 images.

    python benchmarks/small_data.py --images cifar10.tar.xz     # an archive of train/CLASS/NAME.jpg and test/CLASS/...
    python benchmarks/small_data.py --jobs 16 --seconds 300     # sixteen at a time, for five minutes
    python benchmarks/small_data.py --write                     # no run: only the page and its figure

The archive's images are needed once; what is used of them lies in `outputs/small_data`, or in the folder that
SMALL_DATA names. Each run is a process of its own with one thread, and a line of `docs/results/small_data.csv`; what
has a line is not run again.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from evidence.archive import archived
from evidence.job import ROOT, Job
from evidence.options import known, parser
from evidence.record import RecordFile
from evidence.running import run_all
from evidence.small_data import DATA, ROWS, SCORES, SETTING, measure
from evidence.small_data_page import draw, page

RECORD = ROOT / "docs" / "results" / "small_data.csv"
PAGE = ROOT / "docs" / "results" / "small_data.md"
FIGURE = ROOT / "docs" / "figures" / "small_data.png"

FEW, MANY, HELD_OUT = 20, 1000, 200
"""Images of each class: to train on, for the features of scores, and held out."""
PIXELS = 16


def main() -> None:
    """Run what is asked for and has no line yet, then write the page."""
    options = parser(__doc__, ROWS, RECORD)
    options.add_argument("--images", type=Path, help="the archive of images, where there are none yet")
    asked = options.parse_args()
    known(options, asked.names, ROWS)
    if not asked.write:
        if asked.images is not None:
            unpack(asked.images, DATA)
        if not (DATA / "few.npz").exists():
            sys.exit(f"{DATA} holds no few.npz: --images names an archive of train/CLASS/NAME.jpg, test/CLASS/NAME.jpg")
        run_all(jobs(asked.record, range(asked.seeds), asked.names), asked.jobs, asked.seconds)
    write(asked.record)


def jobs(record: Path, seeds: Iterable[int], names: Iterable[str] = ()) -> list[Job]:
    """Return the runs that have no line in the record yet, seed by seed."""
    file = RecordFile(record, SCORES)
    done = file.read()
    wanted = list(names) or list(ROWS)
    return [
        Job(f"{name}, seed {seed}", (*SETTING, *ROWS[name], f"seed={seed}"), partial(file.add, name, seed), measure)
        for seed in seeds
        for name in wanted
        if (name, seed) not in done
    ]


def write(record: Path) -> None:
    """Write the page of a record and its figure."""
    found = RecordFile(record, SCORES).read()
    draw(found, FIGURE)
    PAGE.write_text(page(found))


def unpack(archive: Path, folder: Path) -> None:
    """Keep the first images of each class, made smaller, as arrays."""
    import numpy as np

    kept = images(archive, {"train": FEW + MANY, "test": HELD_OUT})
    train, test = kept["train"], kept["test"]
    parts = {"few": cut(train, 0, FEW), "features": cut(train, FEW, FEW + MANY), "held_out": cut(test, 0, HELD_OUT)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        x = np.stack([image for of_class in part.values() for image in of_class])
        y = np.array([number for number, of_class in enumerate(part.values()) for _ in of_class])
        order = np.random.default_rng(0).permutation(len(x))
        np.savez(folder / f"{name}.npz", x=x[order], y=y[order])


def cut(images: dict[str, list[object]], first: int, last: int) -> dict[str, list[object]]:
    """Return a range of the images of each class, the classes in order."""
    return {name: images[name][first:last] for name in sorted(images)}


def images(archive: Path, count: dict[str, int]) -> dict[str, dict[str, list[object]]]:
    """Return so many images of each class of each split, uint8 (16, 16, 3)."""
    import numpy as np
    from PIL import Image

    found: dict[str, dict[str, list[object]]] = {split: {} for split in count}
    seen: Counter[tuple[str, str]] = Counter()
    for image in archived(archive):
        split, name = image.split, image.kind
        if seen[split, name] < count[split]:
            seen[split, name] += 1
            picture = image.decoded().resize((PIXELS, PIXELS), Image.Resampling.BOX)
            found[split].setdefault(name, []).append(np.asarray(picture))
    return found


if __name__ == "__main__":
    main()
