"""Images that are held in memory are decoded once; the next start finds their pixels in the cache."""

import logging

import numpy as np
import pytest
import torch

from gan_framework.errors import ConfigError
from tests.data.making import encoded, folder, picture, pixels, write


@pytest.fixture
def root(tmp_path):
    return write(tmp_path / "images", {f"{number:02}.png": encoded(picture(number)) for number in range(40)})


@pytest.fixture
def decoded(monkeypatch):
    """Count the images that are decoded."""
    from gan_zoo.datasets import scanning

    calls, real = [], scanning.decode
    monkeypatch.setattr("gan_zoo.datasets.scanning.decode", lambda content: calls.append(1) or real(content))
    return calls


def entries(cache):
    return list(cache.rglob("scans/*.npz"))


def test_the_second_start_decodes_nothing_and_has_the_same(root, decoded):
    write(root, {"zz.png": b"broken"})
    first, second = (folder(root, on_bad="skip") for _ in range(2))
    before = {split: first.load(split) for split in ("train", "test")}
    assert len(decoded) == 41
    for split, data in before.items():
        again = second.load(split)
        assert again.content_hash() == data.content_hash()
        assert again.samples.is_contiguous(memory_format=torch.channels_last)
    assert len(decoded) == 41
    with pytest.raises(ConfigError, match=r"1 of 41 images cannot be read: zz.png"):
        folder(root, on_bad="refuse").load("train")


def test_a_folder_that_changes_is_read_anew_and_kept_once(root, decoded, own_cache, caplog):
    caplog.set_level(logging.WARNING)
    folder(root, test_share=0).load("train")
    write(root, {"03.png": encoded(picture(100)), "99.png": encoded(picture(99))})
    train = folder(root, test_share=0).load("train")
    assert torch.equal(train.read([3, 40]), torch.stack([pixels(picture(100)), pixels(picture(99))]))
    assert (len(decoded), len(entries(own_cache))) == (81, 1)
    assert folder(root, test_share=0).load("train").content_hash() == train.content_hash()
    assert len(decoded) == 81 and not caplog.text


def test_another_size_is_another_entry(root, own_cache):
    for image_size in (8, 6, 8):
        assert folder(root, image_size=image_size).load("train").samples.shape[2:] == (image_size, image_size)
    assert len(entries(own_cache)) == 2


@pytest.mark.parametrize(("name", "array"), [
    ("pixels", np.zeros((40, 3, 8, 8), np.uint8)),
    ("pixels", np.zeros((39, 8, 8, 3), np.uint8)),
    ("pixels", np.zeros((40, 8, 8, 3), np.float32)),
    ("digests", np.zeros((39, 32), np.uint8)),
    ("digests", None),
    ("counts", np.zeros(3, np.int64)),
    ("bad", np.frombuffer(b"[]", np.uint8)),
    ("files", None),
])  # fmt: skip
def test_what_is_no_entry_is_made_anew(root, own_cache, caplog, name, array):
    before = folder(root).load("train").content_hash()
    (entry,) = entries(own_cache)
    with np.load(entry) as stored:
        arrays = {key: stored[key] for key in stored.files if key != name}
    np.savez(entry, **arrays, **({} if array is None else {name: array}))
    assert folder(root).load("train").content_hash() == before
    assert "cannot be used and is made anew" in caplog.text


def test_large_sets_are_not_kept(root, decoded, own_cache, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.scanning.KEPT", 40 * 3 * 8 * 8 - 1)
    for _ in range(2):
        folder(root).load("train")
    assert (len(decoded), entries(own_cache)) == (80, [])


def test_images_are_not_copied_into_another_layout(root):
    data = folder(root, test_share=0.3)
    train, test = data.load("train").samples, data.load("test").samples
    assert train.untyped_storage().data_ptr() == test.untyped_storage().data_ptr()
