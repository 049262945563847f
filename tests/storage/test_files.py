import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gan_framework.evaluation.cache import Cache
from gan_framework.storage import files
from gan_framework.storage.lock import owned

KILLED = """
import os, pathlib, signal, sys
from gan_framework.storage import files
if sys.argv[2] == "named":  # as on a file system that has no files without names
    del os.O_TMPFILE
with files.atomic(pathlib.Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_writing(path, how="named"):
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), how], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    return [left.read_bytes() for left in path.parent.iterdir()]


@pytest.mark.parametrize("name", ["checkpoints/step_0000004.pt", "samples/step_0000010.png", "summary.json"])
def test_what_a_killed_process_was_writing_is_gone_when_the_run_goes_on(tmp_path, name):
    path = tmp_path / name
    assert killed_while_writing(path) == [b"half"]
    with owned(tmp_path):
        assert [*path.parent.glob(".*.part")] == []


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="this operating system has no files without names")
def test_a_killed_process_leaves_nothing_where_files_can_be_without_a_name(tmp_path):
    assert killed_while_writing(tmp_path / "last.pt", "nameless") == []


@pytest.mark.parametrize("nameless", [True, False])
def test_a_file_appears_whole_in_the_place_of_what_was_there(tmp_path, monkeypatch, nameless):
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    precious, path = tmp_path / "precious", tmp_path / "file"
    precious.write_text("mine")
    path.symlink_to(precious)
    before = os.umask(0o027)
    try:
        with files.atomic(path) as file:
            file.write(b"whole")
            assert path.is_symlink()
    finally:
        os.umask(before)
    assert not path.is_symlink() and path.read_bytes() == b"whole" and precious.read_text() == "mine"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "precious"]


@pytest.mark.parametrize("nameless", [True, False])
def test_what_goes_wrong_while_a_file_is_written_leaves_the_old_one(tmp_path, monkeypatch, nameless):
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), files.atomic(path) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("file", "old")]


def test_a_folder_that_another_process_holds_is_left_alone(tmp_path):
    with owned(tmp_path):
        writing = tmp_path / ".summary.json.abc.part"
        writing.touch()
        with pytest.raises(ValueError, match="in use"), owned(tmp_path):
            pass
        assert writing.exists()


def test_what_a_killed_process_was_caching_is_gone_when_it_is_cached(tmp_path):
    def compute():
        return {"mean": torch.ones(2)}

    cache = Cache(tmp_path)
    cache.get("features", {"of": "digits"}, compute)
    (entry,) = (tmp_path / "features").glob("*.npz")
    entry.unlink()
    for path in (tmp_path / "features").iterdir():
        path.unlink()
    killed_while_writing(entry)
    cache.get("features", {"of": "digits"}, compute)
    assert [path.name for path in entry.parent.iterdir() if path.suffix != ".lock"] == [entry.name]


@pytest.mark.parametrize("path", ["/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/self/x"])
def test_no_device_and_no_stream_is_replaced_by_a_file(path):
    # Not by writing: with rights to it, a mistake would take the machine's device away.
    with pytest.raises(OSError, match="a device or a stream"):
        files.refuse_device(Path(path))
