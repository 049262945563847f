"""Further tensors of a sample: a paired image, a mask, a vector, a length."""

import hashlib

import pytest
import torch

from gan_framework.data import Batches, InMemory
from gan_framework.errors import ConfigError
from tests.data.making import KINDS, Streamed

N = 16


def random(seed):
    return torch.Generator().manual_seed(seed)


SAMPLES = torch.randint(0, 256, (N, 3, 4, 6), dtype=torch.uint8, generator=random(0))
EXTRA = {
    "paired": torch.randint(0, 256, (N, 1, 4, 6), dtype=torch.uint8, generator=random(1)),
    "depth": torch.randn(N, 1, 2, 5, generator=random(2)),
    "text": torch.randn(N, 7, generator=random(3)),
    "length": torch.randint(0, 9, (N,), generator=random(4)),
    "frames": torch.randint(0, 256, (N, 2, 3, 4, 6), dtype=torch.uint8, generator=random(5)),
}
MIRRORS = {"paired": True, "depth": True, "text": False, "length": False, "frames": True}


def as_networks_see(tensor):
    return tensor.float() / 127.5 - 1 if tensor.dtype == torch.uint8 else tensor


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_extras_travel_with_their_sample(kind, workers):
    draw = Batches(kind(SAMPLES, extra=EXTRA), 5, 0, "cpu", workers=workers)
    for _ in range(7):
        batch = draw()
        assert torch.equal(batch.samples, as_networks_see(SAMPLES[batch.index]))
        assert batch.extra.keys() == EXTRA.keys()
        for name, tensor in EXTRA.items():
            assert torch.equal(batch.extra[name], as_networks_see(tensor[batch.index])), name


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_mirrored_is_mirrored_with_its_sample_and_the_rest_is_not(kind):
    batch = Batches(kind(SAMPLES, extra=EXTRA), N, 0, "cpu", flip=True, mirrors=MIRRORS)()
    mirrored = [
        torch.equal(sample, as_networks_see(SAMPLES[position].flip(-1)))
        for sample, position in zip(batch.samples, batch.index, strict=True)
    ]
    assert 0 < sum(mirrored) < N
    for name, tensor in EXTRA.items():
        for extra, position, turned in zip(batch.extra[name], batch.index, mirrored, strict=True):
            expected = as_networks_see(tensor[position])
            assert torch.equal(extra, expected.flip(-1) if turned and MIRRORS[name] else expected), name


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_that_is_not_to_be_mirrored_stays_as_it_is(kind):
    data = kind(SAMPLES, extra={"paired": EXTRA["paired"]})
    batch = Batches(data, N, 0, "cpu", flip=True, mirrors={"paired": False})()
    assert not torch.equal(batch.samples, as_networks_see(SAMPLES[batch.index]))
    assert torch.equal(batch.extra["paired"], as_networks_see(EXTRA["paired"][batch.index]))


def test_extras_change_neither_the_order_nor_the_flips():
    plain = Batches(InMemory(SAMPLES), 5, 0, "cpu", flip=True)
    with_extras = Batches(InMemory(SAMPLES, extra=EXTRA), 5, 0, "cpu", flip=True, mirrors=MIRRORS)
    for _ in range(7):
        assert torch.equal(plain().samples, with_extras().samples)


@pytest.mark.parametrize("kind", KINDS)
def test_an_extra_of_which_nothing_is_said_refuses_the_flip_by_name(kind):
    data = kind(SAMPLES, extra=EXTRA)
    with pytest.raises(ConfigError, match=r"data.flip=true.* extra 'text' .*data.flip=false"):
        Batches(data, 4, 0, "cpu", flip=True, mirrors={name: on for name, on in MIRRORS.items() if name != "text"})
    with pytest.raises(ConfigError, match=r"data.flip=true.* extra 'text' has the shape \(7,\)"):
        Batches(data, 4, 0, "cpu", flip=True, mirrors={**MIRRORS, "text": True})


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"text": torch.zeros(N - 1, 2)}, "16 samples cannot have the extra 'text' of shape"),
        ({"text": torch.tensor(1.0)}, "cannot have the extra 'text'"),
        ({"text": torch.zeros(N, 2, dtype=torch.float64)}, "'text' is float64"),
        ({"flag": torch.zeros(N, dtype=torch.bool)}, "'flag' is bool"),
        ({"flag": torch.zeros(N, 3, dtype=torch.uint8)}, "'flag' is uint8"),
        ({"samples": torch.zeros(N, 3)}, "cannot be named 'samples'"),
    ],
)
def test_extras_that_do_not_belong_to_the_samples_are_refused(extra, message):
    with pytest.raises(ValueError, match=message):
        InMemory(SAMPLES, extra=extra)


# -- the content's hash ---------------------------------------------------------------------------


def test_the_hash_of_data_without_extras_is_that_of_version_0_1_0():
    # Cached features and the protocols of finished runs are known by these.
    images = InMemory(torch.arange(24, dtype=torch.uint8).view(2, 1, 3, 4), torch.tensor([1, 0]))
    assert images.content_hash() == "3df0a496dfbb378ab1f4d92b98a484fb797a12de546a1cf09729702d0de8427f"
    vectors = InMemory(torch.arange(6.0).view(3, 2), torch.arange(3.0).view(3, 1))
    assert vectors.content_hash() == "fbaa5973e7988ffd2f16137a193f6cc068ccca039fe1f827b09cd8cc7345e3a1"


def test_the_hash_tells_apart_extras_that_differ_and_only_those():
    changed = {**EXTRA, "text": EXTRA["text"].clone()}
    changed["text"][N - 1, 6] += 1
    renamed = {("word" if name == "text" else name): tensor for name, tensor in EXTRA.items()}
    reshaped = {**EXTRA, "depth": EXTRA["depth"].view(N, 1, 5, 2)}
    variants = (None, EXTRA, changed, renamed, reshaped, {"text": EXTRA["text"]})
    hashes = [InMemory(SAMPLES, extra=extra).content_hash() for extra in variants]
    assert len(set(hashes)) == len(variants)
    other_order = dict(reversed(EXTRA.items()))
    assert Streamed(SAMPLES, extra=other_order).content_hash() == hashes[1]


def test_the_hash_with_extras_is_the_plain_one_and_then_each_extra():
    samples, text = torch.zeros(2, 1), torch.tensor([[1.0], [2.0]])
    digests = b"".join(hashlib.sha256(sample.numpy().tobytes()).digest() for sample in samples)
    extra = hashlib.sha256(b"text (1,) torch.float32" + text.numpy().tobytes()).digest()
    whole = hashlib.sha256(b"2 (1,) torch.float32" + digests + extra).hexdigest()
    assert InMemory(samples, extra={"text": text}).content_hash() == whole
