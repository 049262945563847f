"""Images in files, checked before training, then held in memory or read when they are asked for."""

from __future__ import annotations

import logging
import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Data, DataSource, Fit, InMemory, RunFailed
from gan_zoo.datasets.checks import known_split
from gan_zoo.datasets.files import Files
from gan_zoo.datasets.scanning import Scanned, digest, forget, held, key_of, load, named, remembered
from gan_zoo.datasets.splits import members

log = logging.getLogger(__name__)

DARK = 32
"""Images of which no pixel is as bright have been saved in another range: labels from 0 on, 12 bits in files of 16."""

Parts = dict[str, Data]
"""The images of each split."""


@dataclass(frozen=True)
class Reading:
    """How image files are read.

    Attributes:
        on_bad: `skip` or `refuse` files that cannot be read.
        in_memory_mb: images that take at most so many MiB are held in memory, others streamed.
        may_skip: whether `on_bad` is a setting of the data set.
    """

    on_bad: str
    in_memory_mb: int
    may_skip: bool = True

    def __post_init__(self) -> None:
        if self.on_bad not in ("skip", "refuse"):
            raise ConfigError(f"data.on_bad={self.on_bad} must be skip or refuse")
        if not (isinstance(self.in_memory_mb, int) and self.in_memory_mb >= 0):
            raise ConfigError(f"data.in_memory_mb={self.in_memory_mb} must be a whole number, 0 or more")


class ImageFiles(Data):
    """Images that are read from their files when they are asked for.

    Args:
        files: where the files are.
        names: the files' names, in the samples' order.
        fit: brings images to one shape.
        labels: class indices (N,) or None.
        digests: the samples' SHA-256 (N, 32) uint8, or None to compute them when asked for.
        forget: is called when an image is not the one that its digest is of; may be sent to another process.
    """

    def __init__(
        self,
        files: Files,
        names: Sequence[str],
        fit: Fit,
        labels: Tensor | None,
        digests: Tensor | None,
        forget: Callable[[], None] | None = None,
    ) -> None:
        self.files = files
        self.names = names
        self.fit = fit
        self.labels = labels
        self._digests = digests
        self._forget = forget

    def __len__(self) -> int:
        return len(self.names)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return images (n, C, H, W) uint8.

        Raises:
            RunFailed: a file cannot be read any more as it was before the training.
        """
        return torch.stack([self._read(int(index)) for index in indices])

    def _read(self, index: int) -> Tensor:
        name = self.names[index]
        image = load(self.files, name, self.fit)
        if isinstance(image, str):
            raise self._changed(image)
        known = None if self._digests is None else self._digests[index].numpy().tobytes()
        if known is not None and digest(image.contiguous().numpy()).tobytes() != known:
            raise self._changed(f"{name} is another image than before it")
        return image

    def _changed(self, how: str) -> RunFailed:
        if self._forget is None:
            return RunFailed(f"{self.files.path} has changed during the run: {how}")
        self._forget()
        return RunFailed(f"{self.files.path} has changed during the run: {how}. The next run reads all images anew")

    def digests(self) -> bytes:
        """Return every sample's SHA-256, joined."""
        return super().digests() if self._digests is None else self._digests.numpy().tobytes()


class HeldImages(InMemory):
    """Images of files that are held in memory.

    Args:
        images: the images (N, C, H, W) uint8.
        labels: class indices (N,) or None.
        digests: the images' SHA-256 (N, 32) uint8, which were computed when the files were read.
    """

    def __init__(self, images: Tensor, labels: Tensor | None, digests: Tensor) -> None:
        super().__init__(images, labels)
        self._digests = digests

    def digests(self) -> bytes:
        """Return every image's SHA-256, joined."""
        return self._digests.numpy().tobytes()


class HeldOutImages(DataSource):
    """The base of sources of image files whose split `test` is a place of its own, or a share that is held out.

    Attributes:
        place: names the images in messages.
        test_share: the share that is held out where `test` has no place of its own.
        has_test: whether it has one.
    """

    place: str
    test_share: float
    has_test: bool
    _parts: Parts | None = None

    def load(self, split: str) -> Data:
        """Return a split, `train` or `test`; every image of both is read when the first of them is asked for."""
        known_split(self.named, split, ("train", "test"))
        if self._parts is None:
            self._parts = self._read()
            if "train" in self._parts and "test" in self._parts:
                self._parts["train"].notes += (f"{len(self._parts['test']):,} more as test",)
        if split not in self._parts:
            if not self.has_test:
                members(self._held(), self.test_share, split)  # says why there is none
            raise ConfigError(f"{self.place}: not one image of the split {split!r} can be read")
        return self._parts[split]

    @property
    @abstractmethod
    def named(self) -> str:
        """The name of the source, for messages."""

    @abstractmethod
    def _read(self) -> Parts:
        """Return the images of each split that has any."""

    @abstractmethod
    def _held(self) -> Tensor:
        """Return for each image whether it is held out, (N,) bool."""


def load_images(
    files: Files,
    parts: Mapping[str, Tensor],
    fit: Fit,
    labels: Tensor | None,
    reading: Reading,
) -> Parts:
    """Read every file once, deal with the bad ones, and return the images of each part that has any.

    Args:
        files: where the files are.
        parts: by name, which of the files belong to a part, (n,) int64; no two parts share one.
        fit: brings images to one shape.
        labels: the class indices of all files (N,), or None.
        reading: what to do with bad files and with many.

    Raises:
        ConfigError: there are bad files and they are to be refused, or there are no good ones.
    """
    numbers = torch.cat([*parts.values()])
    hold = len(numbers) * math.prod(fit.shape) <= reading.in_memory_mb * 2**20
    if not hold:
        numbers = numbers.sort().values  # what is remembered does not depend on the parts
    total = len(numbers)
    log.info("reading %d images of %s", total, files.path)
    key = {} if hold else key_of(files, numbers, fit)
    found = held(files, numbers, fit) if hold else remembered(files, numbers, fit, key)
    values, digests, bad = torch.from_numpy(found.values), torch.from_numpy(found.digests), found.bad
    if bad:
        _report(files, bad, total, reading)
    if len(bad) == total:
        raise ConfigError(f"{files.path}: not one of {total} images can be read")
    _report_doubts(files, found, total)
    good = torch.ones(total, dtype=torch.bool)
    good[[*bad]] = False
    row = torch.full((len(files.names),), -1)
    row[numbers[good]] = torch.arange(len(values))
    loaded: Parts = {}
    for part, chosen in parts.items():
        chosen = chosen[row[chosen] >= 0]
        if not len(chosen):
            continue
        rows, its_labels = row[chosen], None if labels is None else labels[chosen]
        if hold:  # one part's rows follow each other: nothing is copied
            images = values[int(rows[0]) : int(rows[-1]) + 1].permute(0, 3, 1, 2)
            loaded[part] = HeldImages(images, its_labels, digests[rows])
        else:
            its_names = named(files, chosen)
            loaded[part] = ImageFiles(files, its_names, fit, its_labels, digests[rows], partial(forget, key))
        loaded[part].notes = fit.changes(found.shapes)
    return loaded


def _report(files: Files, bad: dict[int, str], total: int, reading: Reading) -> None:
    shown = "; ".join(list(bad.values())[:10])
    more = f"; and {len(bad) - 10} more" if len(bad) > 10 else ""
    message = f"{files.path}: {len(bad)} of {total} images cannot be read: {shown}{more}"
    if reading.on_bad == "refuse":
        raise ConfigError(f"{message}. Remove or replace them{', or set data.on_bad=skip' * reading.may_skip}")
    log.warning("%s. They are skipped", message)


def _report_doubts(files: Files, found: Scanned, total: int) -> None:
    if found.greatest < DARK:
        log.warning(
            "%s: no pixel of %d images is brighter than %d of 255, so they look black: where %d means white, save 255 "
            "(65535 in files of 16 bits, of which images of 12 bits use a sixteenth)",
            *(files.path, total, found.greatest, found.greatest),
        )
    if found.several:
        log.warning(
            "%s: %d of %d files hold several images (pages, frames), of which the first is used: save each in a file "
            "of its own to use all",
            *(files.path, found.several, total),
        )
