"""`summary.json`: what became of a run, written also when it fails or is stopped."""

from __future__ import annotations

import logging
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from gan_framework.errors import ConfigError, GanFrameworkError
from gan_framework.registry.blame import fault
from gan_framework.runs.run import Run
from gan_framework.storage import files
from gan_framework.storage.layout import RunFolder

log = logging.getLogger(__name__)

VERSIONS = ("gan-framework", "torch", "torchvision", "torchmetrics", "torch-fidelity", "hydra-core", "numpy")


class Summary:
    """Writes summary.json."""

    def __init__(self, folder: Path, seed: int, overrides: list[str]) -> None:
        self._path = RunFolder(folder).summary
        self._known = {"seed": seed, "overrides": overrides}

    def write(
        self,
        run: Run | None,
        status: str,
        error: BaseException | None = None,
        in_folder: bool = True,
    ) -> dict[str, Any]:
        """Write what is known of a run, and return it.

        Args:
            run: the run; None for one that never came to be.
            status: `finished`, `failed` or `stopped`.
            error: why it did not finish.
            in_folder: whether the file is written; not where the folder is another run's now.
        """
        content: dict[str, Any] = {"status": status, "error": describe(error) if error else None}
        if run is not None:
            content |= run.report()
        content |= self._known | {"versions": versions(), "git": _git()}
        if run is None and isinstance(error, ConfigError) and self._path.exists():
            return content  # of an earlier run, about which this wrong request says nothing
        try:
            if in_folder:
                files.write_json(self._path, content)
        except OSError as unwritten:
            if error is None:
                raise
            log.error("%s", unwritten)  # of what went wrong, the first is the one to report
        return content


def describe(error: BaseException) -> str:
    """Return one line that says what happened: our own errors speak for themselves, others need type and place."""
    text = " ".join(str(error).split())
    if isinstance(error, GanFrameworkError):
        return text
    of_plugin = fault(error)
    return f"{type(error).__name__}: {text}" + (f" ({of_plugin.place})" if of_plugin is not None else "")


def versions() -> dict[str, str]:
    """Return the versions of Python and of what results depend on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in VERSIONS}


def _git() -> dict[str, Any] | None:
    """Return the commit of the folder the run was started in, or None outside a checkout."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            # Without a lock of the user's repository, which would be left behind if git died on a full disk.
            ["git", "--no-optional-locks", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None
