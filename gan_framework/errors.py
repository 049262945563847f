"""The errors a user can meet, each with the exit code that the command line ends with."""

from __future__ import annotations

import errno

REMEDIES = {
    errno.ENOSPC: "make room there, or name another place",
    errno.EDQUOT: "make room there, or name another place",
    errno.EFBIG: "files may not be as large there (`ulimit -f`): name another place",
    errno.EROFS: "nothing can be written there: name another place",
    errno.EACCES: "whose it is can allow it (`chmod`); or name another place",
    errno.EPERM: "whose it is can allow it (`chmod`); or name another place",
    errno.EIO: "its disk or network may be failing",
    errno.EMFILE: "more files can be opened after `ulimit -n 4096`",
    errno.ENAMETOOLONG: "name it shorter",
    errno.EEXIST: "something else of that name is there: name another",
}
"""What helps where the system refuses to read or to write."""

OF_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What it says only to those who write."""


class GanFrameworkError(Exception):
    """An error whose message alone tells a user what happened and what would be right."""

    exit_code = 1


class ConfigError(GanFrameworkError, ValueError):
    """The request was wrong (a name, a value or a combination); found before any training."""

    exit_code = 2


class RunFailed(GanFrameworkError, RuntimeError):
    """The run was asked for correctly and failed while it ran."""

    exit_code = 1


class NonFinite(RunFailed):
    """A loss or a gradient was not finite."""


class RunStopped(GanFrameworkError):
    """The run was stopped early on request or by a signal and can be resumed."""

    exit_code = 3


def in_words(error: OSError) -> str:
    """Return what the system refused, of which file where that is known, why, and what helps."""
    if error.errno is None or error.strerror is None:
        return f"{type(error).__name__}: {error}"
    place = error.filename if error.filename is not None else error.filename2
    name = "a file" if place is None else place.decode(errors="replace") if isinstance(place, bytes) else str(place)
    what = "written" if error.errno in OF_WRITING else "read or written"
    remedy = REMEDIES.get(error.errno)
    return f"{name} cannot be {what}: {error.strerror}" + (f"; {remedy}" if remedy else "")
