"""What is left out, against distances compared pair by pair, in memory and streamed; and that runs stay exact."""

import logging

import numpy as np
import pytest
import torch

from gan_framework.data import Batches, Data, InMemory, Sources
from gan_framework.data.near_duplicates import Part, _sketch, without_near_duplicates
from gan_framework.errors import ConfigError


class Streamed(Data):
    """Reads what it is asked for, and remembers how much it was asked for at once."""

    def __init__(self, data):
        self.data = data
        self.labels = data.labels
        self.most = 0

    def __len__(self):
        return len(self.data)

    def read(self, indices):
        self.most = max(self.most, len(indices))
        return self.data.read(indices)

    def read_extra(self, indices):
        return self.data.read_extra(indices)


def distances(a, others):
    """The roots of the mean squared differences of a sample from others, in NumPy."""
    scale = 255 if a.dtype == torch.uint8 else 1
    difference = (others.double().numpy() - a.double().numpy()) / scale
    return np.sqrt(np.mean(difference.reshape(len(others), a.numel()) ** 2, 1))


def by_hand(samples, threshold):
    kept = []
    for i, sample in enumerate(samples):
        if (distances(sample, samples[kept]) > threshold).all():
            kept.append(i)
    return kept


def images(n, seed=0, size=(1, 30, 30), kinds=40):
    """A few random images, each with a random amount of noise, so that distances of all sizes occur."""
    random = torch.Generator().manual_seed(seed)
    base = torch.randint(256, (kinds, *size), generator=random)
    noise = torch.randn(n, *size, generator=random) * torch.rand(n, *[1] * len(size), generator=random) * 20
    return (base[torch.randint(kinds, (n,), generator=random)] + noise).round().clamp(0, 255).to(torch.uint8)


def data_of(samples):
    n = len(samples)
    return InMemory(samples, torch.arange(n) % 7, {"number": torch.arange(n)})


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", ["grey", "colour", "vectors"])
@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.04, 0.08])
def test_what_stays_is_what_is_far_from_all_that_stayed_before(kind, threshold, streamed):
    samples = {
        "grey": lambda: images(600),
        "colour": lambda: images(300, size=(3, 12, 12)),
        "vectors": lambda: torch.cat([x := images(300, size=(1, 1, 9)).flatten(1).float() / 255, x[:20]]),
    }[kind]()
    data = data_of(samples)
    expected = by_hand(samples, threshold)
    found = without_near_duplicates(Streamed(data) if streamed else data, threshold)
    assert isinstance(found, Streamed if streamed and len(expected) == len(samples) else Part if streamed else InMemory)
    assert found.read_extra(range(len(found)))["number"].tolist() == expected
    assert torch.equal(found.read(range(len(found))), samples[expected])
    assert torch.equal(found.labels, data.labels[expected])
    if threshold == 0.08:
        assert 5 < len(expected) < len(samples) / 2  # so that something stays and something goes


def test_a_distance_at_the_threshold_is_near_and_one_above_it_is_not():
    samples = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    samples[1] = 51  # a fifth of 255 away
    samples[2] = 103
    assert len(without_near_duplicates(data_of(samples), 0.2)) == 2
    assert without_near_duplicates(data_of(samples), 0.2).extra["number"].tolist() == [0, 2]
    assert len(without_near_duplicates(data_of(samples), 0.1999)) == 3


def test_differences_that_are_invisible_in_float32_are_compared_exactly():
    samples = torch.full((4, 3000), 1000.0)
    samples[1, 0] += 1e-3  # a 55,000th of the norm
    samples[2, 0] += 1e-1
    threshold = 1e-2 / 3000**0.5  # a difference of 0.01 in one value
    assert without_near_duplicates(data_of(samples), threshold).extra["number"].tolist() == [0, 2]


@pytest.mark.parametrize("size", [(1, 8, 8), (1, 28, 28), (3, 64, 64), (3, 37, 11)])
def test_sketches_are_small_and_never_farther_apart_than_samples(size):
    samples = images(60, size=size)
    sketches = _sketch(samples)
    assert sketches.shape[1] <= 256
    apart = torch.cdist(sketches.double(), sketches.double())
    truly = torch.cdist(*[samples.flatten(1).double() / 255] * 2)
    assert (apart <= truly + 1e-4).all()
    assert samples[0].numel() > 256 or torch.allclose(apart, truly, atol=1e-3)


def test_streamed_data_are_read_in_pieces_and_keep_their_hash():
    streamed = Streamed(data_of(images(700)))
    found = without_near_duplicates(streamed, 0.03)
    assert streamed.most <= 256
    assert found.content_hash() == without_near_duplicates(streamed.data, 0.03).content_hash()
    assert found.content_hash() != streamed.content_hash()


def test_batches_of_them_resume_in_the_middle():
    found = [without_near_duplicates(data_of(images(300)), 0.05) for _ in range(2)]
    whole, resumed = (Batches(data, 8, seed=3, device="cpu") for data in found)
    drawn = [whole() for _ in range(9)]
    resumed.drawn = 5
    for batch in drawn[5:]:
        again = resumed()
        assert torch.equal(again.samples, batch.samples) and torch.equal(again.index, batch.index)


def test_it_says_what_it_left_out(caplog):
    samples = images(6, kinds=6)
    samples[3], samples[5] = samples[1], samples[1]
    with caplog.at_level(logging.INFO):
        without_near_duplicates(data_of(samples), 0)
        without_near_duplicates(data_of(samples[:3]), 0, "sources.b.drop_near_duplicates")
    assert caplog.messages == [
        "data.drop_near_duplicates=0: 2 of 6 samples are left out, as near-duplicates of earlier ones: "
        "3 like 1, 5 like 1",
        "sources.b.drop_near_duplicates=0: all 3 samples differ by more",
    ]


@pytest.mark.slow
def test_digits_have_near_duplicates():
    data = Sources({"name": "digits", "image_size": 8, "channels": 1, "num_classes": 10}, {}).first.load("train")
    assert without_near_duplicates(data, None) is data
    assert without_near_duplicates(data, 0.0) is data  # no copies
    found = without_near_duplicates(data, 0.08)
    assert len(found) == len(by_hand(data.samples, 0.08)) < len(data) == 1442


@pytest.mark.parametrize("threshold", [-0.1, True, "0.1", float("inf"), float("nan")])
def test_what_is_no_distance_is_refused(threshold):
    with pytest.raises(ConfigError, match=r"data.drop_near_duplicates=.* must be a number of at least 0, or null"):
        without_near_duplicates(data_of(images(3)), threshold)


def test_tokens_are_refused():
    data = InMemory(torch.zeros(4, 5, dtype=torch.int64), vocabulary=3)
    with pytest.raises(ConfigError, match="tokens, which have no distance"):
        without_near_duplicates(data, 0.1)
