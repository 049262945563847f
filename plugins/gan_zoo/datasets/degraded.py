"""Pairs that are made: images, and what a known map leaves of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Data, DataShape, DataSource, InMemory
from gan_zoo.datasets.digits import Digits
from gan_zoo.datasets.fitting import Crop, ImageSize
from gan_zoo.datasets.folder import Folder
from gan_zoo.datasets.tasks import Task, applied, known_task


class Degraded(Data):
    """Images with what a task leaves of them, made when it is asked for.

    Args:
        data: the images.
        task: the map.
        amount: how much of it.
        split: the split, which random numbers follow from.
    """

    def __init__(self, data: Data, task: Task, amount: float, split: str) -> None:
        self.data = data
        self.labels = data.labels
        self.notes = data.notes
        self._task, self._amount, self._split = task, amount, split

    def __len__(self) -> int:
        return len(self.data)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the targets (n, C, H, W) uint8."""
        images = self.data.read(indices)
        if self._task.target is None:
            return images
        labels = None if self.labels is None else self.labels[torch.as_tensor(indices)]
        return self._task.target(images, labels)

    def read_extra(self, indices: Sequence[int] | Tensor) -> Mapping[str, Tensor]:
        """Return what is given of them, named `source`, and the `mask` where there is one."""
        # What the target is made of where a task gives images a colour, so that hues change no source.
        return applied(self._task, self._amount, self.data.read(indices), torch.as_tensor(indices), self._split)

    def held(self) -> InMemory:
        """Return the same, made once."""
        everything = range(len(self))
        data = InMemory(self.read(everything), self.labels, self.read_extra(everything))
        data.notes = self.notes
        return data


class DegradedSource(DataSource):
    """The images of a source as targets, and what a task leaves of each as the extra `source`.

    Attributes:
        task: the map.
        amount: how much of it.
    """

    def __init__(self, of: DataSource, task: str, amount: float | None) -> None:
        self._of = of
        self.task = known_task(task)
        self.amount = self.task.amount(task, amount)
        self.classes = of.classes
        # What is turned and then mirrored is not what is mirrored and then turned.
        alike = not self.task.turns or self.amount % 180 == 0
        self.mirrors = dict.fromkeys(self.task.extras, True) if alike else {}
        channels, height, width = of.shape.sample
        # Of a grey image of the right size: what shapes are left is known before any image is read.
        probe = torch.zeros(1, channels, height, width, dtype=torch.uint8)
        extra = applied(self.task, self.amount, probe, torch.zeros(1, dtype=torch.int64), "")
        shapes = {name: tuple(tensor.shape[1:]) for name, tensor in extra.items()}
        sample = (self.task.target_channels or channels, height, width)
        self.shape = DataShape(sample, of.shape.num_classes, extra=shapes)

    def load(self, split: str) -> Data:
        """Return a split of the images."""
        data = self._of.load(split)
        made = Degraded(data, self.task, self.amount, split)
        return made.held() if isinstance(data, InMemory) else made


def channels_of(task: str, channels: int | None) -> int | None:
    """Return the channels of the images that a task maps, given those that targets are to have.

    Raises:
        ConfigError: the task's targets have others.
    """
    target = known_task(task).target_channels
    if target is None:
        return channels
    if channels not in (None, target):
        raise ConfigError(f"data.channels={channels}: the targets of data.task={task} have {target}")
    return 1


def check_source_channels(task: str, channels: int | None, of_images: int) -> None:
    """Raise ConfigError if sources were said to have other channels than a task leaves."""
    found = known_task(task).channels or of_images
    if channels not in (None, found):
        raise ConfigError(f"data.source_channels={channels}: the sources of data.task={task} have {found}")


class DigitPairs(DegradedSource):
    """The digits of `data=digits`, and what a task leaves of them: pairs that need no download.

    Args:
        task: edges, grey, colour, mask, density, negative, inpaint, superres, rain, noise, blur, thermal, fourier or
            rotate.
        amount: how much of it; None for the usual.
        image_size: height and width in pixels.
        channels: of the targets.
        source_channels: of the sources; None for whatever the task leaves.
        num_classes: 10.
    """

    def __init__(
        self,
        task: str,
        amount: float | None,
        image_size: int,
        channels: int,
        source_channels: int | None,
        num_classes: int | None,
    ) -> None:
        images = channels_of(task, channels)
        assert images is not None
        super().__init__(Digits(image_size, images, num_classes), task, amount)
        check_source_channels(task, source_channels, images)


class DegradedFolder(DegradedSource):
    """The images of a folder or zip file as targets, and what a task leaves of each.

    Args:
        path: the folder or zip file.
        test_path: another one, for the split `test`.
        test_share: without `test_path`, the share of the images that is held out as `test`.
        task: as of digit pairs; colour, mask and density are of grey images, and colour only where
            there are classes.
        amount: how much of it; None for the usual.
        image_size: height and width in pixels, one number for both; None for those of the images.
        channels: of the targets; None for 3 if one image is coloured.
        source_channels: of the sources; None for whatever the task leaves.
        num_classes: the number of classes, or None for as many as there are.
        on_bad: whether to `skip` or `refuse` files that cannot be read.
        in_memory_mb: sets that take at most so many MiB are held in memory, others streamed.
        crop: as of `data=folder`.
        resize: as of `data=folder`.
    """

    def __init__(
        self,
        path: Path | None,
        test_path: Path | None,
        test_share: float,
        task: str,
        amount: float | None,
        image_size: ImageSize | None,
        channels: int | None,
        source_channels: int | None,
        num_classes: int | None,
        on_bad: str,
        in_memory_mb: int,
        crop: Crop = "center",
        resize: str = "bicubic",
    ) -> None:
        settings: dict[str, Any] = {"on_bad": on_bad, "in_memory_mb": in_memory_mb, "crop": crop, "resize": resize}
        images = channels_of(task, channels)
        folder = Folder(path, test_path, test_share, image_size, images, num_classes, **settings)
        super().__init__(folder, task, amount)
        check_source_channels(task, source_channels, folder.shape.sample[0])
