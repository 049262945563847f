"""Tensors on disk, found by all they depend on."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor

from gan_framework.errors import ConfigError
from gan_framework.evaluation.stopping import stop_point
from gan_framework.storage import files
from gan_framework.storage.foreign import open_regular

log = logging.getLogger(__name__)

_WARNED: set[Path] = set()
"""The folders of which this process has said that they cannot be written."""

Tensors = dict[str, Tensor]

KEY = "__key__"
"""The entry of a file that holds the text of its key."""

PATIENCE = 10.0
"""Seconds that another process is waited for without a word."""


def default_folder() -> Path:
    """Return the cache folder: `GAN_FRAMEWORK_CACHE`, or the user's cache folder of this program."""
    if "GAN_FRAMEWORK_CACHE" in os.environ:
        return Path(os.environ["GAN_FRAMEWORK_CACHE"])
    from platformdirs import user_cache_path

    return user_cache_path("gan-framework")


def code_of(*kinds: type) -> str:
    """Return a hash of the files that classes stand in: their author may still be at work on them."""
    return hashlib.sha256(b"".join(map(_code_of, kinds))).hexdigest()[:16]


def _code_of(kind: type) -> bytes:
    try:
        return Path(inspect.getfile(kind)).read_bytes()
    except (OSError, TypeError):  # typed in by hand, or shipped without its source
        return kind.__qualname__.encode()


class Cache:
    """Keeps tensors in a folder under a hash of their key.

    Processes may share the folder: a file appears whole or not at all, and of two processes that
    miss the same entry one computes it while the other waits. A folder that cannot be written, or one
    in it that is a symbolic link, costs one warning and nothing else.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder if folder is not None else default_folder()

    def get(
        self,
        kind: str,
        key: Mapping[str, Any],
        compute: Callable[[], Tensors],
        fits: Callable[[Tensors], bool] = lambda found: True,
    ) -> Tensors:
        """Return the tensors of a key, from disk or, if they are not there, computed and kept.

        Args:
            kind: the subfolder.
            key: everything the tensors depend on, in values that JSON holds.
            compute: makes the tensors.
            fits: whether tensors from disk are what they should be; others are made anew.
        """
        path, text = self._place(kind, key)
        lock = FileLock(f"{path}.lock")
        try:
            files.refuse_link(path.parent)
            path.parent.mkdir(parents=True, exist_ok=True)
            _acquire(lock)
        except ConfigError as error:
            self._warn(error)
            return compute()
        except (OSError, NotImplementedError) as error:  # filelock, where a file system has no locks
            self._warn(error)
            return self._load(path, text, fits) or compute()
        try:
            found = self._load(path, text, fits)
            if found is None:
                found = compute()
                self._save(path, text, found)
            return found
        finally:
            lock.release()

    def drop(self, kind: str, key: Mapping[str, Any]) -> None:
        """Forget the tensors of a key, so that they are computed when they are next asked for."""
        path, _ = self._place(kind, key)
        try:
            files.refuse_link(path.parent)
            path.unlink(missing_ok=True)
        except (ConfigError, OSError) as error:
            self._warn(error)

    def _place(self, kind: str, key: Mapping[str, Any]) -> tuple[Path, str]:
        """Return the file of a key, and the key as text."""
        text = json.dumps(key, sort_keys=True)
        return self._folder / kind / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz", text

    def _save(self, path: Path, text: str, tensors: Tensors) -> None:
        arrays: dict[str, Any] = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        arrays[KEY] = np.array(text)
        try:
            files.remove_unfinished(path.parent, path.name)
            with files.atomic(path) as file:
                # Written piece by piece: torch.save would hold each tensor a second time.
                np.savez(file, **arrays)
        except OSError as error:
            self._warn(error)

    def _load(self, path: Path, text: str, fits: Callable[[Tensors], bool]) -> Tensors | None:
        """Return the tensors of a file; None if there is none, or not what there should be."""
        if not os.path.lexists(path):
            return None
        try:
            found = _read(path, self._folder, text)
            if fits(found):
                return found
            reason: object = "it holds something else than it should"
        except Exception as error:  # the file may be anybody's, and so may be what is made of it
            reason = f"{type(error).__name__}: {error}"
        log.warning("the cached %s cannot be used and is made anew: %s", path, reason)
        return None

    def _warn(self, error: Exception) -> None:
        if self._folder not in _WARNED:
            log.warning(
                "nothing is cached, as %s cannot be written (%s); GAN_FRAMEWORK_CACHE names another folder",
                self._folder,
                error,
            )
        _WARNED.add(self._folder)


def _acquire(lock: FileLock) -> None:
    """Wait for a lock, and say so: what holds it computes the same, or has been stopped while it did."""
    try:
        lock.acquire(timeout=PATIENCE)
        return
    except Timeout:
        log.warning("waiting for another process, which makes the same and holds %s", lock.lock_file)
    while True:
        try:
            lock.acquire(timeout=1.0)
            return
        except Timeout:
            stop_point()


def _read(path: Path, within: Path, text: str) -> Tensors:
    with (
        open_regular(path, within, sys.maxsize) as file,
        np.load(file, allow_pickle=False) as entry,
    ):
        if entry[KEY].item() != text:
            raise ValueError("it was made of something else")
        return {name: torch.from_numpy(entry[name]) for name in entry.files if name != KEY}
