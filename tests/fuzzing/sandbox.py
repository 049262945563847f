"""The real program in a forked process, watched: how it ends, what it says, and where it writes."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MEMORY = 6 * 2**30
LARGEST_FILE = 256 * 2**20
STOP_WITHIN = 10.0
"""Seconds in which a run that is told to stop must have ended."""

TRACES = ("Traceback (most recent call last)", "--- Logging error ---", "Exception ignored in")
HARMLESS = ("/dev/null", "/dev/shm/", "/proc/self/")
"""Where anything may be written."""


@dataclass
class Outcome:
    """How a case ended.

    Attributes:
        code: the exit code; negative for a signal.
        output: what it said on stdout and stderr.
        seconds: how long it took.
        told: whether it was told to stop because it went on for too long.
        wrote: the places outside its folders that it opened for writing.
    """

    code: int
    output: str
    seconds: float
    told: bool = False
    wrote: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """The last line."""
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def faults(self, allowed_failures: tuple[str, ...] = ()) -> list[str]:
        """Return what is wrong with the way it ended.

        Args:
            allowed_failures: of the reasons for which a run may rightly end with code 1, a part of each.
        """
        found = [f"says {trace!r}" for trace in TRACES if trace in self.output]
        found += [f"writes {place}" for place in self.wrote]
        if self.told and self.code == -signal.SIGTERM and not self.output:
            return found  # a request so large that it was still being read, when the signal has its usual meaning
        if self.told and self.code not in (0, 3):
            found.append(f"hangs: told to stop after {self.seconds:.0f} s it ended with {self.code}")
        elif self.code == 1 and not any(part in self.reason for part in allowed_failures):
            found.append("ends with 1")
        elif self.code not in (0, 1, 2, 3):
            found.append(f"ends with {self.code}")
        prefix = {1: "error: ", 2: "error: ", 3: "stopped: "}.get(self.code, "")
        if not self.reason.startswith(prefix) and "usage:" not in self.output:
            found.append("gives no reason in its last line")
        return found


def run(program: Callable[[], int], folder: Path, limit: float, writable: tuple[Path, ...] = ()) -> Outcome:
    """Run a program in a fork of this process and watch it.

    Args:
        program: returns the exit code.
        folder: it is started here, with `home` and `tmp` in it; it may write below.
        limit: seconds after which it is told to stop by SIGTERM.
        writable: other places where it may write.
    """
    for name in ("home", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    said, wrote = folder / ".said", folder / ".wrote"
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _play(program, folder, said, wrote, writable)
    told = False
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        elapsed = time.monotonic() - began
        if elapsed > limit and not told:
            told = True
            os.kill(pid, signal.SIGTERM)
        if elapsed > limit + STOP_WITHIN:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    output = said.read_text(errors="replace") if said.exists() else ""
    places = wrote.read_text(errors="replace").splitlines() if wrote.exists() else []
    code = os.waitstatus_to_exitcode(status)
    return Outcome(code, output, time.monotonic() - began, told, sorted(set(places)))


def _play(program: Callable[[], int], folder: Path, said: Path, wrote: Path, writable: tuple[Path, ...]) -> None:
    code = 99
    try:
        os.chdir(folder)
        os.setpgrp()
        os.environ.update(HOME=str(folder / "home"), TMPDIR=str(folder / "tmp"), COLUMNS="120")
        tempfile.tempdir = None  # as this process's parent knows it
        descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        sys.stdout = open(1, "w", buffering=1, errors="backslashreplace", closefd=False)
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _watch(os.open(wrote, os.O_WRONLY | os.O_CREAT | os.O_APPEND), [folder, *writable])
        code = program()
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as leaving:  # argparse
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # noqa: B036 (what the real program would show as a traceback)
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        os._exit(code)


def _watch(log: int, allowed: list[Path]) -> None:
    """Note from now on every place outside the allowed ones that Python code writes to, and let no connection be made.

    A hook cannot be taken away again, so this is for a process of its own.
    """
    roots = tuple(str(path) for folder in allowed for path in (folder, folder.resolve()))

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo") and not _is_local(arguments):
            raise OSError("Network is unreachable")
        for path in _written(event, arguments):
            if isinstance(path, bytes):
                path = path.decode(errors="backslashreplace")
            if not isinstance(path, (str, os.PathLike)):
                continue
            place = os.path.abspath(os.fspath(path))
            if not place.startswith((*roots, *HARMLESS)) and not place.endswith(".pyc") and "__pycache__" not in place:
                os.write(log, f"{event} {place}\n".encode(errors="backslashreplace"))

    sys.addaudithook(hook)


def _is_local(arguments: tuple[object, ...]) -> bool:
    first = arguments[0]
    return isinstance(first, socket.socket) and first.family == getattr(socket, "AF_UNIX", None)


def _written(event: str, arguments: tuple[object, ...]) -> tuple[object, ...]:
    if event == "open":
        path, mode, flags = arguments
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return (path,)
    if event in ("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "shutil.rmtree"):
        return (arguments[0],)
    if event in ("os.rename", "os.link", "os.symlink"):
        return (arguments[1],)
    return ()
