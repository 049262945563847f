"""Samples of every shape and type, in memory and streamed."""

import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.data import Batches, DataSource, InMemory, one_hot, shape_of
from gan_framework.errors import ConfigError
from tests.data.making import KINDS

SHAPES = {
    "vectors": (5,),
    "sequences": (2, 9),
    "images": (4, 3, 6),
    "volumes": (2, 3, 4, 5),
    "videos": (4, 3, 2, 6),
}
IN_8_BITS = {"images": (5, 3, 6), "volumes": (1, 3, 4, 5), "videos": (4, 3, 2, 6)}
N = 12


def random():
    return torch.Generator().manual_seed(3)


def floats(shape):
    return torch.rand(N, *shape, generator=random()) * 2 - 1


def bytes_(shape):
    return torch.randint(0, 256, (N, *shape), dtype=torch.uint8, generator=random())


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_floats_of_any_shape_are_kept_to_the_bit(kind, shape, flip):
    samples = floats(shape)
    if flip and len(shape) < 3:
        pytest.raises(ConfigError, Batches, kind(samples), 6, 0, "cpu", flip=True).match(r"data.flip=true .*shape \(")
        return
    draw = Batches(kind(samples), 6, 0, "cpu", flip=flip)
    mirrored = 0
    for _ in range(4):
        batch = draw()
        assert batch.samples.dtype == torch.float32
        for sample, position in zip(batch.samples, batch.index, strict=True):
            straight = torch.equal(sample, samples[position])
            assert straight or (flip and torch.equal(sample, samples[position].flip(-1)))
            mirrored += not straight
    assert (0 < mirrored < 24) == flip


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", IN_8_BITS.values(), ids=IN_8_BITS)
def test_samples_of_8_bits_are_brought_to_minus_one_to_one(kind, shape, flip):
    samples = bytes_(shape)
    batch = Batches(kind(samples), N, 0, "cpu", flip=flip)()
    wanted = samples[batch.index].float() / 127.5 - 1
    straight = (batch.samples == wanted).flatten(1).all(1)
    mirrored = (batch.samples == wanted.flip(-1)).flatten(1).all(1)
    assert (straight | mirrored).all()
    assert bool(mirrored.any()) == flip


@pytest.mark.parametrize("kind", KINDS)
def test_images_and_volumes_are_laid_out_as_convolutions_read_them_fastest(kind):
    image, volume = (Batches(kind(floats(SHAPES[name])), 6, 0, "cpu")().samples for name in ("images", "volumes"))
    assert image.is_contiguous(memory_format=torch.channels_last)
    assert volume.is_contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_one_hot_and_their_lengths_an_extra(kind):
    tokens = torch.randint(0, 7, (N, 5), generator=random())
    lengths = torch.arange(N) % 5 + 1
    draw = Batches(kind(tokens, extra={"length": lengths}, vocabulary=7), 6, 0, "cpu")
    for _ in range(3):
        batch = draw()
        assert (batch.samples.shape, batch.samples.dtype) == ((6, 5, 7), torch.float32)
        assert torch.equal(batch.samples, torch.nn.functional.one_hot(tokens[batch.index], 7).float())
        assert batch.extra["length"].dtype == torch.int64
        assert torch.equal(batch.extra["length"], lengths[batch.index])


def test_one_hot_has_its_one_at_each_token():
    assert one_hot(torch.tensor([[2, 0]]), 3).tolist() == [[[0, 0, 1], [1, 0, 0]]]


@pytest.mark.parametrize("tokens", [[[0, 7]], [[-1, 2]]])
def test_tokens_outside_the_vocabulary_are_refused(tokens):
    with pytest.raises(ValueError, match="vocabulary=7"):
        InMemory(torch.tensor(tokens), vocabulary=7)


def test_a_vocabulary_of_what_are_no_tokens_is_refused():
    with pytest.raises(ValueError, match="vocabulary=7, but samples are float32"):
        InMemory(torch.zeros(2, 5), vocabulary=7)


@pytest.mark.parametrize("kind", KINDS)
def test_the_index_is_where_a_sample_is_in_its_source(kind):
    samples = floats((5,))
    for rank in range(2):
        batch = Batches(kind(samples), 6, 0, "cpu", rank=rank, world=2)()
        assert batch.index.dtype == torch.int64
        assert torch.equal(batch.samples, samples[batch.index])


class Said(DataSource):
    """A source of which only the shape is asked."""

    def __init__(self, shape):
        self.shape = shape

    def load(self, split):
        raise AssertionError("nothing is loaded to know a shape")


def test_the_shape_takes_up_what_the_split_knows():
    tokens = InMemory(torch.zeros(4, 5, dtype=torch.int64), None, {"length": torch.zeros(4)}, 7)
    shape = shape_of(Said(DataShape((5, 7))), tokens)
    assert shape == DataShape((5, 7), extra={"length": ()}, vocabulary=7, size=4)
    masked = InMemory(bytes_((3, 4, 4)), torch.zeros(N), {"mask": bytes_((1, 4, 4))})
    shape = shape_of(Said(DataShape((3, 4, 4), 1)), masked)
    assert shape == DataShape((3, 4, 4), 1, extra={"mask": (1, 4, 4)}, size=N)
    assert shape.is_8_bit
    volumes = shape_of(Said(DataShape((1, 3, 4, 5), value_range=(-1.0, 1.0))), InMemory(floats((1, 3, 4, 5))))
    assert (volumes.is_8_bit, volumes.value_range, volumes.size) == (False, (-1.0, 1.0), N)


@pytest.mark.parametrize(
    ("shape", "data", "message"),
    [
        (DataShape((3, 4, 4)), InMemory(floats((3, 4, 4))), r"float32 \(1, 3, 4, 4\), but shape.value_range=None"),
        (DataShape((2, 3, 4, 4)), InMemory(floats((2, 3, 4, 4))), "shape.value_range=None"),
        (DataShape((3, 4, 4), value_range=(0, 1)), InMemory(bytes_((3, 4, 4))), r"uint8 .*value_range=\(0, 1\)"),
        (DataShape((5, 8), vocabulary=8), InMemory(torch.ones(1, 5).long(), vocabulary=7), "vocabulary=8, .* 7 symb"),
    ],
)
def test_samples_that_are_not_what_their_source_says_are_refused(shape, data, message):
    with pytest.raises(ConfigError, match=message):
        shape_of(Said(shape), data)


def test_vectors_sequences_and_declared_floats_are_not_of_8_bits():
    for shape in (DataShape((5,)), DataShape((2, 9)), DataShape((3, 4, 4), value_range=(-1.0, 1.0))):
        assert not shape.is_8_bit
    for sample in IN_8_BITS.values():
        assert DataShape(sample).is_8_bit
