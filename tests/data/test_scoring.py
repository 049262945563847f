"""Samples of every shape as scores see them, by their raw values."""

import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, InMemory
from gan_framework.errors import ConfigError
from gan_framework.evaluation.cache import Cache
from gan_framework.evaluation.reference import Reference
from gan_zoo.extractors.classifier import Classifier
from gan_zoo.extractors.raw import Raw
from tests.data.making import Streamed

N = 9


class Source(DataSource):
    def __init__(self, shape, data):
        self.shape, self.data = shape, data

    def load(self, split):
        return self.data


def random():
    return torch.Generator().manual_seed(1)


FLOATS = torch.rand(N, 2, 3, 4, generator=random()) * 2 - 1
BYTES = torch.randint(0, 256, (N, 2, 3, 4), dtype=torch.uint8, generator=random())
TOKENS = torch.randint(0, 6, (N, 4), generator=random())
IN_RANGE = BYTES.float() / 127.5 - 1
CASES = {
    "vectors": (DataShape((24,)), FLOATS.flatten(1), 0, FLOATS, "none"),
    "sequences": (DataShape((2, 12)), FLOATS.flatten(2), 0, FLOATS, "none"),
    "float images": (DataShape((2, 3, 4), value_range=(-1.0, 1.0)), FLOATS, 0, FLOATS, "none"),
    "images": (DataShape((2, 3, 4)), BYTES, 0, IN_RANGE, "uint8, nearest"),
    "float volumes": (DataShape((1, 2, 3, 4), value_range=(-1.0, 1.0)), FLOATS[:, None], 0, FLOATS, "none"),
    "volumes": (DataShape((1, 2, 3, 4)), BYTES[:, None], 0, IN_RANGE, "uint8, nearest"),
    "tokens": (
        DataShape((4, 6), vocabulary=6),
        TOKENS,
        6,
        torch.nn.functional.one_hot(TOKENS, 6).float(),
        "none",
    ),
}


@pytest.mark.parametrize("kind", [InMemory, Streamed])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_raw_features_of_any_data_are_their_values(case, kind, tmp_path):
    shape, samples, vocabulary, expected, quantisation = case
    raw = Raw()
    raw.check(shape)
    source = Source(shape, kind(samples, vocabulary=vocabulary))
    reference = Reference(source, "mine", raw, torch.device("cpu"), 4, None, Cache(tmp_path))
    found = reference.features("train")
    assert torch.equal(found.features, expected.flatten(1))
    assert found.features.shape == (N, raw.dim)
    assert reference.protocol("train")["quantisation"] == quantisation
    read = found.read(torch.tensor([3, 1]))
    assert torch.equal(read, expected[[3, 1]] if vocabulary else samples[[3, 1]])


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (DataShape((2, 12), 3), r"reads images, .*\(2, 12\); use extractor=raw"),
        (DataShape((1, 3, 4, 5), 3), r"reads images, .*\(1, 3, 4, 5\); use extractor=raw"),
        (DataShape((3, 8, 8), 3, value_range=(0.0, 1.0)), r"images of 8 bits, .*\(0.0, 1.0\); use extractor=raw"),
    ],
)
def test_extractors_of_images_refuse_what_is_none(shape, message):
    classifier = Classifier(epochs=1, width=4, dim=4, seed=0, precision="fp32")
    with pytest.raises(ConfigError, match=message):
        classifier.check(shape)
