"""Arrays that are used as they are: samples of any shape, tokens, and extras."""

import math

import numpy as np
import pytest
import torch

from gan_framework.core.records import DataShape
from gan_framework.data import Sources, shape_of
from gan_framework.errors import ConfigError
from tests.data.making import defaults, source

RANDOM = np.random.default_rng(0)
N = 20
AS_IT_IS = {"image_size": None, "channels": None, "test_share": 0, "y": None}
UNBOUNDED = (-math.inf, math.inf)


def floats(*shape):
    return RANDOM.uniform(-1, 1, (N, *shape)).astype(np.float32)


def bytes_(*shape):
    return RANDOM.integers(0, 256, (N, *shape), dtype=np.uint8)


@pytest.fixture
def npz(tmp_path):
    def build(name="a.npz", arrays=None, **settings):
        np.savez(tmp_path / name, **arrays)
        return source("npz", **{"path": str(tmp_path / name), **AS_IT_IS, **settings})

    return build


@pytest.mark.parametrize(
    ("x", "settings", "shape"),
    [
        (floats(2, 9), {}, DataShape((2, 9))),
        (floats(2, 9), {"channels": 2, "value_range": [-1, 1]}, DataShape((2, 9), value_range=(-1, 1))),
        (floats(5, 3, 4), {}, DataShape((5, 3, 4), value_range=UNBOUNDED)),
        (floats(5, 3, 4), {"value_range": [-1, 1]}, DataShape((5, 3, 4), value_range=(-1, 1))),
        (floats(1, 3, 4, 5), {}, DataShape((1, 3, 4, 5), value_range=UNBOUNDED)),
        (bytes_(5, 3, 4), {}, DataShape((5, 3, 4))),
        (bytes_(4, 3, 5, 6), {}, DataShape((4, 3, 5, 6))),
    ],
)
def test_samples_of_any_shape_are_kept_as_they_are(npz, x, settings, shape):
    data = npz(arrays={"x": x}, **settings)
    assert data.shape == shape
    train = data.load("train")
    assert np.array_equal(train.read(range(N)).numpy(), x)
    assert shape_of(data, train) == shape._replace(size=N)


@pytest.mark.parametrize("dtype", ["<i8", "u1", ">i2"])
def test_tokens_have_a_vocabulary(npz, dtype):
    x = RANDOM.integers(0, 7, (N, 5))
    data = npz(arrays={"x": x.astype(dtype), "n": np.arange(N)}, vocabulary=7, extra={"length": "n"})
    assert data.shape == DataShape((5, 7), vocabulary=7)
    train = data.load("train")
    assert np.array_equal(train.read(range(N)).numpy(), x)
    assert train.read_extra([3])["length"].tolist() == [3]
    assert shape_of(data, train) == data.shape._replace(extra={"length": ()}, size=N, integers=("length",))


def test_extras_belong_to_the_samples_of_each_split(npz, tmp_path):
    x, vectors = floats(2), floats(3)
    masks = bytes_(4, 4)
    arrays = {"x": x, "m": masks, "v": vectors, "n": np.arange(N)}
    data = npz(arrays=arrays, extra={"mask": "m", "text": "v", "number": "n"}, test_share=0.4)
    numbers = []
    for split in ("train", "test"):
        loaded = data.load(split)
        count = len(loaded)
        extra = loaded.read_extra(range(count))
        chosen = extra["number"].numpy()
        numbers += chosen.tolist()
        assert np.array_equal(loaded.read(range(count)).numpy(), x[chosen])
        assert np.array_equal(extra["mask"].numpy(), masks[chosen][:, None])
        assert np.array_equal(extra["text"].numpy(), vectors[chosen])
    assert sorted(numbers) == list(range(N))


def test_the_test_files_extras_are_its_own(npz, tmp_path):
    npz("b.npz", {"x": floats(2), "n": np.arange(N) + 100})
    arrays = {"x": floats(2), "n": np.arange(N)}
    data = npz(arrays=arrays, extra={"number": "n"}, test_path=str(tmp_path / "b.npz"))
    assert data.load("train").read_extra([0])["number"].item() == 0
    assert data.load("test").read_extra([0])["number"].item() == 100


def test_extras_are_mirrored_as_the_settings_say(npz, tmp_path):
    path = tmp_path / "a.npz"
    images = bytes_(1, 4, 6)
    np.savez(path, x=images, m=images, v=floats(3))
    settings = {**defaults("npz"), **AS_IT_IS, "path": str(path), "flip": True, "extra": {"mask": "m", "text": "v"}}
    draw = Sources({**settings, "mirrors": {"mask": True, "text": False}}, {}).batches(N, 0, torch.device("cpu"))
    batch = draw()
    assert torch.equal(batch.extra["mask"], batch.samples)
    assert not torch.equal(batch.samples, torch.from_numpy(images)[batch.index].float() / 127.5 - 1)
    with pytest.raises(ConfigError, match=r"data.flip=true.* extra 'text'"):
        Sources({**settings, "mirrors": {"mask": True}}, {}).batches(N, 0, torch.device("cpu"))


@pytest.mark.parametrize(
    ("arrays", "settings", "message"),
    [
        ({"x": floats(2, 9)}, {"channels": 3}, "data.channels=3, but .*a.npz has samples whose first size is 2"),
        ({"x": floats(2, 9) * 2}, {"value_range": [-1, 1]}, r"a.npz \(x\) has values from .* not within"),
        ({"x": floats(2, 9)}, {"value_range": [1, 1]}, r"data.value_range=\[1, 1\]: the first"),
        ({"x": bytes_(3, 4, 4)}, {"value_range": [0, 255]}, r"data.value_range=\[0, 255\], but .* is uint8"),
        ({"x": np.full((N, 2, 9), np.inf)}, {}, "20 rows with values that are not finite"),
        ({"x": bytes_(9)}, {}, "For tokens set data.vocabulary"),
        ({"x": np.zeros((4, 8, 8, 3), np.uint16)}, {}, r"Of 16 bits, save x / 65535 .* data.value_range=\[0,1\]"),
        ({"x": np.tile(np.arange(5, 14), (N, 1))}, {"vocabulary": 9}, "tokens from 5 to 13.*between 0 and 8"),
        ({"x": floats(9)}, {"vocabulary": 9}, r"float32 \(20, 9\), but with data.vocabulary=9 .*whole numbers"),
        ({"x": bytes_(9)}, {"vocabulary": -1}, "data.vocabulary=-1"),
        ({"x": bytes_(9)}, {"vocabulary": 9, "value_range": [0, 1]}, "data.vocabulary=9 .*no data.value_range"),
        ({"x": bytes_(4, 4)}, {"image_size": 4, "channels": 1, "value_range": [0, 1]}, "used as they are"),
        ({"x": floats(2)}, {"extra": {"mask": "m"}}, "no array data.extra.mask=m; it has x"),
        ({"x": floats(2), "m": floats(2)[:9]}, {"extra": {"mask": "m"}}, r"20 samples \(x\), but 9 of data.extra.mask"),
        ({"x": floats(2), "m": np.array(["a"] * N)}, {"extra": {"mask": "m"}}, r"\(m\) is <U1 .*extras are"),
        ({"x": floats(2), "m": np.full((N, 1), np.nan)}, {"extra": {"mask": "m"}}, r"\(m\) has 20 rows .*not finite"),
        ({"x": floats(2), "m": floats()}, {"extra": {"samples": "m"}}, "data.extra names samples"),
        ({"x": floats(2)}, {"mirrors": {"mask": True}}, "data.mirrors names mask, and data.extra has none"),
    ],
)
def test_what_is_not_wanted_is_named(npz, arrays, settings, message):
    with pytest.raises(ConfigError, match=message):
        npz(arrays=arrays, **settings).load("train")


def test_a_test_file_of_another_shape_is_refused(npz, tmp_path):
    npz("b.npz", {"x": floats(2, 8)})
    data = npz(arrays={"x": floats(2, 9)}, test_path=str(tmp_path / "b.npz"))
    with pytest.raises(ConfigError, match=r"b.npz has samples of shape \(2, 8\), .*a.npz of \(2, 9\)"):
        data.load("test")
