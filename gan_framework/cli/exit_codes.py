"""From errors to exit codes."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

from gan_framework.cli import processes
from gan_framework.errors import ConfigError, GanFrameworkError, RunStopped, in_words
from gan_framework.registry.blame import fault, own_place
from gan_framework.registry.packages import leave_out_malformed
from gan_framework.storage.garbage import left_at_exit, seldom
from gan_framework.storage.secrets import mask
from gan_framework.storage.text import lines, visible


def exit_code(work: Callable[[], object]) -> int:
    """Do the work of a command and return its exit code; why it failed is the last line on stderr, secrets masked.

    A traceback precedes that line only if the environment has `HYDRA_FULL_ERROR=1`. Of an unforeseen error in the code
    of an installed plugin its calls are shown, and the line says whose it is.
    """
    leave_out_malformed()
    left_at_exit()
    try:
        processes.check()
        with seldom():
            work()
    except Exception as error:
        of_plugin = None if isinstance(error, (GanFrameworkError, OSError)) else fault(error)
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            _say(lines(mask(traceback.format_exc().rstrip("\n"))))
        elif of_plugin is not None:
            _say(lines(mask(of_plugin.frames)))
        reason = visible(" ".join(mask(_reason(error)).split()))
        _say(f"stopped: {reason.removeprefix('stopped by ')}" if isinstance(error, RunStopped) else f"error: {reason}")
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # no name that was found is too long
            return ConfigError.exit_code
        return error.exit_code if isinstance(error, GanFrameworkError) else 1
    except KeyboardInterrupt:
        _say("stopped: SIGINT before anything was begun")
        return RunStopped.exit_code
    finally:
        _let_go_of_closed_output()
    return 0


def _reason(error: Exception) -> str:
    if isinstance(error, GanFrameworkError):
        return str(error)
    from gan_framework.runs.out_of_memory import cause  # a run that is out of memory knows more to say

    if cause(error) is not None:
        what = str(error).strip().partition("\n")[0] or type(error).__name__
        return f"out of memory ({what}); fewer samples need less: evaluate.batch_size, evaluate.samples, --n"
    if isinstance(error, OSError):
        return in_words(error)
    of_plugin = fault(error)
    place = of_plugin.place if of_plugin is not None else own_place(error)
    return f"{type(error).__name__}: {error}" + (f" ({place})" if place else "")


def _say(line: str) -> None:
    with suppress(OSError):  # the terminal is closed
        print(line, file=sys.stderr)


def _let_go_of_closed_output() -> None:
    """Flush what was printed; of a closed terminal or pipe Python would complain with an exit code of its own."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
