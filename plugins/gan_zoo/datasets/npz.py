"""Images or vectors of the user's own, as arrays in an `.npz` file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, InMemory, fit
from gan_zoo.datasets.arrays import read_array
from gan_zoo.datasets.checks import image_shape, known_classes, known_split
from gan_zoo.datasets.splits import held_out, known_share

MAX_CLASSES = 2**20


class Npz(DataSource):
    """Arrays of samples and labels.

    Samples are images, uint8 (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3, or vectors,
    floating-point (N, D). Labels are class indices, whole numbers (N,), or condition vectors,
    floating-point (N, K).

    Args:
        path: the `.npz` file.
        test_path: another one, for the split `test`.
        test_share: without `test_path`, the share of the samples that is held out as `test`.
        x: the name of the array of samples.
        y: the name of the array of labels, or None for unlabelled samples.
        image_size: height and width in pixels to resize to; None for vectors.
        channels: 1 or 3; the size of vectors, or None for whatever it is.
        num_classes: the number of classes, or None for as many as the labels name.
        condition_dim: the size of condition vectors, or None for whatever it is.
    """

    def __init__(
        self,
        path: str | None,
        test_path: str | None,
        test_share: float,
        x: str,
        y: str | None,
        image_size: int | None,
        channels: int | None,
        num_classes: int | None,
        condition_dim: int | None,
    ) -> None:
        if not path:
            raise ConfigError("data.path is missing: an .npz file")
        self.path = Path(path).expanduser()
        self.test_path = Path(test_path).expanduser() if test_path else None
        self.test_share = known_share(test_share)
        self.x, self.y = x, y
        self.vectors = image_size is None
        if image_size is None:
            sample: tuple[int, ...] = tuple(self._samples(self.path).shape[1:])
            if channels not in (None, *sample):
                raise ConfigError(f"data.channels={channels}, but {path} has vectors of size {sample[0]}")
        elif channels is None:
            raise ConfigError(f"data.channels=null data.image_size={image_size}: images need both")
        else:
            sample = image_shape(image_size, channels)
        self.labels = self._labels(self.path)
        self.shape = DataShape(sample, *self._label_shape(num_classes))
        found = self.shape.condition_dim
        if condition_dim not in (None, found):
            raise ConfigError(f"data.condition_dim={condition_dim}, but {path} has condition vectors of size {found}")

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`."""
        known_split("npz", split, ("train", "test"))
        path = self.test_path if self.test_path and split == "test" else self.path
        samples = self._samples(path)
        labels = self.labels if path == self.path else self._test_labels(path)
        if labels is not None and len(labels) != len(samples):
            raise ConfigError(f"{path} has {len(samples)} samples ({self.x}), but {len(labels)} labels ({self.y})")
        if self.test_path is None:
            chosen = held_out(len(samples), self.test_share, split)
            samples, labels = samples[chosen], None if labels is None else labels[chosen]
        if self.vectors and tuple(samples.shape[1:]) != self.shape.sample:
            raise ConfigError(f"{path} has vectors of size {samples.shape[1]}, {self.path} of {self.shape.sample[0]}")
        if not self.vectors:
            channels, image_size, _ = self.shape.sample
            samples = fit(samples, image_size, channels)
        return InMemory(samples, labels)

    def _samples(self, path: Path) -> Tensor:
        where = f"{path} ({self.x})"
        array = read_array(path, self.x, "data.x")
        if array.ndim == 0 or array.size == 0:
            raise ConfigError(f"{where} has no samples")
        return _vectors(array, where) if self.vectors else _images(array, where)

    def _labels(self, path: Path) -> Tensor | None:
        return None if self.y is None else _labels(read_array(path, self.y, "data.y"), f"{path} ({self.y})")

    def _test_labels(self, path: Path) -> Tensor | None:
        labels = self._labels(path)
        if labels is None:
            return None
        condition = labels.shape[1] if labels.ndim == 2 else 0
        if condition != self.shape.condition_dim or (not condition and labels.max() >= self.shape.num_classes):
            raise ConfigError(f"{path} ({self.y}) has labels that {self.path} has not")
        return labels

    def _label_shape(self, num_classes: int | None) -> tuple[int, int]:
        """Return the number of classes and the size of condition vectors."""
        if self.labels is None or self.labels.ndim == 2:
            known_classes(str(self.path), num_classes, 0)
            return 0, 0 if self.labels is None else self.labels.shape[1]
        found = int(self.labels.max()) + 1
        if num_classes is not None and num_classes < found:
            known_classes(str(self.path), num_classes, found)
        return num_classes or found, 0


def _images(array: np.ndarray, where: str) -> Tensor:
    """Return images (N, C, H, W) uint8."""
    if array.dtype != np.uint8:
        hint = ". For vectors set data.image_size=null data.channels=null" if array.ndim == 2 else ""
        raise ConfigError(f"{where} is {array.dtype}, but images are uint8 from 0 to 255{hint}")
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or array.shape[1] not in (1, 3) or 0 in array.shape[2:]:
        raise ConfigError(
            f"{where} has the shape {array.shape}, but images are (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3"
        )
    return torch.from_numpy(array)


def _vectors(array: np.ndarray, where: str) -> Tensor:
    """Return vectors (N, D) float32."""
    if array.dtype.kind != "f" or array.ndim != 2 or not array.shape[1]:
        raise ConfigError(
            f"{where} is {array.dtype} {array.shape}, but vectors are floating-point (N, D). "
            "For images set data.image_size and data.channels"
        )
    return _finite(array, where)


def _labels(array: np.ndarray, where: str) -> Tensor:
    """Return class indices (N,) int64 or condition vectors (N, K) float32."""
    if array.dtype.kind == "f" and array.ndim == 2 and array.shape[1]:
        return _finite(array, where)
    if array.dtype.kind not in "iu" or array.ndim != 1 or not len(array):
        raise ConfigError(
            f"{where} is {array.dtype} {array.shape}, but labels are whole numbers (N,) or floating-point (N, K)"
        )
    if array.min() < 0 or array.max() >= MAX_CLASSES:
        raise ConfigError(
            f"{where} has labels from {array.min()} to {array.max()}: they must lie between 0 and {MAX_CLASSES - 1}"
        )
    return torch.from_numpy(array.astype(np.int64))


def _finite(array: np.ndarray, where: str) -> Tensor:
    with np.errstate(over="ignore"):
        values = torch.from_numpy(array.astype(np.float32))
    bad = int((~values.isfinite()).any(1).sum())
    if bad:
        raise ConfigError(f"{where} has {bad} rows with values that are not finite in float32")
    return values
