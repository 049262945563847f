"""Checkpoints: a dict of named objects, tensors and plain values only, that survives crashes."""

from __future__ import annotations

import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import torch

from gan_framework.errors import ConfigError
from gan_framework.runs import checkpoint_fields
from gan_framework.storage import files, no_run

log = logging.getLogger(__name__)

FORMAT = 2
"""The newest version of the checkpoint's layout; one that is newer still is refused."""

BEFORE_PRETRAINED = 1
"""The version of a checkpoint that holds all its weights, which every version of the framework reads."""

SUFFIX = ".pt"
"""What the names of checkpoints end in."""

PICKLED = "data.pkl"
"""The entry that every archive of torch's has; those of numpy and others have none."""

KEYS = {"format", "config", "game", "clock", "batches"}


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint to a temporary file, flush it to disk, then rename it to `path`.

    Raises:
        OSError: it cannot be written; what was at `path` is still there.
    """
    with files.atomic(path) as file:
        try:
            torch.save({"format": FORMAT if state.get("pretrained") else BEFORE_PRETRAINED, **state}, file)
        except RuntimeError as error:
            # On a full disk torch ends its archive all the same, and complains that it does not fit together.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint without executing anything it holds.

    Raises:
        ConfigError: the file is missing, damaged, foreign, or from a newer version.
    """
    if not path.is_file():
        raise ConfigError(f"there is no checkpoint {path}")
    if path.suffix != SUFFIX and not _begins_as_archive(path):
        raise ConfigError(no_run.said(path))
    try:
        # torch does not verify the checksums of its own archives.
        with zipfile.ZipFile(path) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ConfigError(f"the file {path} is not a checkpoint of this framework: it is compressed")
            if not any(PurePosixPath(name).name == PICKLED for name in archive.namelist()):
                raise ConfigError(no_run.said(path))
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise ConfigError(f"the checkpoint {path} is damaged or not a checkpoint: {error}") from error
    if damaged is not None:
        raise ConfigError(f"the checkpoint {path} is damaged: {damaged} does not match its checksum")
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigError(f"the checkpoint {path} holds more than tensors and plain values: {reason}") from error
    if not isinstance(state, dict) or not KEYS <= state.keys():
        raise ConfigError(f"the file {path} is not a checkpoint of this framework")
    try:
        checkpoint_fields.check(state)
    except ConfigError as error:
        raise ConfigError(f"the checkpoint {path} is damaged: {error}") from error
    if state["format"] > FORMAT:
        raise ConfigError(
            f"the checkpoint {path} has format {state['format']}, and this version reads formats up to {FORMAT}: "
            "upgrade gan-framework"
        )
    return state


def _begins_as_archive(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def numbered(folder: Path) -> list[Path]:
    """Return the checkpoints written every so many steps, newest first."""
    found = [path for path in folder.glob("step_*.pt") if re.fullmatch(r"step_\d+\.pt", path.name)]
    return sorted(found, key=lambda path: int(path.stem[5:]), reverse=True)


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` numbered checkpoints."""
    for path in numbered(folder)[max(keep, 1) :]:
        path.unlink(missing_ok=True)


def drop_after(folder: Path, step: int) -> None:
    """Delete the numbered checkpoints of later steps, which are of a history that is not gone on with."""
    for path in numbered(folder):
        if int(path.stem[5:]) > step:
            path.unlink(missing_ok=True)


def newest(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the newest intact checkpoint of a folder, naming in the log the damaged ones it passes over."""
    return next(newest_first(folder), None)


def newest_first(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the intact checkpoints of a folder, naming in the log the damaged ones on the way."""
    for path in [*numbered(folder), folder / "last.pt"]:
        if not path.exists():
            continue
        try:
            found = load(path)
        except ConfigError as error:
            log.warning("%s; trying the one before it", error)
            continue
        yield path, found
