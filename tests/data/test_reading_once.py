"""Every file is read once before the training, those held out too; what is remembered of that is forgotten in time."""

import os

import pytest
import torch

from gan_framework.data import Batches
from gan_framework.errors import ConfigError, RunFailed
from gan_zoo.datasets.files import FolderFiles
from gan_zoo.datasets.splits import held_out
from tests.data.making import encoded, folder, pack, picture, pixels, source, write


@pytest.fixture
def root(tmp_path):
    return write(tmp_path / "images", {f"{number:02}.png": encoded(picture(number)) for number in range(40)})


HELD = [f"{n:02}.png" for n in range(40) if held_out([f"{n:02}.png".encode()], 0.3)[0]]


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_a_bad_file_that_is_held_out_is_found_before_the_training(root, in_memory_mb):
    (root / HELD[0]).write_bytes(b"broken")
    with pytest.raises(ConfigError, match=f"1 of 40 images cannot be read: {HELD[0]}"):
        folder(root, test_share=0.3, in_memory_mb=in_memory_mb).load("train")
    data = folder(root, test_share=0.3, in_memory_mb=in_memory_mb, on_bad="skip")
    assert (len(data.load("train")), len(data.load("test"))) == (40 - len(HELD), len(HELD) - 1)
    expected = torch.stack([pixels(picture(int(name[:2]))) for name in HELD[1:]])
    assert torch.equal(data.load("test").read(range(len(expected))), expected)


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_a_bad_file_in_the_test_folder_is_found_before_the_training(root, tmp_path, in_memory_mb):
    test = write(tmp_path / "test", {"a.png": encoded(picture(50)), "b.png": b"broken"})
    with pytest.raises(ConfigError, match="test: 1 of 2 images cannot be read: b.png"):
        folder(root, test_path=str(test), in_memory_mb=in_memory_mb).load("train")


def test_a_split_of_which_nothing_can_be_read_is_refused_when_it_is_asked_for(root):
    for name in HELD:
        (root / name).write_bytes(b"broken")
    data = folder(root, test_share=0.3, on_bad="skip")
    assert len(data.load("train")) == 40 - len(HELD)
    with pytest.raises(ConfigError, match="not one image of the split 'test' can be read"):
        data.load("test")


@pytest.mark.parametrize("in_memory_mb", [10, 0])
@pytest.mark.parametrize("first", ["train", "test"])
def test_no_file_is_read_twice_for_two_splits(root, monkeypatch, in_memory_mb, first):
    read = []
    real = FolderFiles.read
    monkeypatch.setattr(FolderFiles, "read", lambda self, name: read.append(name) or real(self, name))
    data = folder(root, test_share=0.3, in_memory_mb=in_memory_mb)
    data.load(first), data.load("train"), data.load("test")
    assert sorted(read) == [f"{number:02}.png" for number in range(40)]


def test_a_bad_test_array_is_found_before_the_training(tmp_path):
    import numpy as np

    np.savez(tmp_path / "a.npz", x=np.zeros((9, 3), np.float32))
    np.savez(tmp_path / "b.npz", x=np.full((9, 3), np.nan, np.float32))
    data = source("npz", path=f"{tmp_path}/a.npz", test_path=f"{tmp_path}/b.npz", image_size=None, y=None)
    with pytest.raises(ConfigError, match=r"b.npz \(x\) has 9 rows .*not finite"):
        data.load("train")


@pytest.mark.parametrize("name", ["images", "images/../images", "link"])
def test_a_test_split_that_is_trained_on_is_reported(root, tmp_path, caplog, name):
    (tmp_path / "link").symlink_to(root)
    folder(root, test_path=f"{tmp_path}/{name}")
    assert "is data.path: the split 'test' is what is trained on" in caplog.text
    caplog.clear()
    folder(root, test_path=str(write(tmp_path / "other", {"a.png": encoded(picture(1))})))
    assert not caplog.text


# -- what is remembered ---------------------------------------------------------------------------


def replace(root, names, start):
    """Put other images of the same size, with the same time, in the place of some; as a copy with times would."""
    for number, name in enumerate(names):
        path = root / name
        before = path.stat()
        content = encoded(picture(start + number), "PPM")
        assert len(content) == before.st_size
        path.unlink()
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def plain(tmp_path):
    return write(tmp_path / "plain", {f"{number:02}.ppm": encoded(picture(number), "PPM") for number in range(40)})


def test_other_images_of_the_same_size_and_time_are_seen(plain):
    before = folder(plain, in_memory_mb=0).load("train").content_hash()
    replace(plain, ["03.ppm", "05.ppm"], start=100)
    streamed, held = (folder(plain, in_memory_mb=mb).load("train").content_hash() for mb in (0, 10))
    assert streamed == held != before


def test_other_files_of_the_same_size_in_a_zip_are_seen(tmp_path):
    hashes = []
    for start in (0, 100):
        files = {f"{number}.ppm": encoded(picture(start + number), "PPM") for number in range(20)}
        hashes.append(folder(pack(tmp_path / "a.zip", files), in_memory_mb=0).load("train").content_hash())
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("workers", [0, 1])
def test_what_turns_out_to_be_stale_is_forgotten(plain, own_cache, monkeypatch, workers):
    # A file system without inodes and times that can be trusted.
    monkeypatch.setattr(FolderFiles, "_stamp", lambda self, name: ((self.path / name).stat().st_size,))
    folder(plain, in_memory_mb=0, test_share=0).load("train")
    assert len(list(own_cache.rglob("scans/*.npz"))) == 1
    replace(plain, ["03.ppm"], start=100)
    stale = folder(plain, in_memory_mb=0, test_share=0).load("train")
    with pytest.raises(RunFailed, match="03.ppm is another image than before it. The next run reads all images anew"):
        Batches(stale, 40, 0, "cpu", workers=workers)()
    assert not list(own_cache.rglob("scans/*.npz"))
    fresh = folder(plain, in_memory_mb=0, test_share=0).load("train")
    assert torch.equal(fresh.read([3])[0], pixels(picture(100)))


def test_an_image_that_can_no_longer_be_read_is_forgotten_too(plain, own_cache):
    streamed = folder(plain, in_memory_mb=0, test_share=0).load("train")
    (plain / "03.ppm").write_bytes(b"broken")
    with pytest.raises(RunFailed, match="03.ppm"):
        streamed.read([3])
    assert not list(own_cache.rglob("scans/*.npz"))


def test_the_share_changes_nothing_of_what_is_remembered(plain, monkeypatch):
    folder(plain, in_memory_mb=0, test_share=0.1).load("train")
    monkeypatch.setattr("gan_zoo.datasets.scanning.decode", None)
    data = folder(plain, in_memory_mb=0, test_share=0.4)
    assert len(data.load("train")) + len(data.load("test")) == 40


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_files_of_several_images_are_reported(root, in_memory_mb, caplog):
    settings = {"in_memory_mb": in_memory_mb, "test_share": 0}
    folder(root, **settings).load("train")
    assert "several images" not in caplog.text
    pages = {"save_all": True, "append_images": [picture(101), picture(102)]}
    names = {"a.tiff": "TIFF", "b.png": "PNG", "c.webp": "WEBP", "d.gif": "GIF"}
    write(root, {name: encoded(picture(100), format, **pages) for name, format in names.items()})
    write(root, {"e.jpg": encoded(picture(100), "MPO", **pages)})  # a photo with previews
    for _ in range(2):  # read, and remembered
        caplog.clear()
        train = folder(root, **settings).load("train")
        assert "4 of 45 files hold several images (pages, frames), of which the first is used" in caplog.text
    assert torch.equal(train.read([40])[0], pixels(picture(100)))


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_a_class_that_the_training_never_sees_is_reported(tmp_path, two_classes, in_memory_mb, caplog):
    root = write(tmp_path / "r", {**two_classes, "fox/1.png": b"broken"})
    data = folder(root, on_bad="skip", in_memory_mb=in_memory_mb, test_share=0)
    assert data.classes == ("cat", "dog", "fox")
    data.load("train")
    assert "the split 'train' has no image of fox" in caplog.text
