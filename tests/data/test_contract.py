"""What the contract of datasets says of shapes, extras, mirrors, vocabularies and ranges."""

import math

import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.data import DataSource
from gan_framework.errors import ConfigError
from gan_framework.testing.datasets import DATASETS
from gan_framework.testing.guards import ContractBroken
from tests.data.making import KINDS, Streamed

N = 6


def random():
    return torch.Generator().manual_seed(1)


def floats(*shape):
    return torch.rand(N, *shape, generator=random()) * 2 - 1


def bytes_(*shape):
    return torch.randint(0, 256, (N, *shape), dtype=torch.uint8, generator=random())


def tokens(length, vocabulary):
    return torch.randint(0, vocabulary, (N, length), generator=random())


class Source(DataSource):
    def __init__(self, shape, samples, extra=None, mirrors=None, vocabulary=0, kind=Streamed):
        self.shape, self.mirrors = shape, mirrors or {}
        self.data = kind(samples, None, extra, vocabulary)

    def load(self, split):
        if split not in ("train", "test"):
            raise ConfigError("no such split")
        return self.data


class Subject:
    """A plugin under test, as far as the contract of datasets asks for one."""

    def __init__(self, *arguments, **keywords):
        self.arguments, self.keywords = arguments, keywords

    def build(self, seed=0):
        return Source(*self.arguments, **self.keywords)


def check(*arguments, **keywords):
    for asked in DATASETS:
        asked(Subject(*arguments, **keywords))


PAIRED = {"paired": bytes_(1, 4, 6), "text": floats(3)}
RIGHT = {
    "vectors": (DataShape((5,)), floats(5)),
    "sequences": (DataShape((2, 9)), floats(2, 9)),
    "bounded sequences": (DataShape((2, 9), value_range=(-1.0, 1.0)), floats(2, 9)),
    "images": (DataShape((4, 3, 6)), bytes_(4, 3, 6)),
    "float images": (DataShape((4, 3, 6), value_range=(-1.0, 1.0)), floats(4, 3, 6)),
    "unbounded images": (DataShape((4, 3, 6), value_range=(-math.inf, math.inf)), 9 * floats(4, 3, 6)),
    "volumes": (DataShape((1, 3, 4, 5)), bytes_(1, 3, 4, 5)),
    "float video": (DataShape((4, 3, 2, 6), value_range=(-1.0, 1.0)), floats(4, 3, 2, 6)),
    "tokens": (DataShape((5, 7), vocabulary=7), tokens(5, 7), {"length": torch.arange(N)}, {"length": False}, 7),
    "pairs": (DataShape((3, 4, 6)), bytes_(3, 4, 6), PAIRED, {"paired": True, "text": False}),
    "declared pairs": (DataShape((3, 4, 6), extra={"paired": (1, 4, 6), "text": (3,)}), bytes_(3, 4, 6), PAIRED),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", RIGHT.values(), ids=RIGHT)
def test_datasets_of_every_shape_keep_the_contract(given, kind):
    check(*given, kind=kind)


class Unstable(Streamed):
    """Gives of an extra something else when it is asked for one sample alone."""

    def read_extra(self, indices):
        extra = super().read_extra(indices)
        return extra if len(indices) > 1 else {name: tensor + 1 for name, tensor in extra.items()}


IMAGES = DataShape((3, 4, 6))
WRONG = [
    (RIGHT["float images"][0]._replace(value_range=None), floats(4, 3, 6), {}, "need a shape.value_range"),
    (DataShape((4, 3, 6), value_range=(-1.0, 1.0)), bytes_(4, 3, 6), {}, "8-bit samples have shape.value_range=None"),
    (DataShape((2, 9), value_range=(0.0, 1.0)), floats(2, 9), {}, "not between 0 and 1 as shape.value_range"),
    (DataShape((2, 9), value_range=(1.0, 1.0)), floats(2, 9), {}, "not the least and the greatest"),
    (DataShape((2, 0)), floats(2, 0), {}, r"shape.sample=\(2, 0\)"),
    (DataShape((2, 9)), floats(9, 2), {}, r"read gives torch.float32 \(2, 9, 2\) .*not torch.float32 \(2, 2, 9\)"),
    (DataShape((5, 8), vocabulary=7), tokens(5, 7), {"vocabulary": 7}, r"\(5, 8\) is not \(T, V\) with V = .*=7"),
    (DataShape((5, 7), vocabulary=7), tokens(5, 7), {"vocabulary": 8}, "vocabulary=8, and shape.vocabulary is 7"),
    (DataShape((5, 4), vocabulary=4), tokens(5, 7), {"vocabulary": 4}, "between 0 and 3 as shape.vocabulary"),
    (DataShape((5, 7), vocabulary=7), floats(5, 7), {"vocabulary": 7}, r"not torch.int64 \(2, 5\)"),
    (IMAGES, bytes_(3, 4, 6), {"extra": {"samples": floats(2)}}, "named 'samples'"),
    (IMAGES, bytes_(3, 4, 6), {"extra": {"text": floats(2).double()}}, "'text' of 'train' is torch.float64"),
    (IMAGES, bytes_(3, 4, 6), {"extra": {"flag": bytes_(2)}}, r"'flag' of 'train' is torch.uint8 \(2, 2\)"),
    (IMAGES, bytes_(3, 4, 6), {"extra": {"text": floats(2) / 0}}, "'text' .*NaN or infinite"),
    (IMAGES, bytes_(3, 4, 6), {"extra": {"text": floats(2)}, "kind": Unstable}, "another 'text' one by one"),
    (IMAGES, bytes_(3, 4, 6), {"extra": {"text": floats(2)}, "mirrors": {"text": True}}, "'text' is mirrored, but"),
    (IMAGES, bytes_(3, 4, 6), {"mirrors": {"text": False}}, "mirrors names text, which read_extra does not give"),
    (IMAGES._replace(extra={"word": (2,)}), bytes_(3, 4, 6), {"extra": {"text": floats(2)}}, "shape.extra names word"),
    (
        IMAGES._replace(extra={"text": (3,)}),
        bytes_(3, 4, 6),
        {"extra": {"text": floats(2)}},
        r"shape.extra says \(3,\)",
    ),
]


@pytest.mark.parametrize(("shape", "samples", "given", "message"), WRONG, ids=[wrong[3] for wrong in WRONG])
def test_what_is_wrong_is_said_in_one_line(shape, samples, given, message):
    with pytest.raises(ContractBroken, match=message) as broken:
        check(shape, samples, **given)
    assert "\n" not in str(broken.value)
