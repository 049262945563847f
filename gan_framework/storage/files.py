"""Writing files so that a crash leaves either the old one or the new one."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from gan_framework.errors import ConfigError
from gan_framework.storage.secrets import mask

UNFINISHED = ".part"
"""How the name of a file ends that is still being written, or was when its process was killed."""


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path`; at the end it is flushed to disk and renamed to `path`.

    Where the system can, the file has no name until it is whole, so that a killed process leaves nothing behind. A
    symbolic link at `path` is replaced, not followed.

    Raises:
        OSError: the file cannot be written, or `path` is a device; it names `path`.
    """
    try:
        refuse_device(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        name = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
        nameless = _open_nameless(path.parent)
        descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666) if nameless is None else nameless
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
                if nameless is not None:
                    _give_name(descriptor, name)
            os.replace(name, path)
        except BaseException:
            name.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


@contextmanager
def unfinished_folder(path: Path) -> Iterator[Path]:
    """Make a folder beside `path`, in which a folder can be prepared; at the end it is deleted with what is left in it.

    Raises:
        OSError: it cannot be made.
    """
    place = Path(os.path.abspath(path))
    place = place.with_name(f".{place.name}.{secrets.token_hex(4)}{UNFINISHED}")
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def refuse_device(path: Path) -> None:
    """Raise OSError for a device, and for a stream of a process such as `/dev/stdout`: a file would take its place."""
    place = os.path.realpath(path.parent)
    is_stream = place in ("/dev", "/proc") or place.startswith(("/dev/fd", "/proc/"))
    try:
        is_device = stat.S_ISCHR(mode := os.lstat(path).st_mode) or stat.S_ISBLK(mode)
    except OSError:
        is_device = False
    if is_stream or is_device:
        raise OSError(errno.EINVAL, "it is a device or a stream, whose place a file would take: name a file")


def require_writable(path: Path) -> None:
    """Raise ConfigError if a file cannot be made, before the work is done whose result it is to hold."""
    place = Path(os.path.abspath(path)).parent
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK) or not place.is_dir():
        why = "may not be written to" if place.is_dir() else "is no folder"
        raise ConfigError(f"{path} cannot be written: {place} {why}; --out names another place")


def remove_unfinished(folder: Path, name: str = "*") -> None:
    """Delete what killed processes have left in a folder of files of this name; nobody may be writing one now."""
    for path in folder.glob(f".{name}.*{UNFINISHED}"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, with secrets masked."""
    _write(path, mask(text))


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file atomically, with secrets masked; what JSON cannot hold (NaN, infinity) becomes null."""
    # Masked before it is JSON: there a secret may be written otherwise, and a number may read like one.
    _write(path, json.dumps(finite(mask(content)), indent=2) + "\n")


def touch(path: Path) -> None:
    """Make an empty file if there is none; through a link nothing is made."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666))


def finite(content: Any) -> Any:
    """Return plain content with every float that JSON cannot hold replaced by None."""
    if isinstance(content, float):
        return content if content - content == 0 else None
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [finite(value) for value in content]
    return content


def refuse_links(folder: Path) -> None:
    """Raise ConfigError if a folder holds a symbolic link to another: what is written below would land elsewhere."""
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() and entry.is_dir():
            raise ConfigError(
                f"{entry} is a symbolic link to {os.readlink(entry)}, and none in a run's folder is followed: remove it"
            )


def is_own(path: Path) -> bool:
    """Return whether there is a file that nothing else is a name of, so that it can be written in place."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def refuse_link(path: Path) -> None:
    """Raise ConfigError if a file or folder that would be written in place is a link, or another name of a file."""
    try:
        status = os.lstat(path)
    except OSError:
        return
    if stat.S_ISLNK(status.st_mode):
        raise ConfigError(f"{path} is a symbolic link to {os.readlink(path)}, and none is followed here: remove it")
    if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        raise ConfigError(f"{path} is a file that has other names too, and would be overwritten under all: remove it")


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, atomically; where links are not possible, a copy."""
    temporary = target.with_name(f".{target.name}.link{UNFINISHED}")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        with atomic(target) as file:
            file.write(source.read_bytes())
        return
    os.replace(temporary, target)
    _flush_folder(target.parent)


def _write(path: Path, text: str) -> None:
    with atomic(path) as file:
        file.write(text.encode(errors="backslashreplace"))


def _open_nameless(folder: Path) -> int | None:
    """Open a file in a folder that has no name yet; None where the operating system or the file system has no such."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
            return None
        raise


def _give_name(descriptor: int, name: Path) -> None:
    folder = os.open(name.parent, os.O_RDONLY)
    try:
        # Without a folder's descriptor Python would link to the entry in /proc itself.
        os.link(f"/proc/self/fd/{descriptor}", name.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
