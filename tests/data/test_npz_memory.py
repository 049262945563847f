"""Arrays of any size are held once, and however they are read, they become the same."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from gan_framework.errors import ConfigError
from tests.data.making import source

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (40, 6, 6), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (40, 6, 6, 3), dtype=np.uint8)
AS_IT_IS = {"image_size": None, "channels": None}
MB = 2**20


def npz(path, save=np.savez, more=None, **settings):
    """Build the source of arrays that are saved in a file."""
    x = settings.pop("x")
    save(path, x=x, **(more or {}))
    return source("npz", **{"path": str(path), "image_size": 6, "y": None, "test_share": 0.3, **settings})


# -- in pieces --------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("x", "settings"),
    [
        (GREY, {}),
        (GREY, {"image_size": 4, "channels": 3}),
        (COLOUR, {}),
        (COLOUR.transpose(0, 3, 1, 2), {}),
        (COLOUR.transpose(0, 3, 1, 2), AS_IT_IS),
        (GREY % 2, {}),
        (GREY.astype(">f8"), AS_IT_IS),
        (np.asfortranarray(GREY.reshape(40, 36) / np.float32(7)), AS_IT_IS),
        (np.asfortranarray(COLOUR), {}),
        (GREY.reshape(40, 36) % 9, {**AS_IT_IS, "vocabulary": 9}),
        (RANDOM.normal(size=(40, 1, 3, 4, 5)), AS_IT_IS),
    ],
)
def test_what_is_read_in_pieces_is_what_is_read_whole(tmp_path, monkeypatch, save, x, settings):
    more = {"m": COLOUR.transpose(0, 3, 1, 2), "y": np.arange(40) % 4}
    given = {"x": x, "more": more, "y": "y", "extra": {"mask": "m"}, **settings}
    whole = npz(tmp_path / "a.npz", save, **given)
    monkeypatch.setattr("gan_zoo.datasets.array_sizes.CHUNK", 7 * x[0].nbytes)
    monkeypatch.setattr("gan_zoo.datasets.npz_arrays.PIECE", 5)
    pieces = npz(tmp_path / "a.npz", save, **given)
    for split in ("train", "test"):
        one, other = whole.load(split), pieces.load(split)
        assert one.content_hash() == other.content_hash()
        assert torch.equal(one.samples, other.samples) and torch.equal(one.labels, other.labels)
    assert len(whole.load("train")) + len(whole.load("test")) == 40 and len(whole.load("test")) > 3


def test_tensors_are_laid_out_as_batches_are_drawn_from_them(tmp_path):
    volumes = RANDOM.integers(0, 256, (40, 2, 3, 4, 5), dtype=np.uint8)
    for x, settings, layout in (
        (COLOUR, {}, torch.channels_last),
        (COLOUR.transpose(0, 3, 1, 2), {}, torch.channels_last),
        (volumes, AS_IT_IS, torch.channels_last_3d),
    ):
        train = npz(tmp_path / "a.npz", x=x, **settings).load("train")
        assert train.samples.is_contiguous(memory_format=layout)


@pytest.mark.parametrize(
    ("x", "settings", "message"),
    [
        (np.where(np.arange(36) == 35, np.nan, GREY.reshape(40, 36)), AS_IT_IS, "has 40 rows with values that are not"),
        (GREY.reshape(40, 36) + 0.5, {**AS_IT_IS, "value_range": [0, 255]}, r"values from 0.5 to 255.5, not within"),
        (GREY.reshape(40, 36) % 9 + 3, {**AS_IT_IS, "vocabulary": 9}, "tokens from 3 to 11"),
    ],
)
def test_what_is_wrong_is_counted_over_all_pieces(tmp_path, monkeypatch, x, settings, message):
    monkeypatch.setattr("gan_zoo.datasets.array_sizes.CHUNK", 7 * x[0].nbytes)
    with pytest.raises(ConfigError, match=message):
        npz(tmp_path / "a.npz", x=x, **settings).load("train")


def test_images_with_one_bright_pixel_at_the_end_are_not_of_two_colours(tmp_path, monkeypatch):
    monkeypatch.setattr("gan_zoo.datasets.array_sizes.CHUNK", 100)
    x = GREY % 2
    x[-1, -1, -1] = 2
    train = npz(tmp_path / "a.npz", x=x, test_share=0).load("train")
    assert torch.equal(train.samples[:, 0], torch.from_numpy(x))


def test_an_array_that_changes_between_two_splits_is_refused(tmp_path):
    data = npz(tmp_path / "a.npz", x=GREY)
    data.load("train")
    np.savez(tmp_path / "a.npz", x=GREY[:30])
    with pytest.raises(ConfigError, match=r"a.npz \(x\) has changed while it was read"):
        data.load("test")


# -- in memory --------------------------------------------------------------------------------------

PEAK = """
import resource, sys, torch
from gan_framework.data import Sources
from tests.data.making import defaults

torch.set_num_threads(1)
settings = {**defaults("npz"), "y": None, **eval(sys.argv[1])}

def peak():
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open("/proc/self/status") as status:  # the other counts what the process had that started this one
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

def begin(path):
    sources = Sources({**settings, "path": path}, {})
    sources.shape
    sources.batches(8, 0, torch.device("cpu"))()
    return sources, sources.first.load("test")

begin(sys.argv[2])  # what the libraries themselves need
before = peak()
kept = begin(sys.argv[3])
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("shape", "settings", "save"),
    [
        ((64, 64), {"image_size": 64}, np.savez),
        ((64, 64, 3), {"image_size": 64}, np.savez),
        pytest.param((64, 64, 3), {"image_size": 64}, np.savez_compressed, marks=pytest.mark.slow),
        pytest.param((3, 64, 64), {"image_size": 64}, np.savez, marks=pytest.mark.slow),
        pytest.param((3, 64, 64), AS_IT_IS, np.savez, marks=pytest.mark.slow),
        pytest.param((1000,), AS_IT_IS, np.savez_compressed, marks=pytest.mark.slow),
    ],
)
def test_a_file_costs_its_size_in_memory(tmp_path, shape, settings, save):
    dtype = np.float32 if len(shape) == 1 else np.uint8
    count = 64 * MB // int(np.prod(shape)) // np.dtype(dtype).itemsize
    x = np.broadcast_to(RANDOM.integers(0, 256, (64, *shape)).astype(dtype), (count // 64, 64, *shape))
    x = x.reshape(-1, *shape)
    x = x * np.arange(1, 2 * len(x), 2, dtype=dtype).reshape(-1, *(1 for _ in shape))  # rows that differ, for a split
    np.savez(tmp_path / "small.npz", x=x[:64])
    save(tmp_path / "large.npz", x=x)
    given = (repr(settings), str(tmp_path / "small.npz"), str(tmp_path / "large.npz"))
    run = subprocess.run([sys.executable, "-c", PEAK, *given], capture_output=True, text=True, check=True)
    assert 0.8 * x.nbytes < int(run.stdout) < 1.3 * x.nbytes + 16 * MB
