"""From errors to exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from gan_framework.errors import GanFrameworkError, RunStopped
from gan_framework.storage.secrets import mask


def exit_code(work: Callable[[], object]) -> int:
    """Do the work of a command and return its exit code; why it failed is the last line on stderr, secrets masked.

    A traceback precedes that line only if the environment has `HYDRA_FULL_ERROR=1`.
    """
    try:
        work()
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            traceback.print_exc()
        known = isinstance(error, GanFrameworkError)
        reason = str(error).strip() if known else f"{type(error).__name__}: {error}"
        reason = mask(" ".join(reason.split()))
        print(f"{'stopped' if isinstance(error, RunStopped) else 'error'}: {reason}", file=sys.stderr)
        return error.exit_code if isinstance(error, GanFrameworkError) else 1
    except KeyboardInterrupt:
        print("stopped: stopped by SIGINT before anything was begun", file=sys.stderr)
        return RunStopped.exit_code
    return 0
