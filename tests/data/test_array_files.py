"""Arrays in `.npy` and HDF5 files are those of an `.npz` file, and what leads out of a file is refused."""

import h5py
import numpy as np
import pytest
import torch

from gan_framework.errors import ConfigError
from tests.data.making import source

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (20, 6, 5, 3), dtype=np.uint8)
CLASSES = np.arange(20) % 4
VECTORS = RANDOM.normal(size=(20, 5)).astype(">f8")


def hdf5(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name.replace("__", "/"), data=array, compression="gzip")
    return str(path)


def test_hdf5_equals_npz(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.array_sizes.CHUNK", 7 * IMAGES[0].nbytes)
    np.savez(tmp_path / "a.npz", x=IMAGES, y=CLASSES)
    of_npz = source("npz", path=f"{tmp_path}/a.npz", test_share=0.3)
    path = hdf5(tmp_path / "a.h5", train__images=IMAGES, train__labels=CLASSES)
    of_hdf5 = source("npz", path=path, x="train/images", y="train/labels", test_share=0.3)
    assert of_hdf5.shape == of_npz.shape and of_hdf5.shape.sample == (3, 6, 5)
    for split in ("train", "test"):
        assert of_hdf5.load(split).content_hash() == of_npz.load(split).content_hash()


def test_npy_is_the_array_x(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.array_sizes.CHUNK", 7 * VECTORS[0].nbytes)
    np.save(tmp_path / "a.npy", VECTORS)
    data = source("npz", path=f"{tmp_path}/a.npy", test_share=0).load("train")
    assert torch.equal(data.read(range(20)), torch.from_numpy(VECTORS.astype(np.float32)))
    assert data.labels is None
    with pytest.raises(ConfigError, match="has no array data.y=kind; it has x; data.y=null"):
        source("npz", path=f"{tmp_path}/a.npy", y="kind").load("train")


def test_arrays_that_many_call_so_are_proposed(tmp_path):
    np.savez(tmp_path / "a.npz", labels=np.arange(20), images=IMAGES[:20])
    with pytest.raises(ConfigError, match=r"has no array data.x=x; it has labels, images: set data.x=images$"):
        source("npz", path=f"{tmp_path}/a.npz")
    with pytest.raises(ConfigError, match=r"data.y=y; it has labels, images: set data.y=labels; data.y=null for"):
        source("npz", path=f"{tmp_path}/a.npz", x="images").load("train")


def test_what_leads_out_of_an_hdf5_file_is_refused(tmp_path):
    other = hdf5(tmp_path / "other.h5", x=IMAGES)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["linked"] = h5py.ExternalLink(other, "x")
        file["soft"] = h5py.SoftLink("/linked")
        layout = h5py.VirtualLayout(IMAGES.shape, np.uint8)
        layout[:] = h5py.VirtualSource(other, "x", IMAGES.shape)
        file.create_virtual_dataset("virtual", layout)
        raw = [(str(tmp_path / "raw"), 0, IMAGES.nbytes)]
        (tmp_path / "raw").write_bytes(IMAGES.tobytes())
        file.create_dataset("outside", IMAGES.shape, np.uint8, external=raw)
    for name, why in (
        ("linked", "is a link"),
        ("soft", "is a link"),
        ("virtual", "from other files"),
        ("outside", "from other files"),
    ):
        with pytest.raises(ConfigError, match=why):
            source("npz", path=f"{tmp_path}/a.h5", x=name, y=None)


def test_mistakes_name_the_arrays(tmp_path):
    path = hdf5(tmp_path / "a.h5", g__images=IMAGES)
    with h5py.File(path, "a") as file:
        file["text"] = ["a", "bc"]
        file["one"] = 3
        file.create_dataset("huge", (10**9, 10**6), np.uint8, chunks=(1, 10**6))
    for key, why in (
        ("x", r"has no array data.x=x; it has g/images, huge, one, text"),
        ("g", r"has no array data.x=g; it has g/images"),
        ("g/images/x", "has no array"),
        ("text", "holds texts"),
        ("one", "single number"),
        ("huge", "more than this machine's memory"),
    ):
        with pytest.raises(ConfigError, match=why):
            source("npz", path=path, x=key, y=None)


@pytest.mark.parametrize("name", ["a.npy", "a.h5"])
def test_damaged_files_are_refused(tmp_path, name):
    path = tmp_path / name
    np.save(path, IMAGES) if name == "a.npy" else hdf5(path, x=IMAGES)
    if not path.exists():
        path = tmp_path / "a.npy"
    content = path.read_bytes()
    for damaged in (b"", content[:60], content[: len(content) // 2], b"\0" * 100):
        path.write_bytes(damaged)
        with pytest.raises(ConfigError, match="cannot be read|no array"):
            source("npz", path=str(path), y=None).load("train")
    with pytest.raises(ConfigError, match="is not a regular file"):
        source("npz", path=str(tmp_path / f"missing{path.suffix}"), y=None)


def test_objects_in_npy_are_never_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    with pytest.raises(ConfigError, match="pickled"):
        source("npz", path=f"{tmp_path}/a.npy", y=None)
