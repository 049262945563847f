"""What a process does once the one that started it is gone, of which nobody else would tell it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

POLL = 0.5
"""Seconds between two looks."""


def when_orphaned(act: Callable[[], object]) -> None:
    """Have a thread call something when the parent of this process is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL)
        act()

    threading.Thread(target=watch, daemon=True, name="orphaned").start()
