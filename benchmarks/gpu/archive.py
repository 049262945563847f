"""Makes the `.npz` that `data=npz` reads from an archive of `train/CLASS/NAME.jpg`."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from gpu.part import Part


def measure(part: Part) -> None:
    """Decode the images of the training split."""
    source, target = map(Path, part.arguments)
    images, names = [], []
    with tarfile.open(source) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if not member.isfile() or path.suffix != ".jpg" or path.parts[-3] != "train":
                continue
            file = archive.extractfile(member)
            assert file is not None
            images.append(np.asarray(Image.open(io.BytesIO(file.read())).convert("RGB")))
            names.append(path.parts[-2])
    classes = {name: number for number, name in enumerate(sorted(set(names)))}
    chosen = np.random.default_rng(0).permutation(len(images))[: part.sizes.run_images]
    x, y = np.stack(images)[chosen], np.array([classes[name] for name in names])[chosen]
    np.savez(target, x=x, y=y)
    part.add(images=len(x), classes=len(classes), bytes=source.stat().st_size)
