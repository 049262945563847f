import io
import pickle

import pytest
import torch
from PIL import Image

from gan_framework.data import Batches, InMemory
from gan_framework.errors import ConfigError, RunFailed
from gan_zoo.datasets.files import FolderFiles, ZipFiles
from gan_zoo.datasets.image_files import HeldImages, ImageFiles
from tests.data.making import encoded, folder, pack, picture, pixels, write


@pytest.fixture(params=["folder", "zip"])
def place(request, tmp_path, two_classes):
    if request.param == "folder":
        return write(tmp_path / "images", two_classes)
    return pack(tmp_path / "images.zip", two_classes)


# -- what is read --------------------------------------------------------------------------------


def test_subfolders_are_classes_in_the_order_of_their_names(place, two_classes):
    data = folder(place, test_share=0)
    assert (data.classes, data.shape[:3]) == (("cat", "dog"), ((3, 8, 8), 2, 0))
    train = data.load("train")
    names = sorted(two_classes)
    assert train.labels.tolist() == [int(name.startswith("dog")) for name in names]
    expected = torch.stack([pixels(Image.open(io.BytesIO(two_classes[name]))) for name in names])
    assert torch.equal(train.read(range(len(names))), expected)


def test_the_held_out_share_is_fixed_and_disjoint(place, two_classes):
    everything = folder(place, test_share=0).load("train")
    train, test = (folder(place, test_share=0.25).load(split) for split in ("train", "test"))
    assert len(everything) == 33 == len(train) + len(test) and 3 < len(test) < 16
    held = {image.numpy().tobytes() + bytes([label]) for image, label in zip(test.samples, test.labels, strict=True)}
    kept = {image.numpy().tobytes() + bytes([label]) for image, label in zip(train.samples, train.labels, strict=True)}
    assert not held & kept
    assert len(held | kept) == 33
    assert test.content_hash() == folder(place, test_share=0.25).load("test").content_hash()


def test_test_path_is_the_test_split_with_the_classes_of_path(place, tmp_path):
    test = write(tmp_path / "test", {"dog/1.png": encoded(picture(50)), "cat/1.png": encoded(picture(51))})
    data = folder(place, test_path=str(test))
    assert len(data.load("train")) == 33
    assert data.load("test").labels.tolist() == [0, 1]
    write(test, {"fox/1.png": encoded(picture(52))})
    with pytest.raises(ConfigError, match="data.test_path.*'fox'.*cat, dog"):
        folder(place, test_path=str(test)).load("test")


def test_a_test_split_may_have_one_class_only(place, tmp_path):
    test = write(tmp_path / "test", {"dog/1.png": encoded(picture(50)), "dog/2.png": encoded(picture(51))})
    assert folder(place, test_path=str(test)).load("test").labels.tolist() == [1, 1]


def test_images_in_the_root_have_no_labels(tmp_path):
    root = write(tmp_path / "r", {f"{i}.png": encoded(picture(i)) for i in range(4)})
    data = folder(root, test_share=0)
    assert (data.classes, data.shape.num_classes, data.load("train").labels) == ((), 0, None)


def test_a_single_folder_around_everything_is_no_class(tmp_path, two_classes):
    packed = pack(tmp_path / "a.zip", {f"pets/{name}": content for name, content in two_classes.items()})
    assert folder(packed).classes == ("cat", "dog")


def test_a_linked_folder_is_a_class_like_others(tmp_path, two_classes):
    root = write(tmp_path / "r", two_classes)
    (root / "fox").symlink_to(write(tmp_path / "elsewhere", {"1.png": encoded(picture(1))}))
    data = folder(root, test_share=0)
    assert data.classes == ("cat", "dog", "fox")
    assert len(data.load("train")) == 34


# -- streaming -----------------------------------------------------------------------------------


def test_streamed_equals_in_memory(place):
    sources = [folder(place, in_memory_mb=mb, test_share=0.3) for mb in (100, 0)]
    memory, stream = (source.load("train") for source in sources)
    assert (type(memory), type(stream)) == (HeldImages, ImageFiles)
    assert torch.equal(memory.read([3, 1, 19]), stream.read(torch.tensor([3, 1, 19])))
    assert len({source.load("test").content_hash() for source in sources}) == 1
    assert memory.content_hash() == stream.content_hash() == InMemory(memory.samples, memory.labels).content_hash()
    for workers in (0, 2):
        a = Batches(memory, 8, 0, "cpu", flip=True)
        b = Batches(stream, 8, 0, "cpu", flip=True, workers=workers)
        a.drawn = b.drawn = 2
        for _ in range(6):
            p, q = a(), b()
            assert torch.equal(p.samples, q.samples) and torch.equal(p.labels, q.labels)


def test_streamed_digests_are_those_of_what_is_read(place):
    stream = folder(place, in_memory_mb=0).load("train")
    fresh = ImageFiles(stream.files, stream.names, stream.fit, stream.labels, None)
    assert fresh.content_hash() == stream.content_hash()


def test_a_streamed_set_is_read_through_once_until_a_file_changes(tmp_path, two_classes, monkeypatch):
    root = write(tmp_path / "r", two_classes)

    def load():
        return folder(root, in_memory_mb=0, on_bad="skip", test_share=0).load("train")

    train = load()
    with monkeypatch.context() as patch:
        patch.setattr("gan_zoo.datasets.scanning.decode", None)
        assert load().digests() == train.digests()
    write(root, {"cat/01.png": encoded(picture(99))})
    assert load().content_hash() != train.content_hash()
    (root / "cat" / "01.png").write_bytes(b"broken now")
    assert len(load()) == 32
    assert len(load()) == 32


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path, two_classes, own_cache):
    own_cache.write_text("a file where the folder would be")
    root = write(tmp_path / "r", two_classes)
    stream, memory = (folder(root, in_memory_mb=mb).load("train") for mb in (0, 9))
    assert stream.content_hash() == memory.content_hash()


def test_a_file_that_vanishes_during_the_run_is_named(tmp_path, two_classes):
    root = write(tmp_path / "r", two_classes)
    stream = folder(root, in_memory_mb=0, test_share=0).load("train")
    (root / "cat" / "03.png").unlink()
    draw = Batches(stream, 33, 0, "cpu", workers=1)
    with pytest.raises(RunFailed, match="changed during the run: cat/03.png"):
        draw()


def test_many_files_are_read_by_several_processes_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.scanning.CHUNK", 1)
    root = write(tmp_path / "r", {f"{i:03}.png": encoded(picture(i)) for i in range(40)})
    (root / "017.png").write_bytes(b"")
    train = folder(root, on_bad="skip", test_share=0).load("train")
    expected = torch.stack([pixels(picture(i)) for i in range(40) if i != 17])
    assert torch.equal(train.samples, expected)


@pytest.mark.parametrize("kind", [FolderFiles, ZipFiles])
def test_files_can_be_sent_to_another_process(kind, tmp_path, two_classes):
    path = write(tmp_path / "r", two_classes) if kind is FolderFiles else pack(tmp_path / "a.zip", two_classes)
    files = kind(path)
    there = pickle.loads(pickle.dumps(files))
    assert there.read("cat/01.png") == two_classes["cat/01.png"]
