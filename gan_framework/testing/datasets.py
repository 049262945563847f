"""The contract of datasets."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.core.records import DataShape
from gan_framework.data import Data, DataSource
from gan_framework.errors import ConfigError
from gan_framework.testing.guards import expect, expect_finite, own_randomness
from gan_framework.testing.subject import Subject

LOOKED_AT = 100
"""How many samples of a split are looked at."""


def knows_its_shape(subject: Subject) -> None:
    """The shape of the samples is known once the source is built."""
    source: DataSource = subject.build()
    shape = source.shape
    expect(
        len(shape.sample) >= 1 and all(size > 0 for size in shape.sample),
        f"shape.sample={shape.sample} is no shape of samples, such as (C, H, W), (C, L) or (D,)",
    )
    expect(
        not source.classes or len(source.classes) == shape.num_classes,
        f"it names {len(source.classes)} classes and shape.num_classes is {shape.num_classes}",
    )
    expect(
        not shape.vocabulary or (len(shape.sample) == 2 and shape.sample[1] == shape.vocabulary),
        f"shape.sample={shape.sample} is not (T, V) with V = shape.vocabulary={shape.vocabulary}, as batches hold "
        "tokens one-hot",
    )
    expect(
        shape.value_range is None or shape.value_range[0] < shape.value_range[1],
        f"shape.value_range={shape.value_range} is not the least and the greatest value of a sample",
    )


def loads_splits(subject: Subject) -> None:
    """Both splits hold samples of the shape, with labels and extras that fit, the same every time."""
    source: DataSource = subject.build()
    for split in ("train", "test"):
        another: DataSource = subject.build(seed=1)
        with own_randomness(f"load({split!r})", torch_too=True):
            data, again = source.load(split), another.load(split)
        expect(data.content_hash() == again.content_hash(), f"load({split!r}) gives other samples the second time")
        _check_samples(data, source, split)
        _check_labels(data, source, split)
        _check_extra(data, source, split)
        _check_mirrors(data, source)


def _check_samples(data: Data, source: DataSource, split: str) -> None:
    expect(len(data) > 0, f"the split {split!r} is empty")
    indices, shape = torch.tensor([0, len(data) - 1]), source.shape
    samples = data.read(indices)
    wanted, dtype = _stored(shape)
    expect(
        tuple(samples.shape) == (2, *wanted) and samples.dtype == dtype,
        f"read gives {samples.dtype} {tuple(samples.shape)} for two samples of {split!r}, not {dtype} {(2, *wanted)}"
        + _value_range_meant(shape, samples),
    )
    expect(
        data.vocabulary == shape.vocabulary,
        f"the split {split!r} has vocabulary={data.vocabulary}, and shape.vocabulary is {shape.vocabulary}",
    )
    expect_finite(f"what read gives of {split!r}", samples)
    alone = torch.cat([data.read(indices[:1]), data.read([len(data) - 1])])
    expect(torch.equal(samples, alone), "read gives other samples one by one than together")
    low, high = (0, shape.vocabulary - 1) if shape.vocabulary else shape.value_range or (-math.inf, math.inf)
    least, greatest = _bounds(data)
    expect(
        shape.is_8_bit or (low <= least and greatest <= high),
        f"samples of {split!r} lie between {least:g} and {greatest:g}, not between {low:g} and {high:g} as "
        f"{'shape.vocabulary' if shape.vocabulary else 'shape.value_range'} says",
    )


def _stored(shape: DataShape) -> tuple[tuple[int, ...], torch.dtype]:
    """Return the shape and the type in which a split gives samples."""
    if shape.vocabulary:
        return shape.sample[:1], torch.int64
    return shape.sample, torch.uint8 if shape.is_8_bit else torch.float32


def _value_range_meant(shape: DataShape, samples: Tensor) -> str:
    """Return what to say where the samples are right and only the range that the shape says is not."""
    if tuple(samples.shape[1:]) != shape.sample:
        return ""
    if samples.is_floating_point() and shape.is_8_bit:
        return ": floating-point images need a shape.value_range, (-1.0, 1.0) or (-math.inf, math.inf)"
    if samples.dtype == torch.uint8 and shape.value_range is not None:
        return f": 8-bit samples have shape.value_range=None, not {shape.value_range}"
    return ""


def _bounds(data: Data) -> tuple[float, float]:
    """Return the least and the greatest value of a split's first samples."""
    samples = data.read(torch.arange(min(len(data), LOOKED_AT)))
    return float(samples.min()), float(samples.max())


def _check_extra(data: Data, source: DataSource, split: str) -> None:
    indices = torch.tensor([0, len(data) - 1])
    extra = data.read_extra(indices)
    alone = [data.read_extra(indices[:1]), data.read_extra([len(data) - 1])]
    expect(SAMPLES not in extra, f"an extra is named {SAMPLES!r}, which is the samples' own name")
    expect(
        not source.shape.extra or set(source.shape.extra) == set(extra),
        f"read_extra gives {_names(extra)} for {split!r}, and shape.extra names {_names(source.shape.extra)}",
    )
    for name, tensor in extra.items():
        what = f"the extra {name!r} of {split!r}"
        of_images = tensor.ndim in (4, 5)
        expect(
            tensor.dtype in (torch.float32, torch.int64) or (tensor.dtype == torch.uint8 and of_images),
            f"{what} is {tensor.dtype} {tuple(tensor.shape)}: extras are float32, int64, or images (N, C, H, W) uint8",
        )
        expect(tensor.ndim > 0 and len(tensor) == 2, f"{what} has the shape {tuple(tensor.shape)} for two samples")
        declared = source.shape.extra.get(name, tuple(tensor.shape[1:]))
        expect(
            tuple(tensor.shape[1:]) == tuple(declared),
            f"{what} has the shape {tuple(tensor.shape[1:])}, and shape.extra says {tuple(declared)}",
        )
        expect_finite(what, tensor)
        expect(
            torch.equal(tensor, torch.cat([part[name] for part in alone])),
            f"read_extra gives another {name!r} one by one than together",
        )
        expect(
            not source.mirrors.get(name) or of_images,
            f"mirrors says that the extra {name!r} is mirrored, but its shape {tuple(tensor.shape[1:])} is no image's",
        )


def _check_mirrors(data: Data, source: DataSource) -> None:
    unknown = source.mirrors.keys() - data.read_extra([0]).keys()
    expect(not unknown, f"mirrors names {_names(unknown)}, which read_extra does not give")


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _check_labels(data: Data, source: DataSource, split: str) -> None:
    shape, labels = source.shape, data.labels
    if labels is None:
        expect(not (shape.num_classes or shape.condition_dim), f"the split {split!r} has no labels, and shape has")
        return
    expect(len(labels) == len(data), f"the split {split!r} has {len(labels)} labels for {len(data)} samples")
    if labels.ndim == 1:
        low, high = int(labels.min()), int(labels.max())
        expect(
            labels.dtype == torch.int64 and low >= 0 and high < shape.num_classes,
            f"labels of {split!r} are {labels.dtype} from {low} to {high}: int64 from 0 to num_classes - 1 = "
            f"{shape.num_classes - 1}",
        )
    else:
        expect(
            labels.dtype == torch.float32 and labels.shape[1] == shape.condition_dim,
            f"condition vectors of {split!r} are {labels.dtype} {tuple(labels.shape)}: float32 (N, condition_dim="
            f"{shape.condition_dim})",
        )


def refuses_unknown_splits(subject: Subject) -> None:
    """A split that it has not is the user's mistake."""
    source: DataSource = subject.build()
    try:
        source.load("no_such_split")
    except ConfigError:
        return
    expect(False, "load('no_such_split') raises no ConfigError")


DATASETS = [knows_its_shape, loads_splits, refuses_unknown_splits]
