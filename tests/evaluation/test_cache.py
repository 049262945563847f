import io
import logging
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from filelock import FileLock

from gan_framework.evaluation.cache import KEY, Cache
from gan_framework.evaluation.stopping import stoppable


def tensors(value):
    return {"x": torch.full((3,), value)}


def never():
    raise AssertionError("computed although cached")


def test_computed_once_and_read_back(tmp_path):
    Cache(tmp_path).get("features", {"a": 1}, lambda: tensors(2.0))
    assert torch.equal(Cache(tmp_path).get("features", {"a": 1}, never)["x"], torch.full((3,), 2.0))


def test_tensors_come_back_as_they_were(tmp_path):
    kept = {
        "a.weight": torch.randn(3, 4, 2, 2).to(memory_format=torch.channels_last),
        "count": torch.tensor(7),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "none": torch.empty(0, 3),
    }
    Cache(tmp_path).get("weights", {}, lambda: kept)
    found = Cache(tmp_path).get("weights", {}, never)
    assert found.keys() == kept.keys()
    assert all(torch.equal(found[name], kept[name]) and found[name].dtype == kept[name].dtype for name in kept)


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1, "b": 0}, {}])
def test_any_other_key_is_another_entry(tmp_path, other):
    Cache(tmp_path).get("features", {"a": 1}, lambda: tensors(2.0))
    assert Cache(tmp_path).get("features", other, lambda: tensors(3.0))["x"][0] == 3.0


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:50], lambda b: b"", lambda b: b[:-200], lambda b: b.replace(bytes.fromhex("00000040"), b"ABCD", 1)],
    ids=["cut short", "empty", "without an end", "a changed value"],
)
def test_a_damaged_file_is_made_anew(tmp_path, caplog, damage):
    Cache(tmp_path).get("features", {"a": 1}, lambda: tensors(2.0))
    (file,) = (tmp_path / "features").glob("*.npz")
    file.write_bytes(damage(file.read_bytes()))
    assert Cache(tmp_path).get("features", {"a": 1}, lambda: tensors(2.0))["x"][0] == 2.0
    assert "made anew" in caplog.text
    Cache(tmp_path).get("features", {"a": 1}, never)


def test_an_unusable_folder_costs_one_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    with caplog.at_level(logging.WARNING):
        for a in range(3):
            assert cache.get("features", {"a": a}, lambda: tensors(2.0))["x"][0] == 2.0
    assert len(caplog.records) == 1
    assert "GAN_FRAMEWORK_CACHE" in caplog.text


def test_a_folder_of_entries_that_is_a_link_is_not_followed(tmp_path, caplog):
    cache = Cache(tmp_path / "cache")
    cache.get("features", {"a": 1}, lambda: tensors(2.0))
    (tmp_path / "cache" / "features").rename(tmp_path / "mine")
    (tmp_path / "cache" / "features").symlink_to(tmp_path / "mine")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").iterdir()}
    with caplog.at_level(logging.WARNING):
        assert cache.get("features", {"a": 1}, lambda: tensors(3.0))["x"][0] == 3.0
        assert cache.get("features", {"a": 2}, lambda: tensors(4.0))["x"][0] == 4.0
        cache.drop("features", {"a": 1})
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").iterdir()} == before
    (warned,) = caplog.messages
    assert f"{tmp_path / 'cache' / 'features'} is a symbolic link to {tmp_path / 'mine'}" in warned


def test_the_cache_as_a_whole_may_be_a_link(tmp_path):
    (tmp_path / "large").mkdir()
    (tmp_path / "cache").symlink_to(tmp_path / "large")
    Cache(tmp_path / "cache").get("features", {"a": 1}, lambda: tensors(2.0))
    Cache(tmp_path / "cache").get("features", {"a": 1}, never)


def test_threads_that_miss_the_same_entry_compute_it_once(tmp_path):
    computed = []

    def compute():
        computed.append(1)
        return tensors(2.0)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: Cache(tmp_path).get("features", {"a": 1}, compute)["x"][0], range(8)))
    assert results == [2.0] * 8
    assert len(computed) == 1


def _fill(folder):
    for key in range(20):
        Cache(folder).get("features", {"a": key}, lambda key=key: {"x": torch.full((1000,), float(key))})


def test_processes_share_a_folder(tmp_path):
    # fork: a child that imports torch anew would take seconds
    workers = [get_context("fork").Process(target=_fill, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    for key in range(20):
        assert torch.equal(Cache(tmp_path).get("features", {"a": key}, never)["x"], torch.full((1000,), float(key)))
    assert {path.suffix for path in (tmp_path / "features").iterdir()} <= {".npz", ".lock"}


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_FRAMEWORK_CACHE", str(tmp_path / "here"))
    Cache().get("features", {"a": 1}, lambda: tensors(2.0))
    assert list((tmp_path / "here" / "features").glob("*.npz"))


@pytest.mark.parametrize(
    "content",
    [
        {"x": np.array(["text"])},
        {"x": np.full(3, np.nan, np.float32)},
        {"y": np.ones(3, np.float32)},
        {},
    ],
    ids=["text", "values", "names", "nothing"],
)
def test_what_is_not_what_it_should_be_is_made_anew_and_named(tmp_path, caplog, content):
    def fits(found):
        return found["x"].shape == (3,) and bool(found["x"].isfinite().all())

    cache = Cache(tmp_path)
    cache.get("features", {"a": 1}, lambda: tensors(2.0), fits)
    (file,) = (tmp_path / "features").glob("*.npz")
    with np.load(file) as entry:
        np.savez(file, **content, **{KEY: entry[KEY]})
    assert cache.get("features", {"a": 1}, lambda: tensors(3.0), fits)["x"][0] == 3.0
    assert str(file) in caplog.text and "made anew" in caplog.text
    cache.get("features", {"a": 1}, never, fits)


def test_an_array_that_announces_more_than_there_is_memory_is_made_anew(tmp_path, caplog):
    cache = Cache(tmp_path)
    cache.get("features", {"a": 1}, lambda: tensors(2.0))
    (file,) = (tmp_path / "features").glob("*.npz")
    with np.load(file) as entry:
        key = entry[KEY]
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f4", "fortran_order": False, "shape": (2**48,)})
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", huge.getvalue())
        text = io.BytesIO()
        np.save(text, key)
        archive.writestr(f"{KEY}.npy", text.getvalue())
    assert cache.get("features", {"a": 1}, lambda: tensors(3.0))["x"][0] == 3.0
    assert str(file) in caplog.text


@pytest.mark.parametrize("make", [lambda path, other: os.mkfifo(path), lambda path, other: path.symlink_to(other)])
def test_a_pipe_or_a_link_in_the_place_of_an_entry_is_replaced(tmp_path, make):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    cache = Cache(tmp_path / "cache")
    cache.get("features", {"a": 1}, lambda: tensors(2.0))
    (file,) = (tmp_path / "cache" / "features").glob("*.npz")
    file.unlink()
    make(file, precious)
    assert cache.get("features", {"a": 1}, lambda: tensors(3.0))["x"][0] == 3.0
    cache.get("features", {"a": 1}, never)
    assert precious.read_text() == "mine"


def test_waiting_for_another_process_is_said_and_can_be_stopped(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("gan_framework.evaluation.cache.PATIENCE", 0.05)
    cache = Cache(tmp_path)
    cache.get("features", {"a": 1}, lambda: tensors(2.0))
    (file,) = (tmp_path / "features").glob("*.npz")

    def stop():
        raise KeyboardInterrupt

    with FileLock(f"{file}.lock"), stoppable(stop), pytest.raises(KeyboardInterrupt):
        cache.get("features", {"a": 1}, never)
    assert "waiting for another process" in caplog.text and f"{file}.lock" in caplog.text
