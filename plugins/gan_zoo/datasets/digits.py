"""The handwritten digits that ship with scikit-learn: the data that need no download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from gan_framework.api import DataShape, DataSource, Fit, InMemory
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.fitting import image_shape
from gan_zoo.datasets.stratified import stratified


class Digits(DataSource):
    """1,797 grey images of 8x8 pixels (Alpaydin & Kaynak 1998, UCI), resized to the wanted size.

    The splits are fixed and stratified: `train` has 1,442 images, `test` 355, `all` both.

    Args:
        image_size: height and width in pixels.
        channels: 1, or 3 for grey repeated.
        num_classes: 10.
    """

    classes = tuple("0123456789")

    def __init__(self, image_size: int, channels: int, num_classes: int | None) -> None:
        known_classes("digits", num_classes, len(self.classes))
        self.fit = Fit(image_shape(image_size, channels))
        self.shape = DataShape(self.fit.shape, len(self.classes))

    def load(self, split: str) -> InMemory:
        """Return a split: `train`, `test` or `all`."""
        known_split("digits", split, ("train", "test", "all"))
        table = torch.from_numpy(np.loadtxt(_file(), delimiter=",", dtype=np.int64))
        values, labels = table[:, :-1].reshape(-1, 8, 8), table[:, -1]  # whole numbers from 0 to 16
        return stratified((values * (255 / 16)).round().to(torch.uint8)[:, None], labels, split, self.fit)


def _file() -> Path:
    """Return scikit-learn's file; importing scikit-learn to read it would take longer than all else before a run."""
    spec = find_spec("sklearn")
    assert spec is not None and spec.origin is not None  # it is a dependency
    return Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
