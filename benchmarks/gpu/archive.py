"""Makes the `.npz` that `data=npz` reads from an archive of `train/CLASS/NAME.jpg`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from evidence.archive import archived

from gpu.part import Part


def measure(part: Part) -> None:
    """Decode the images of the training split."""
    source, target = map(Path, part.arguments)
    images, names = [], []
    for image in archived(source):
        if image.split == "train":
            images.append(np.asarray(image.decoded()))
            names.append(image.kind)
    classes = {name: number for number, name in enumerate(sorted(set(names)))}
    chosen = np.random.default_rng(0).permutation(len(images))[: part.sizes.run_images]
    x, y = np.stack(images)[chosen], np.array([classes[name] for name in names])[chosen]
    np.savez(target, x=x, y=y)
    part.add(images=len(x), classes=len(classes), bytes=source.stat().st_size)
