"""What the labels of strangers are: class indices with or without gaps, one-hot rows, condition vectors."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError
from gan_zoo.datasets.array_kinds import finite

log = logging.getLogger(__name__)

MAX_CLASSES = 2**20


class LabelKind(NamedTuple):
    """What the labels of a training file are, by which those of other files are read.

    Attributes:
        where: names the array in messages.
        classes: the names of the classes, in the order of the class indices; none for condition vectors.
        values: the label that each class has in the file, whole numbers (K,); None for one-hot rows and vectors.
        condition_dim: the size K of condition vectors (N, K), else 0.
    """

    where: str
    classes: tuple[str, ...]
    values: np.ndarray | None
    condition_dim: int

    def read(self, array: np.ndarray, where: str) -> Tensor:
        """Return class indices (N,) int64 or condition vectors (N, K) float32.

        Raises:
            ConfigError: they are of another kind than those of the training file, or are labels that it has not.
        """
        if self.condition_dim:
            if array.ndim != 2 or array.shape[1] != self.condition_dim or array.dtype.kind not in "fiub":
                raise ConfigError(f"{where} is {_form(array)}, {self.where} vectors of size {self.condition_dim}")
            return finite(array, where)
        if self.values is None:
            if not _is_one_hot(array) or array.shape[1] != len(self.classes):
                raise ConfigError(
                    f"{where} is {_form(array)}, {self.where} one-hot rows of {len(self.classes)} classes"
                )
            return torch.from_numpy(array.argmax(1).astype(np.int64))
        _check_indices(array, where)
        numbers = array.astype(np.int64)
        position = np.searchsorted(self.values, numbers).clip(max=len(self.values) - 1)
        if (self.values[position] != numbers).any():
            raise ConfigError(
                f"{where} has labels that {self.where} has not: {_listed(np.setdiff1d(numbers, self.values))}; the "
                f"classes are {_listed(self.values)}"
            )
        return torch.from_numpy(position)


def label_kind(array: np.ndarray, where: str, num_classes: int | None, condition_dim: int | None) -> LabelKind:
    """Return what the labels of a training file are.

    Rows (N, K) of which each is a single 1 among zeros are class indices, unless a `condition_dim` is asked for. Class
    indices are the names of the classes; where some are missing in between, the classes are those that there are,
    unless a `num_classes` that has room for all is asked for.

    Raises:
        ConfigError: they are no labels, or do not fit in `num_classes`.
    """
    if array.ndim == 2 and len(array) and array.shape[1]:
        if condition_dim and array.dtype.kind in "fiub":
            return LabelKind(where, (), None, array.shape[1])
        if _is_one_hot(array):
            if num_classes is None:
                log.info("%s: each row has a single 1, so these are the indices of %d classes", where, array.shape[1])
            return LabelKind(where, tuple(map(str, range(array.shape[1]))), None, 0)
        if array.dtype.kind == "f":
            return LabelKind(where, (), None, array.shape[1])
    _check_indices(array, where)
    found = np.unique(array.astype(np.int64))
    greatest = int(found[-1])
    # A configuration that is written down has the number of classes that were found: it stands for these.
    if num_classes is None or (greatest >= num_classes and len(found) == num_classes):
        if greatest >= len(found) and num_classes is None:
            log.info("%s: the labels %s are the classes 0 to %d", where, _listed(found), len(found) - 1)
        return LabelKind(where, tuple(map(str, found.tolist())), found, 0)
    if greatest >= num_classes:
        raise ConfigError(
            f"data.num_classes={num_classes}, but {where} has {len(found)} classes, with labels up to {greatest}: "
            f"leave it out for {len(found)} classes, or set it to at least {greatest + 1}"
        )
    return LabelKind(where, tuple(map(str, range(num_classes))), np.arange(num_classes), 0)


def _is_one_hot(array: np.ndarray) -> bool:
    if array.ndim != 2 or array.shape[1] < 2 or array.dtype.kind not in "fiub":
        return False
    ones = array == 1
    return bool(((array == 0) | ones).all() and (ones.sum(1) == 1).all())


def _check_indices(array: np.ndarray, where: str) -> None:
    if array.dtype.kind not in "iu" or array.ndim != 1 or not len(array):
        raise ConfigError(
            f"{where} is {_form(array)}, but labels are whole numbers (N,), one-hot rows (N, K) or floating-point "
            "(N, K)"
        )
    if array.min() < 0 or array.max() >= MAX_CLASSES:
        raise ConfigError(
            f"{where} has labels from {array.min()} to {array.max()}: they must lie between 0 and {MAX_CLASSES - 1}"
        )


def _form(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape}"


def _listed(values: np.ndarray) -> str:
    shown = ", ".join(map(str, values[:10].tolist()))
    return f"{shown} and {len(values) - 10} more" if len(values) > 10 else shown
