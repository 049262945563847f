"""Pairs of images of the user's own: what is to be made, and what it is to be made of."""

from __future__ import annotations

import logging
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Data, DataShape, DataSource, Fit, InMemory, RunFailed, measure
from gan_zoo.datasets.checks import known_classes, known_split, warn_of_one_place
from gan_zoo.datasets.files import Files, find_files, report_others
from gan_zoo.datasets.fitting import Crop, ImageSize, fitting, known_channels, known_size
from gan_zoo.datasets.image_files import Reading
from gan_zoo.datasets.pairing import SIDES, Halves, Place, partners
from gan_zoo.datasets.scanning import Scanned, Shape, held, load, scan
from gan_zoo.datasets.splits import held_out, known_share, members

log = logging.getLogger(__name__)

SOURCE = "source"
"""The extra that holds what a sample is to be made of."""


@dataclass(frozen=True)
class Pairs:
    """The files of pairs.

    Attributes:
        keys: what the pairs are called.
        target: where the samples are; where both images of a pair are in one file, these.
        source: where what they are made of is; None where both are in one file.
    """

    keys: list[str]
    target: Place
    source: Place | None

    def part(self, chosen: Sequence[int]) -> Pairs:
        """Return some of the pairs."""

        def of(place: Place) -> Place:
            return Place(place.files, tuple(place.names[i] for i in chosen))

        return Pairs([self.keys[i] for i in chosen], of(self.target), None if self.source is None else of(self.source))


@dataclass(frozen=True)
class Fits:
    """How the images of pairs are brought to their shapes.

    Attributes:
        target: for samples.
        source: for what they are made of.
        halves: for files that hold both; None where they have files of their own.
        source_first: whether the source is the left half.
    """

    target: Fit
    source: Fit
    halves: Halves | None = None
    source_first: bool = True

    def split(self, both: Tensor) -> tuple[Tensor, Tensor]:
        """Return the targets and sources of halves (N, C of both, H, W)."""
        channels = self.source.shape[0] if self.source_first else self.target.shape[0]
        first, second = both[:, :channels], both[:, channels:]
        return (second, first) if self.source_first else (first, second)


class PairedFiles(Data):
    """Pairs that are read from their files when they are asked for, the source as the extra `source`."""

    def __init__(self, pairs: Pairs, fits: Fits) -> None:
        self.pairs = pairs
        self.fits = fits

    def __len__(self) -> int:
        return len(self.pairs.keys)

    def read(self, indices: Sequence[int] | Tensor) -> Tensor:
        """Return the targets (n, C, H, W) uint8.

        Raises:
            RunFailed: a file cannot be read any more as it was before the training.
        """
        if self.fits.halves is not None:
            return self.fits.split(self._images(self.pairs.target, self.fits.halves, indices))[0]
        return self._images(self.pairs.target, self.fits.target, indices)

    def read_extra(self, indices: Sequence[int] | Tensor) -> Mapping[str, Tensor]:
        """Return the sources (n, C, H, W) uint8, named `source`."""
        if self.fits.halves is not None:
            return {SOURCE: self.fits.split(self._images(self.pairs.target, self.fits.halves, indices))[1]}
        assert self.pairs.source is not None
        return {SOURCE: self._images(self.pairs.source, self.fits.source, indices)}

    def _images(self, place: Place, fit: Fit, indices: Sequence[int] | Tensor) -> Tensor:
        images = [load(place.files, place.names[int(index)], fit) for index in indices]
        for image in images:
            if isinstance(image, str):
                raise RunFailed(f"{place.files.path} has changed during the run: {image}")
        return torch.stack([image for image in images if not isinstance(image, str)])


class Paired(DataSource):
    """Images, and beside each, as the extra `source`, the one that it is to be made of.

    The two images of a pair are files of one name in two places (`source_path`), files of one place whose names end in
    `suffixes`, or else the halves of one file. Both are cropped at the centre and resized alike, and mirrored together.

    Args:
        path: the folder or zip file of what is to be made, or of both.
        source_path: the one of what it is to be made of; None where `path` holds both.
        test_path: as `path`, for the split `test`.
        test_source_path: as `source_path`, for the split `test`.
        test_share: without `test_path`, the share of the pairs that is held out as `test`; a pair's name decides
            whether it is.
        suffixes: what the names of sources and of targets end in, where both lie in `path` in files of their own.
        source_side: where a file holds both, which half the source is, `left` or `right`; None where none does.
        image_size: height and width in pixels, one number for both; None for those of the images.
        source_size: of the sources; None for `image_size`.
        channels: 1 or 3; None for 3 if one target is coloured.
        source_channels: of the sources; None for those of the targets.
        num_classes: 0, as pairs have no classes.
        on_bad: whether to `skip` or `refuse` pairs of which an image is missing or cannot be read.
        in_memory_mb: sets that take at most so many MiB are held in memory, others streamed.
        crop: `center` to the proportions of the wanted size; how many pixels at the centre are used, 108 or [height,
            width]; or `none`.
        resize: the filter, `bicubic`, `bilinear` or `nearest`.
    """

    mirrors = {SOURCE: True}  # noqa: RUF012 (the contract's attribute)

    def __init__(
        self,
        path: Path | None,
        source_path: Path | None,
        test_path: Path | None,
        test_source_path: Path | None,
        test_share: float,
        suffixes: list[str] | None,
        source_side: str | None,
        image_size: ImageSize | None,
        source_size: ImageSize | None,
        channels: int | None,
        source_channels: int | None,
        num_classes: int | None,
        on_bad: str,
        in_memory_mb: int,
        crop: Crop = "center",
        resize: str = "bicubic",
    ) -> None:
        known_classes("paired", num_classes, 0)
        self.reading = Reading(on_bad, in_memory_mb)
        self.test_share = known_share(test_share)
        if source_side is not None and source_side not in SIDES:
            raise ConfigError(f"data.source_side={source_side} must be one of {', '.join(SIDES)}")
        if source_path is None and suffixes is None and source_side is None:
            raise ConfigError(
                "data=paired does not know where the other image of each pair is: data.source_path=FOLDER (files of "
                "the same names), 'data.suffixes=[_a,_b]' (names in data.path), or data.source_side=left or right "
                "(halves of each file)"
            )
        if suffixes is not None and (len(suffixes) != 2 or suffixes[0] == suffixes[1] or not all(suffixes)):
            raise ConfigError(
                f"data.suffixes={suffixes} must be what the names of sources and of targets end in, two that differ: "
                "[_a,_b]"
            )
        if suffixes is not None and source_path is not None:
            raise ConfigError("data.suffixes is for pairs in one place: leave it or data.source_path out")
        if (test_path is not None and source_path is not None) != (test_source_path is not None):
            raise ConfigError(
                "data.test_source_path is needed where data.test_path and data.source_path are set, and there alone"
            )
        self.suffixes = suffixes
        self.places = {"train": self._pairs(path, source_path, "")}
        if test_path is not None:
            self.places["test"] = self._pairs(test_path, test_source_path, "test_")
            warn_of_one_place(self.places["train"].target.files.path, self.places["test"].target.files.path)
        self.fits = self._fitting(image_size, source_size, channels, source_channels, crop, resize, source_side)
        extra = {SOURCE: self.fits.source.shape}
        self.shape = DataShape(self.fits.target.shape, extra=extra)
        self._parts: dict[str, Data] | None = None

    def load(self, split: str) -> Data:
        """Return a split, `train` or `test`; every file of both is read when the first of them is asked for."""
        known_split("paired", split, ("train", "test"))
        if self._parts is None:
            self._parts = self._read()
        if split not in self._parts:
            members(self._held(self.places["train"]), self.test_share, split)  # says why there is none
            raise ConfigError(f"{self.places['train'].target.files.path}: not one pair of {split!r} can be read")
        return self._parts[split]

    # -- which files, and how large ---------------------------------------------------------------

    def _pairs(self, path: Path | None, source_path: Path | None, of: str) -> Pairs:
        files = find_files(path, f"data.{of}path")
        report_others(files, self.reading.on_bad)
        where = str(files.path)
        if source_path is not None:
            sources = find_files(source_path, f"data.{of}source_path")
            report_others(sources, self.reading.on_bad)
            where = f"{sources.path} and {where}"
            names, source_names, keys = partners(files.names, sources.names, where, self.reading.on_bad)
            return Pairs(keys, Place(files, tuple(names)), Place(sources, tuple(source_names)))
        if self.suffixes is not None:
            ends = (self.suffixes[0], self.suffixes[1])
            names, source_names, keys = partners(files.names, files.names, where, self.reading.on_bad, ends)
            return Pairs(keys, Place(files, tuple(names)), Place(files, tuple(source_names)))
        return Pairs([*files.names], Place(files, files.names), None)

    def _fitting(
        self,
        image_size: ImageSize | None,
        source_size: ImageSize | None,
        channels: int | None,
        source_channels: int | None,
        crop: Crop,
        resize: str,
        source_side: str | None,
    ) -> Fits:
        known_channels(source_channels)
        in_one = self.places["train"].source is None
        if in_one and source_size is not None:
            raise ConfigError("data.source_size is for sources in files of their own: halves have one size")
        targets, sources = self._sizes(squeezed=crop in (None, "none"))
        where = str(self.places["train"].target.files.path)
        target = fitting(image_size, channels, crop, resize, lambda: targets, where)
        source_channels = source_channels or target.shape[0]
        size = known_size(source_size, "data.source_size") or (
            target.shape[1:] if in_one or image_size is not None else None
        )
        source = fitting(size, source_channels, crop, resize, lambda: sources, f"{where} (sources)")
        if not in_one:
            return Fits(target, source)
        left, right = (source, target) if source_side == "left" else (target, source)
        shape = (left.shape[0] + right.shape[0], *target.shape[1:])
        return Fits(target, source, Halves(shape, target.crop, resize, left, right), source_side == "left")

    def _sizes(self, squeezed: bool) -> tuple[Counter[Shape], Counter[Shape]]:
        """Return how many targets and sources there are of each shape.

        Args:
            squeezed: whether images of any proportions are squeezed to those that are wanted.

        Raises:
            ConfigError: the two images of a pair have other proportions, so that no crop shows the same of both, or no
                image can be opened.
        """
        targets, sources, unlike = Counter[Shape](), Counter[Shape](), []
        for pairs in self.places.values():
            for i, name in enumerate(pairs.target.names):
                first = _measured(pairs.target.files, name)
                if first is None:
                    continue
                if pairs.source is None:
                    if first[2] % 2:
                        raise ConfigError(
                            f"{pairs.target.files.path}: {name} is {first[2]} pixels wide and has no two halves; where "
                            "the two images of a pair have files of their own, set data.source_path or data.suffixes"
                        )
                    half = first[0], first[1], first[2] // 2
                    targets[half] += 1
                    sources[half] += 1
                    continue
                second = _measured(pairs.source.files, pairs.source.names[i])
                if second is None:
                    continue
                targets[first] += 1
                sources[second] += 1
                if not squeezed and abs(first[1] * second[2] - first[2] * second[1]) > max(first[1:]):
                    unlike.append(f"{pairs.keys[i]} ({second[1]}x{second[2]} and {first[1]}x{first[2]})")
        if unlike:
            shown = ", ".join(unlike[:3]) + (f" and {len(unlike) - 3} more" if len(unlike) > 3 else "")
            raise ConfigError(
                f"{self.places['train'].target.files.path}: the two images of {len(unlike)} pairs have other "
                f"proportions (height x width of source and target), so they do not show the same: {shown}. Crop them "
                "alike, or set data.crop=none to squeeze them"
            )
        if not targets:
            raise ConfigError(f"{self.places['train'].target.files.path}: not one pair can be read")
        return targets, sources

    # -- reading ----------------------------------------------------------------------------------

    def _held(self, pairs: Pairs) -> Tensor:
        """Return for each pair of `path` whether it is held out."""
        return held_out((os.fsencode(key) for key in pairs.keys), self.test_share)

    def _read(self) -> dict[str, Data]:
        parts = {}
        for name, pairs in self.places.items():
            for split, chosen in self._splits(name, pairs).items():
                found = self._read_part(pairs.part(chosen)) if chosen else None
                if found is not None:
                    parts[split] = found
        if not parts:
            raise ConfigError(f"{self.places['train'].target.files.path}: not one pair can be read")
        if "train" in parts and "test" in parts:
            parts["train"].notes += (f"{len(parts['test']):,} more as test",)
        return parts

    def _splits(self, name: str, pairs: Pairs) -> dict[str, list[int]]:
        if "test" in self.places:
            return {name: [*range(len(pairs.keys))]}
        held = self._held(pairs)
        return {"train": (~held).nonzero()[:, 0].tolist(), "test": held.nonzero()[:, 0].tolist()}

    def _read_part(self, pairs: Pairs) -> Data | None:
        log.info("reading %d pairs of %s", len(pairs.keys), pairs.target.files.path)
        size = math.prod(self.fits.target.shape) + math.prod(self.fits.source.shape)
        hold = len(pairs.keys) * size <= self.reading.in_memory_mb * 2**20
        scans = [self._scan(place, fit, hold) for place, fit in self._sides(pairs)]
        bad = {number: why for scanned in scans for number, why in scanned.bad.items()}
        self._report(pairs, bad)
        good = [number for number in range(len(pairs.keys)) if number not in bad]
        if not good:
            return None
        if not hold:
            data: Data = PairedFiles(pairs.part(good), self.fits)
        else:
            images = [self._of_good(scanned, good, len(pairs.keys)) for scanned in scans]
            target, source = self.fits.split(images[0]) if self.fits.halves is not None else images
            data = InMemory(target, extra={SOURCE: source})
        data.notes = (self.fits.halves or self.fits.target).changes(scans[0].shapes)
        return data

    def _sides(self, pairs: Pairs) -> list[tuple[Place, Fit]]:
        if pairs.source is None:
            assert self.fits.halves is not None
            return [(pairs.target, self.fits.halves)]
        return [(pairs.target, self.fits.target), (pairs.source, self.fits.source)]

    def _scan(self, place: Place, fit: Fit, hold: bool) -> Scanned:
        # What is kept in the cache of a place is known by shape, crop and filter, which say nothing of halves or names.
        if hold and not isinstance(fit, Halves) and self.suffixes is None:
            numbers = {name: number for number, name in enumerate(place.files.names)}
            return held(place.files, torch.tensor([numbers[name] for name in place.names]), fit)
        return scan(place.files, place.names, fit, hold)

    def _of_good(self, scanned: Scanned, good: list[int], count: int) -> Tensor:
        """Return the images (N, C, H, W) of the pairs that are good on both sides."""
        row = torch.full((count,), -1)
        row[[number for number in range(count) if number not in scanned.bad]] = torch.arange(len(scanned.values))
        return torch.from_numpy(scanned.values)[row[good]].permute(0, 3, 1, 2)

    def _report(self, pairs: Pairs, bad: Mapping[int, str]) -> None:
        if not bad:
            return
        shown = "; ".join([*bad.values()][:10]) + (f"; and {len(bad) - 10} more" if len(bad) > 10 else "")
        message = f"{pairs.target.files.path}: {len(bad)} of {len(pairs.keys)} pairs cannot be read: {shown}"
        if self.reading.on_bad == "refuse":
            raise ConfigError(f"{message}. Remove or replace them, or set data.on_bad=skip")
        log.warning("%s. They are skipped", message)


def _measured(files: Files, name: str) -> Shape | None:
    """Return the shape of an image by the head of its file; None where it cannot be opened, which the reading says."""
    try:
        with files.open(name) as file:
            return measure(file)
    except Exception:  # a damaged file can make a decoder raise anything
        return None
