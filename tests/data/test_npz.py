import io
import pickle
import zipfile

import numpy as np
import pytest
import torch

from gan_framework.errors import ConfigError
from tests.data.making import source

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (20, 6, 6), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
VECTORS = RANDOM.normal(size=(20, 5))
CLASSES = np.arange(20) % 4


class Harmful:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code has run')",))


@pytest.fixture
def npz(tmp_path):
    """Build the source of arrays, by default 6x6 grey images in one split."""

    def build(arrays, name="a.npz", **settings):
        path = tmp_path / name
        np.savez(path, **arrays)
        return source("npz", **{"path": str(path), "image_size": 6, "test_share": 0, **settings})

    return build


@pytest.mark.parametrize(
    ("array", "channels"),
    [(GREY, 1), (GREY[..., None], 1), (GREY[:, None], 1), (COLOUR, 3), (COLOUR.transpose(0, 3, 1, 2), 3)],
)
def test_images_in_every_layout(npz, array, channels):
    data = npz({"x": array, "y": CLASSES}, channels=channels)
    assert data.shape[:3] == ((channels, 6, 6), 4, 0)
    train = data.load("train")
    expected = COLOUR.transpose(0, 3, 1, 2) if channels == 3 else GREY[:, None]
    assert torch.equal(train.read(range(20)), torch.from_numpy(expected.copy()))
    assert train.labels.tolist() == CLASSES.tolist()


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2"])
def test_vectors_with_condition_vectors(npz, dtype):
    vectors = VECTORS.astype(dtype)
    data = npz({"x": vectors, "y": vectors[:, :2]}, image_size=None, channels=None)
    assert data.shape[:3] == ((5,), 0, 2)
    train = data.load("train")
    assert train.samples.dtype == train.labels.dtype == torch.float32
    assert np.array_equal(train.samples.numpy(), vectors.astype(np.float32))
    assert np.array_equal(train.labels.numpy(), vectors[:, :2].astype(np.float32))


@pytest.mark.parametrize("dtype", ["<i8", ">i4", "u1", "<u2"])
def test_labels_of_any_whole_type(npz, dtype):
    data = npz({"x": GREY, "y": CLASSES.astype(dtype)})
    assert (data.load("train").labels.dtype, data.shape.num_classes) == (torch.int64, 4)
    assert npz({"x": GREY, "y": CLASSES}, num_classes=10).shape.num_classes == 10
    with pytest.raises(ConfigError, match=r"data.num_classes=3.*4 classes"):
        npz({"x": GREY, "y": CLASSES}, num_classes=3)


def test_arrays_are_chosen_by_name_and_labels_may_be_left_out(npz):
    arrays = {"images": GREY, "kinds": CLASSES}
    assert npz(arrays, x="images", y="kinds").shape.num_classes == 4
    data = npz(arrays, x="images", y=None)
    assert (data.shape.num_classes, data.load("train").labels) == (0, None)
    with pytest.raises(ConfigError, match=r"no array data.x=x; it has images, kinds"):
        npz(arrays, y="kinds").load("train")
    with pytest.raises(ConfigError, match=r"no array data.y=y; it has images, kinds; data.y=null for samples without"):
        npz(arrays, x="images")


def test_images_are_resized_and_compressed_files_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=GREY, y=CLASSES)
    data = source("npz", path=str(tmp_path / "a.npz"), image_size=12, channels=3)
    assert data.load("train").read([0]).shape == (1, 3, 12, 12)


def test_the_test_split_is_a_share_or_a_file(npz):
    numbered = np.arange(20, dtype=np.uint8)[:, None, None].repeat(6, 1).repeat(6, 2)
    data = npz({"x": numbered, "y": CLASSES}, test_share=0.3)
    train, test = ([int(i) for i in data.load(split).samples[:, 0, 0, 0]] for split in ("train", "test"))
    assert sorted(train + test) == list(range(20)) and 1 < len(test) < 12
    assert data.load("test").labels.tolist() == [i % 4 for i in test]
    other = npz({"x": GREY, "y": CLASSES % 2}, "b.npz")
    data = npz({"x": numbered, "y": CLASSES}, test_path=str(other.path))
    assert torch.equal(data.load("test").samples[:, 0], torch.from_numpy(GREY))
    assert len(data.load("train")) == 20
    unknown = npz({"x": GREY, "y": CLASSES + 1}, "c.npz")
    with pytest.raises(
        ConfigError, match=r"c.npz \(y\) has labels that .*a.npz \(y\) has not: 4; the classes are 0, 1, 2, 3"
    ):
        npz({"x": GREY, "y": CLASSES}, test_path=str(unknown.path)).load("test")


VECTOR = {"image_size": None, "channels": None}
WITH_NAN = np.where(np.arange(100).reshape(20, 5) == 7, np.nan, VECTORS)


@pytest.mark.parametrize(
    ("arrays", "settings", "message"),
    [
        ({"x": VECTORS, "y": CLASSES}, {}, "float64, but images are uint8.*For vectors leave out data.image_size"),
        ({"x": GREY / 255, "y": CLASSES}, {}, "float64, but images are uint8 from 0 to 255"),
        ({"x": GREY.reshape(20, 36), "y": CLASSES}, {}, r"shape \(20, 36\)"),
        ({"x": GREY.reshape(20, 3, 2, 3, 2), "y": CLASSES}, {}, "shape"),
        ({"x": GREY.reshape(20, 9, 2, 2), "y": CLASSES}, {}, "shape"),
        ({"x": GREY[:0], "y": CLASSES}, {}, "no samples"),
        ({"x": np.uint8(3), "y": CLASSES}, {}, "no samples"),
        ({"x": GREY[:10], "y": CLASSES}, {}, "10 samples .*20 labels"),
        ({"x": GREY, "y": CLASSES - 1}, {}, "from -1 to 2"),
        ({"x": GREY, "y": CLASSES * 2**40}, {}, "must lie between"),
        ({"x": GREY, "y": CLASSES * 1.0}, {}, r"\(20,\), but labels are whole"),
        ({"x": GREY, "y": CLASSES[:, None]}, {}, r"\(20, 1\), but labels are whole"),
        ({"x": GREY, "y": CLASSES.astype(str)}, {}, "labels are whole"),
        ({"x": VECTORS, "y": CLASSES}, {"image_size": None, "channels": 4}, "channels=4, but .* vectors of size 5"),
        ({"x": VECTORS, "y": VECTORS}, VECTOR | {"condition_dim": 4}, "condition_dim=4, but .* of size 5"),
        ({"x": GREY, "y": CLASSES}, {"channels": 4}, "data.channels=4"),
        ({"x": GREY.astype(np.int16), "y": CLASSES}, VECTOR, r"vectors are floating-point .*images uint8 \(N, H, W\)"),
        ({"x": WITH_NAN, "y": CLASSES}, VECTOR, r"\(x\) has 1 rows .*not finite"),
        ({"x": VECTORS * 1e200, "y": CLASSES}, VECTOR, "20 rows .*not finite"),
        ({"x": VECTORS, "y": WITH_NAN}, VECTOR, r"\(y\) has 1 rows .*not finite"),
        ({"x": VECTORS[:, :0], "y": CLASSES}, VECTOR, "no samples"),
    ],
)
def test_what_is_not_wanted_is_named(npz, arrays, settings, message):
    with pytest.raises(ConfigError, match=rf"(a\.npz|data\.).*{message}|{message}"):
        npz(arrays, **settings).load("train")


def test_places_that_are_no_npz_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "cut.npz").write_bytes(stored(GREY)[:500])
    (tmp_path / "table.csv").write_text("age,income")
    cases = {
        None: "data.path is missing",
        "nowhere.npz": r"nowhere.npz does not exist",
        "text.npz": r"text.npz cannot be opened",
        "cut.npz": r"cut.npz cannot be opened",
        "table.csv": "table.csv is not an .npz, .npy or HDF5 file",
        "": "data.path=",
        ".": "is a folder, not an .npz file",
    }
    for name, message in cases.items():
        with pytest.raises(ConfigError, match=message):
            source("npz", path=str(tmp_path / name) if name else name)


# -- files that are meant to harm ----------------------------------------------------------------


def stored(array):
    buffer = io.BytesIO()
    np.savez(buffer, x=array, y=CLASSES)
    return buffer.getvalue()


def packed(path, entry, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x.npy", entry)
        buffer = io.BytesIO()
        np.save(buffer, CLASSES)
        archive.writestr("y.npy", buffer.getvalue())
    return source("npz", path=str(path), image_size=6)


def entry_of(header, content=b"", version=(1, 0)):
    buffer = io.BytesIO()
    write = {(1, 0): np.lib.format.write_array_header_1_0, (2, 0): np.lib.format.write_array_header_2_0}[version]
    write(buffer, header)
    return buffer.getvalue() + content


def header(shape, descr="|u1"):
    return {"descr": descr, "fortran_order": False, "shape": shape}


def test_pickled_objects_are_refused_and_do_not_run(npz, tmp_path):
    with pytest.raises(ConfigError, match=r"a.npz \(x\) holds pickled Python objects"):
        npz({"x": np.array([Harmful()], dtype=object), "y": CLASSES}).load("train")
    with pytest.raises(ConfigError, match=r"a.npz \(y\) holds pickled Python objects"):
        npz({"x": GREY, "y": np.array([Harmful()], dtype=object)})
    with pytest.raises(ConfigError, match="cannot be read as an array"):
        packed(tmp_path / "b.npz", pickle.dumps(Harmful())).load("train")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (entry_of(header((10**12, 28, 28))), "announces"),
        (entry_of(header((10**6, 10**6, 10**6)), b"abc", (2, 0)), "announces"),
        (entry_of(header((2, 6, 6)), bytes(1000)), "announces"),
        (entry_of(header((2, 6, 6)), bytes(10)), "announces"),
        (entry_of(header((2, 6, 6), "|O"), bytes(72)), "pickled Python objects"),
        (b"\x93NUMPY\x03\x00" + bytes(100), "version"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 65535, "cannot be read|damaged"),
        (b"", "cannot be read"),
        (b"\x93NUM", "cannot be read"),
    ],
)
def test_a_header_that_lies_takes_no_memory(tmp_path, entry, message):
    with pytest.raises(ConfigError, match=rf"a.npz \(x\).*({message})"):
        packed(tmp_path / "a.npz", entry).load("train")


def test_arrays_may_pack_to_any_degree_up_to_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.archives.HARMLESS_FILE", 1000)
    bomb = entry_of(header((2**14, 6, 6)), bytes(2**14 * 36))
    source = packed(tmp_path / "a.npz", bomb, zipfile.ZIP_DEFLATED)
    assert len(bomb) > 500 * (tmp_path / "a.npz").stat().st_size
    with pytest.raises(ConfigError, match="16384 samples .*20 labels"):
        source.load("train")
    monkeypatch.setattr("gan_zoo.datasets.array_sizes._memory", lambda: len(bomb) - 2000)
    with pytest.raises(ConfigError, match=r"a.npz \(x\) takes 589,824 bytes, more than this machine's memory"):
        source.load("train")


def test_more_than_the_memory_is_refused(npz, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.array_sizes._memory", lambda: 300)
    with pytest.raises(ConfigError, match=r"a.npz \(x\) takes 720 bytes, more than this machine's memory"):
        npz({"x": GREY, "y": CLASSES.astype(np.uint8)}).load("train")


def test_damaged_content_is_named(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=GREY, y=CLASSES)
    whole = bytearray(path.read_bytes())
    whole[300:310] = bytes(10)
    path.write_bytes(whole)
    with pytest.raises(ConfigError, match=r"a.npz \(x\) (cannot be read|is damaged)"):
        source("npz", path=str(path), image_size=6).load("train")
