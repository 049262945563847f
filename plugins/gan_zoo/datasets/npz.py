"""Samples of the user's own, of any shape, as arrays in an `.npz`, `.npy` or HDF5 file."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DataShape, DataSource, Fit, InMemory
from gan_zoo.datasets import array_kinds
from gan_zoo.datasets.array_kinds import ArrayKind
from gan_zoo.datasets.arrays import read_array, read_form
from gan_zoo.datasets.checks import known_classes, known_split, warn_of_one_place
from gan_zoo.datasets.fitting import Crop, ImageSize, Shapes, fitting, known_size
from gan_zoo.datasets.full_range import FullRange
from gan_zoo.datasets.label_kinds import LabelKind, label_kind
from gan_zoo.datasets.splits import known_share, members
from gan_zoo.datasets.stored_array import KindOf, StoredArray

log = logging.getLogger(__name__)


class Npz(DataSource):
    """Arrays of samples, labels and extras.

    Images are uint8 (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3; with an `image_size` they are cropped at the
    centre to its proportions and resized. All else is used as it is: vectors and whatever else is floating-point
    (N, ...), 8-bit images (N, C, H, W) of other channels, volumes and videos uint8, or tokens, whole numbers (N, T).
    Labels are class indices, whole numbers (N,) or one-hot rows (N, K), or condition vectors, floating-point (N, K).
    Extras are images uint8, whole numbers or floating-point (N, ...); they are never resized. 8-bit images whose
    greatest value is 1 are of two colours: 0 and 1 become 0 and 255.

    Args:
        path: the `.npz` file; an `.npy` file, whose array is called `x`; or an HDF5 file (`.h5`, `.hdf5`).
        test_path: another one, for the split `test`.
        test_share: without `test_path`, the share of the samples that is held out as `test`; a sample's content decides
            whether it is.
        x: the name of the array of samples.
        y: the name of the array of labels, or None for unlabelled samples, as those of an `.npy` file are with `y`.
        image_size: height and width in pixels, one number for both, to bring images to; None for those they have.
        channels: 1 or 3, to which images are brought; of other samples the first of their sizes. None for whatever it
            is.
        num_classes: the number of classes, with labels from 0 on; or None for one class for each label that there is.
        condition_dim: the size of condition vectors, which one-hot rows then are too; or None for whatever it is.
        value_range: the least and the greatest value of floating-point samples, or None where they have no bounds.
        vocabulary: the number of symbols where samples are tokens, else 0.
        extra: the names of the arrays of extras, by the names that games know them by.
        mirrors: for each extra whether it is mirrored together with its sample.
        crop: `center` to the proportions of `image_size`; how many pixels at the centre are used, 108 or [height,
            width]; or `none`.
        resize: the filter, `bicubic`, `bilinear` or `nearest`.
        length: that of series (F, T) or tokens (T,), or None for whatever it is.
        decoder: of samples that are latents of another model: the folder or a checkpoint of a run of it, or an `.onnx`
            file, which makes images of them for pictures and scores.
        decoder_network: the run's network that does, or one within it; None for the one that samples are drawn from.
    """

    def __init__(
        self,
        path: Path | None,
        test_path: Path | None,
        test_share: float,
        x: str,
        y: str | None,
        image_size: ImageSize | None,
        channels: int | None,
        num_classes: int | None,
        condition_dim: int | None,
        value_range: tuple[float, float] | None = None,
        vocabulary: int = 0,
        extra: Mapping[str, str] | None = None,
        mirrors: Mapping[str, bool] | None = None,
        crop: Crop = "center",
        resize: str = "bicubic",
        length: int | None = None,
        decoder: Path | None = None,
        decoder_network: str | None = None,
    ) -> None:
        if not path:
            raise ConfigError("data.path is missing: an .npz, .npy or HDF5 file")
        self.path = Path(path).expanduser()
        self.test_path = Path(test_path).expanduser() if test_path else None
        self.test_share = known_share(test_share)
        # One array is all that such a file holds, and `y` what stands in the configuration of whoever says nothing.
        self.x, self.y = x, None if self.path.suffix == ".npy" and y == "y" else y
        self.size, self.vocabulary = known_size(image_size), vocabulary
        self.value_range = None if value_range is None else (value_range[0], value_range[1])
        self.extra, self.mirrors = dict(extra or {}), dict(mirrors or {})
        self._check_settings()
        if self.test_path is not None:
            warn_of_one_place(self.path, self.test_path)
        self._ranges = FullRange(self.path)
        self._arrays: dict[tuple[Path, str], StoredArray] = {}
        self._held: Tensor | None = None
        self.fit: Fit | None = None
        if self._are_images():
            channels = self._channels(channels)
            self.fit = fitting(image_size, channels, crop, resize, self._shapes, str(path))
            shape = DataShape(self.fit.shape, value_range=self._range_of(self._samples(self.path).kind))
        else:
            shape = self._stored_shape(channels)
        self.label_kind, self.labels = self._training_labels(num_classes, condition_dim)
        self.classes = self.label_kind.classes if self.label_kind else ()
        found = self.label_kind.condition_dim if self.label_kind else 0
        self.shape = shape._replace(num_classes=len(self.classes), condition_dim=found)
        steps = shape.sample[0 if self.vocabulary else -1]
        if length not in (None, steps):
            raise ConfigError(f"data.length={length}, but {path} has samples of {steps} steps")
        if condition_dim not in (None, found):
            raise ConfigError(f"data.condition_dim={condition_dim}, but {path} has condition vectors of size {found}")

    def load(self, split: str) -> InMemory:
        """Return a split, `train` or `test`; what is wrong with `test_path` is found together with `train`.

        Raises:
            ConfigError: there is no such split, or a file is unusable.
        """
        known_split("npz", split, ("train", "test"))
        if split == "train" and self.test_path:
            samples, _, extra = self._opened(self.test_path)
            for array in (samples, *extra.values()):
                array.check()
        return self._load(split)

    def _load(self, split: str) -> InMemory:
        path = self.test_path if self.test_path and split == "test" else self.path
        samples, labels, extra = self._opened(path)
        chosen = self._chosen(samples, split) if self.test_path is None else None
        data = InMemory(
            samples.collect(chosen, self.fit.shape, self.fit) if self.fit else samples.collect(chosen),
            labels if labels is None or chosen is None else labels[chosen],
            {name: array.collect(chosen) for name, array in extra.items()},
            self.vocabulary,
        )
        if self.fit:
            channels, height, width = samples.kind.shape
            data.notes = self.fit.changes({(channels, height, width): len(data)})
        if chosen is not None and split == "train":
            data.notes += (f"{len(samples) - len(data):,} more as test",)
        return data

    def _opened(self, path: Path) -> tuple[StoredArray, Tensor | None, dict[str, StoredArray]]:
        """Return the samples, labels and extras of a file, which belong to each other."""
        samples = self._samples(path)
        labels = self.labels if path == self.path else self._test_labels(path)
        if labels is not None and len(labels) != len(samples):
            raise ConfigError(f"{path} has {len(samples)} samples ({self.x}), but {len(labels)} labels ({self.y})")
        extra = {
            name: self._stored(path, key, f"data.extra.{name}", array_kinds.extra) for name, key in self.extra.items()
        }
        for name, array in extra.items():
            if len(array) != len(samples):
                raise ConfigError(
                    f"{path} has {len(samples)} samples ({self.x}), but {len(array)} of data.extra.{name} ({array.key})"
                )
        if self.fit is None and samples.kind.shape != self._samples_shape:
            raise ConfigError(f"{path} has samples of shape {samples.kind.shape}, {self.path} of {self._samples_shape}")
        return samples, labels, extra

    def _chosen(self, samples: StoredArray, split: str) -> Tensor | None:
        """Return which of the training file's samples belong to a split, (N,) bool; None for all."""
        if self._held is None:
            self._held = samples.held_out(self.test_share) if self.test_share else torch.zeros(len(samples)).bool()
        members(self._held, self.test_share, split)  # says why there are none
        chosen = self._held if split == "test" else ~self._held
        return None if chosen.all() else chosen

    def _check_settings(self) -> None:
        least, greatest = self.value_range or (0.0, 1.0)
        if not least < greatest:
            raise ConfigError(f"data.value_range={[least, greatest]}: the first value must be less than the second")
        if self.vocabulary < 0 or (self.vocabulary and self.value_range):
            raise ConfigError(
                f"data.vocabulary={self.vocabulary} must be the number of symbols of tokens, which have no "
                "data.value_range; 0 for samples that are none"
            )
        if self._are_images() and self.size and (self.vocabulary or self.value_range):
            raise ConfigError(
                "data.vocabulary and data.value_range are for samples that are used as they are: set them to null, or "
                "data.image_size=null data.channels=null"
            )
        unknown = self.mirrors.keys() - self.extra.keys()
        if unknown:
            raise ConfigError(
                f"data.mirrors names {', '.join(sorted(unknown))}, and data.extra has {', '.join(self.extra) or 'none'}"
            )
        if "samples" in self.extra:
            raise ConfigError("data.extra names samples, which is the samples' own name: choose another")

    def _are_images(self) -> bool:
        """Return whether samples are images, which may be brought to another size; with an `image_size`, they must be.

        Only samples as they are that have just this size are none: that is what the configuration of a run says.
        """
        shape, dtype = read_form(self.path, self.x, "data.x")
        if self.size is None:
            return not self.vocabulary and array_kinds.holds_images(shape, dtype)
        return array_kinds.holds_images(shape, dtype) or not (len(shape) == 4 and shape[2:] == self.size)

    def _places(self) -> list[Path]:
        return [self.path] if self.test_path is None else [self.path, self.test_path]

    def _shapes(self) -> Shapes:
        """Return how many images there are of each shape in all places."""
        counts: Counter[tuple[int, int, int]] = Counter()
        for path in self._places():
            samples = self._samples(path)
            channels, height, width = samples.kind.shape
            counts[channels, height, width] += len(samples)
        return counts

    def _channels(self, wanted: int | None) -> int:
        """Return the number of channels of images: the wanted one, or what they have.

        Raises:
            ConfigError: none is wanted, and those of `test_path` have another number.
        """
        places = self._places()
        found = [array_kinds.channels_of(*read_form(path, self.x, "data.x"), f"{path} ({self.x})") for path in places]
        if wanted is None and found[0] != found[-1]:
            raise ConfigError(
                f"data.test_path={self.test_path} has images of {found[-1]} channels, and data.path={self.path} of "
                f"{found[0]}: set data.channels to what both are to be brought to"
            )
        if wanted == 1 and 3 in found:
            log.info("%s: its colour images are turned to grey, as data.channels=1 says", places[found.index(3)])
        return wanted or found[0]

    def _stored_shape(self, channels: int | None) -> DataShape:
        """Return the shape of samples that are used as they are."""
        kind = self._samples(self.path).kind
        self._samples_shape = kind.shape
        first = kind.shape[0]
        if channels not in (None, first):
            what = "vectors of size" if len(kind.shape) == 1 else "samples whose first size is"
            raise ConfigError(f"data.channels={channels}, but {self.path} has {what} {first}")
        if self.vocabulary:
            return DataShape((first, self.vocabulary), vocabulary=self.vocabulary)
        return DataShape(kind.shape, value_range=self._range_of(kind))

    def _range_of(self, kind: ArrayKind) -> tuple[float, float] | None:
        if kind.dtype == torch.uint8:
            if self.value_range is not None:
                raise ConfigError(
                    f"data.value_range={list(self.value_range)}, but {self.path} ({self.x}) is uint8, which is always "
                    "brought to [-1, 1]: set it to null"
                )
            return None
        return self.value_range or ((-math.inf, math.inf) if len(kind.shape) >= 3 else None)

    def _samples(self, path: Path) -> StoredArray:
        if self._are_images():
            return self._stored(path, self.x, "data.x", array_kinds.images)
        kind_of = partial(array_kinds.as_they_are, vocabulary=self.vocabulary, value_range=self.value_range)
        return self._stored(path, self.x, "data.x", kind_of)

    def _stored(self, path: Path, key: str, setting: str, kind_of: KindOf) -> StoredArray:
        """Return an array of a file, opened once."""
        known = self._arrays.get((path, setting))
        if known is None:
            known = self._arrays[path, setting] = StoredArray(path, key, setting, kind_of, self._ranges)
        known.check_form()
        return known

    def _training_labels(
        self, num_classes: int | None, condition_dim: int | None
    ) -> tuple[LabelKind | None, Tensor | None]:
        if self.y is None:
            known_classes(str(self.path), num_classes, 0)
            return None, None
        where, array = f"{self.path} ({self.y})", read_array(self.path, self.y, "data.y")
        kind = label_kind(array, where, num_classes, condition_dim)
        known_classes(str(self.path), num_classes, len(kind.classes))
        return kind, kind.read(array, where)

    def _test_labels(self, path: Path) -> Tensor | None:
        if self.label_kind is None or self.y is None:
            return None
        return self.label_kind.read(read_array(path, self.y, "data.y"), f"{path} ({self.y})")
