import hashlib
import random

import numpy as np
import pytest
import torch

from gan_framework.data import Batches, InMemory, images
from gan_framework.errors import ConfigError, RunFailed
from tests.data.making import KINDS, Streamed


def pictures(n=20, channels=3, size=4):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, channels, size, size), dtype=torch.uint8, generator=generator)


def numbered(n=20):
    """Return images that say which they are: sample i is i everywhere, and so is its label."""
    return torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).expand(n, 1, 2, 2), torch.arange(n)


def same(a, b):
    return torch.equal(a.samples, b.samples) and torch.equal(a.labels, b.labels)


@pytest.mark.parametrize("kind", KINDS)
def test_images_become_float32_in_minus_one_to_one(kind):
    samples = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)
    batch = Batches(kind(samples), 3, 0, "cpu")()
    assert batch.samples.dtype == torch.float32
    assert torch.allclose(batch.samples.flatten().sort().values, torch.tensor([-1.0, -0.6, 1.0]))
    assert batch.labels is None


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_and_condition_vectors_are_left_as_they_are(kind):
    vectors = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    batch = Batches(kind(vectors, vectors[:, :2]), 6, 0, "cpu")()
    order = (vectors[None] == batch.samples[:, None]).all(2).float().argmax(1)
    assert torch.equal(batch.samples, vectors[order])
    assert torch.equal(batch.labels, vectors[order, :2])


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_channels_last(kind):
    batch = Batches(kind(pictures()), 8, 0, "cpu", flip=True)()
    assert batch.samples.shape == (8, 3, 4, 4)
    assert batch.samples.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", KINDS)
def test_an_epoch_visits_every_sample_once_with_its_label(kind):
    draw = Batches(kind(*numbered()), 5, 0, "cpu")
    epochs = []
    for _ in range(3):
        batches = [draw() for _ in range(4)]
        seen = torch.cat([((b.samples[:, 0, 0, 0] + 1) * 127.5).round().long() for b in batches])
        assert torch.equal(seen, torch.cat([b.labels for b in batches]))
        assert seen.sort().values.tolist() == list(range(20))
        epochs.append(seen.tolist())
    assert epochs[0] != epochs[1] != epochs[2]
    assert draw.drawn == 12


def test_the_remainder_of_an_epoch_is_dropped():
    draw = Batches(InMemory(*numbered()), 6, 0, "cpu")
    for _ in range(4):
        assert len(set(torch.cat([draw().labels for _ in range(3)]).tolist())) == 18


def test_the_order_follows_from_the_seed():
    first, again, other = (Batches(InMemory(*numbered()), 10, seed, "cpu")().labels for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_and_the_flips_are_those_of_version_0_1_0(kind):
    # A run of that version goes on here with the batches that it would have drawn.
    expected = [
        ([7, 1, 5, 4], [1, 1, 1, 1]),
        ([2, 6, 3, 0], [0, 1, 0, 0]),
        ([1, 5, 0, 7], [1, 0, 1, 1]),
        ([2, 4, 6, 3], [0, 1, 0, 0]),
    ]
    left_to_right = torch.tensor([0, 255], dtype=torch.uint8).expand(8, 1, 1, 2)
    draw = Batches(kind(left_to_right, torch.arange(8)), 4, 5, "cpu", flip=True)
    drawn = [draw() for _ in expected]
    assert [(b.labels.tolist(), (b.samples[:, 0, 0, 0] > 0).int().tolist()) for b in drawn] == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("drawn", [1, 4, 5, 11])
def test_setting_drawn_equals_skipping(kind, drawn):
    data = kind(pictures(), torch.arange(20))
    skipped, resumed = (Batches(data, 4, 3, "cpu", flip=True) for _ in range(2))
    for _ in range(drawn):
        skipped()
    resumed()
    resumed.drawn = drawn
    for _ in range(7):
        assert same(skipped(), resumed())
    assert resumed.drawn == skipped.drawn == drawn + 7


@pytest.mark.parametrize("workers", [0, 2])
def test_streamed_batches_equal_those_from_memory(workers):
    samples, labels = pictures(), torch.arange(20)
    memory = Batches(InMemory(samples, labels), 4, 0, "cpu", flip=True)
    stream = Batches(Streamed(samples, labels), 4, 0, "cpu", flip=True, workers=workers)
    memory.drawn = stream.drawn = 3
    for _ in range(9):
        assert same(memory(), stream())


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_draw_what_one_would(kind):
    data = kind(pictures(22), torch.arange(22))
    one = Batches(data, 6, 0, "cpu", flip=True)
    two = [Batches(data, 6, 0, "cpu", flip=True, rank=rank, world=2) for rank in range(2)]
    for _ in range(8):
        whole, halves = one(), [draw() for draw in two]
        assert torch.equal(whole.samples, torch.cat([half.samples for half in halves]))
        assert torch.equal(whole.labels, torch.cat([half.labels for half in halves]))


def test_flip_mirrors_half_of_the_images_left_to_right():
    samples = pictures(500)
    plain, flipped = (Batches(InMemory(samples), 500, 0, "cpu", flip=flip)().samples for flip in (False, True))
    mirrored = (flipped == plain.flip(3)).flatten(1).all(1)
    assert ((flipped == plain).flatten(1).all(1) ^ mirrored).all()
    assert 200 < mirrored.sum() < 300


def test_an_image_is_flipped_in_some_epochs_only():
    draw = Batches(InMemory(pictures(1)), 1, 0, "cpu", flip=True)
    assert len({draw().samples.numpy().tobytes() for _ in range(20)}) == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_no_global_random_state_is_used(workers):
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    draw = Batches(Streamed(pictures()), 4, 0, "cpu", flip=True, workers=workers)
    for _ in range(7):
        draw()
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


def test_batches_do_not_share_memory_with_the_data():
    data = InMemory(torch.ones(4, 2))
    Batches(data, 4, 0, "cpu")().samples.zero_()
    assert data.samples.min() == 1


@pytest.mark.parametrize("batch_size", [21, 0, -3])
def test_a_batch_that_the_data_cannot_fill_is_refused(batch_size):
    with pytest.raises(ConfigError, match=rf"train.batch_size={batch_size} .*at most 20\b"):
        Batches(InMemory(pictures()), batch_size, 0, "cpu")


@pytest.mark.parametrize(("batch_size", "world", "right"), [(11, 2, 10), (3, 4, 4)])
def test_a_batch_that_processes_cannot_share_is_refused(batch_size, world, right):
    with pytest.raises(ConfigError, match=rf"train.batch_size={batch_size} .*{world} processes; use {right}"):
        Batches(InMemory(pictures()), batch_size, 0, "cpu", world=world)


def test_settings_without_effect_or_sense_are_refused():
    with pytest.raises(ConfigError, match="data.flip"):
        Batches(InMemory(torch.ones(4, 2)), 2, 0, "cpu", flip=True)
    with pytest.raises(ConfigError, match="data.workers=-1"):
        Batches(InMemory(pictures()), 2, 0, "cpu", workers=-1)


class Vanishing(Streamed):
    def read(self, indices):
        raise RunFailed("7.png has gone")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_failure_to_read_reaches_the_user_as_it_was_said(workers):
    draw = Batches(Vanishing(pictures()), 4, 0, "cpu", workers=workers)
    with pytest.raises(RunFailed) as failure:
        draw()
    assert str(failure.value) == "7.png has gone"


def test_images_reads_everything_in_order():
    samples = pictures(10)
    chunks = list(images(InMemory(samples), 4))
    assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    assert torch.equal(torch.cat(chunks), samples)


def test_the_content_hash_is_that_of_the_samples_hashes_and_the_labels():
    samples, labels = pictures(3), torch.tensor([2, 0, 1])
    digests = b"".join(hashlib.sha256(sample.numpy().tobytes()).digest() for sample in samples)
    content = b"3 (3, 4, 4) torch.uint8" + digests + b"(3,) torch.int64" + labels.numpy().tobytes()
    assert InMemory(samples, labels).content_hash() == hashlib.sha256(content).hexdigest()


def test_the_content_hash_tells_apart_what_differs_and_only_that():
    samples, labels = pictures(300), torch.arange(300)
    changed = samples.clone()
    changed[299, 0, 0, 0] += 1
    hashes = [
        InMemory(samples, labels).content_hash(),
        InMemory(samples).content_hash(),
        InMemory(samples, labels.flip(0)).content_hash(),
        InMemory(changed, labels).content_hash(),
        InMemory(samples.flip(0), labels).content_hash(),
        InMemory(samples.view(300, 12, 2, 2), labels).content_hash(),
    ]
    assert len(set(hashes)) == len(hashes)
    assert Streamed(samples, labels).content_hash() == hashes[0]
    last = samples.contiguous(memory_format=torch.channels_last)
    assert InMemory(last, labels.int()).content_hash() == hashes[0]


@pytest.mark.parametrize(
    ("samples", "labels"),
    [
        (torch.zeros(2), None),
        (torch.zeros(2, 4, 4, dtype=torch.uint8), None),
        (torch.zeros(2, 4, 4, dtype=torch.int64), None),
        (torch.zeros(2, 4, dtype=torch.int64), None),
        (torch.zeros(2, 4, dtype=torch.float64), None),
        (torch.zeros(2, 4), torch.zeros(3)),
        (torch.zeros(2, 4), torch.zeros(2, 3, 4)),
    ],
)
def test_what_are_no_samples_is_refused(samples, labels):
    with pytest.raises(ValueError, match="samples"):
        InMemory(samples, labels)
