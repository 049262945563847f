import os
import struct
import zlib

import pytest
from PIL import Image

from gan_framework.storage import foreign
from gan_framework.storage.foreign import Damaged


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file").write_bytes(b"content")
    (tmp_path / "private").write_bytes(b"private")
    return tmp_path / "run"


def read(path, folder, most=100):
    return foreign.read_bytes(path, folder, most)


def test_a_regular_file_is_read_up_to_its_limit(folder):
    assert read(folder / "file", folder, 7) == b"content"
    with pytest.raises(Damaged, match="file holds 7 bytes; up to 6 are read"):
        read(folder / "file", folder, 6)


def test_a_file_that_is_missing_is_no_damaged_one(folder):
    with pytest.raises(FileNotFoundError):
        read(folder / "nothing", folder)
    with pytest.raises(Damaged, match="file/below cannot be read"):
        read(folder / "file" / "below", folder)


@pytest.mark.parametrize(
    "path",
    ["../private", "/etc/hostname", "sub/../../private", "..", "out/private", "out/../private", "\x00", "x" * 300],
)
def test_nothing_outside_the_folder_is_read(folder, path):
    (folder / "sub").mkdir()
    (folder / "out").symlink_to(folder.parent)
    with pytest.raises((Damaged, FileNotFoundError)):
        read(folder / path, folder)


def test_a_link_is_not_followed_and_a_folder_that_is_one_is(folder):
    (folder / "link").symlink_to(folder / "file")
    with pytest.raises(Damaged, match="link is a symbolic link and not a regular file"):
        read(folder / "link", folder)
    (folder.parent / "alias").symlink_to(folder)
    assert read(folder.parent / "alias" / "file", folder.parent / "alias") == b"content"


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(Damaged, match="pipe is a named pipe"):
        read(folder / "pipe", folder)


def test_what_became_a_pipe_in_the_meantime_is_not_waited_for(folder, monkeypatch):
    os.mkfifo(folder / "pipe")
    honest = (folder / "file").lstat()
    monkeypatch.setattr(foreign.os, "lstat", lambda path: honest)
    with pytest.raises(Damaged, match="pipe is a named pipe"):
        read(folder / "pipe", folder)


def test_a_file_that_grows_while_it_is_read_is_not_read_beyond_its_limit(folder, monkeypatch):
    honest = os.lstat(folder / "file")
    monkeypatch.setattr(foreign.os, "lstat", lambda path: honest)
    monkeypatch.setattr(foreign.os, "fstat", lambda descriptor: honest)
    (folder / "file").write_bytes(b"x" * 1000)
    with pytest.raises(Damaged, match="larger than 100 bytes"):
        read(folder / "file", folder)


def png(width, height):
    """Return the beginning of a PNG that says it is so large."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", png(0, 5), png(2**31 - 1, 2**31 - 1)])
def test_what_is_no_png_or_a_gigantic_one_is_refused(folder, content):
    (folder / "a.png").write_bytes(content)
    with pytest.raises(Damaged, match="a.png"):
        foreign.read_png(folder / "a.png", folder)


def test_a_png_is_returned_as_it_is(folder):
    Image.new("L", (8, 8)).save(folder / "a.png")
    assert foreign.read_png(folder / "a.png", folder) == (folder / "a.png").read_bytes()


def test_walking_follows_no_link_and_names_what_is_too_deep(folder):
    for name in ("b/c", "a"):
        (folder / name).mkdir(parents=True)
    (folder / "a" / "loop").symlink_to(folder)
    problems = []
    found = list(foreign.walk(folder, problems))
    assert [place.path.relative_to(folder).as_posix() for place in found] == [".", "a", "b", "b/c"]
    assert found[1].links == {"loop"} and problems == []
    deep = folder
    for _ in range(foreign.DEEPEST + 5):
        deep = deep / "d"
    deep.mkdir(parents=True)
    assert sum(place.path.name == "d" for place in foreign.walk(folder, problems)) == foreign.DEEPEST
    assert len(problems) == 1 and f"{foreign.DEEPEST} folders deep" in problems[0]
