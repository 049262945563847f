"""One process at a time works in a folder, whatever somebody else has put there."""

import os

import pytest
from filelock import FileLock

from gan_framework.errors import ConfigError
from gan_framework.storage.lock import owned


@pytest.mark.parametrize("kind", ["ours", "pipe", "link", "no text", "huge", "none"])
def test_who_holds_a_folder_is_said_if_it_can_be_read(tmp_path, kind):
    owner = tmp_path / "run" / ".owner"
    owner.parent.mkdir()
    if kind == "ours":
        owner.write_text("pid 7 on a host")
    elif kind == "pipe":
        os.mkfifo(owner)
    elif kind == "link":
        (tmp_path / "secret").write_text("precious")
        owner.symlink_to(tmp_path / "secret")
    elif kind != "none":
        owner.write_bytes(b"\xff\xfe" if kind == "no text" else b"x" * 10_000)
    said = "pid 7 on a host" if kind == "ours" else "another process"
    with (
        FileLock(owner.with_name(".lock")),
        pytest.raises(ConfigError, match=f"in use by {said}; choose another hydra.run.dir"),
        owned(owner.parent),
    ):
        raise AssertionError("it is held by another")
