"""Which folder of a sweep is which run's: each is given its name once, and keeps it however the sweep goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_framework.errors import ConfigError
from gan_framework.storage import files, plain
from gan_framework.storage.foreign import Damaged, read_bytes
from gan_framework.storage.text import visible
from gan_framework.sweeps.naming import DIGITS, identity, name_of_all, settings_of, short_keys, short_name

FILE = "runs.json"
"""What each folder of a sweep was asked to hold: name, identity and settings."""

BYTES = 64 * 2**20
"""The largest such file that is read."""

SAFE = re.compile(r"[A-Za-z0-9_=,+][A-Za-z0-9_.=,+-]*")
"""What a name may be: one part of a path, and no hidden one."""


@dataclass(frozen=True)
class Named:
    """A run of a sweep.

    Attributes:
        folder: the name of its folder.
        identity: what its overrides are known by.
        settings: what they give to settings, secrets masked.
    """

    folder: str
    identity: str
    settings: dict[str, str]


class Folders:
    """The folders of a sweep's runs.

    A name says what is swept, and nothing else: each key as short as it can be, each number rounded. As that depends on
    what else is in the sweep, it is kept: a sweep that is extended or repeated finds its runs again, those too that
    earlier versions named by all their overrides.

    Args:
        sweep: the sweep's folder.

    Raises:
        ConfigError: the file with the names is damaged.
    """

    def __init__(self, sweep: Path) -> None:
        self._sweep = sweep
        self._known = {run.identity: run for run in _read(sweep)}
        self._taken = {run.folder for run in self._known.values()}

    def find(self, overrides: Sequence[str]) -> str | None:
        """Return the name of the folder of the run with these overrides; None if there is none yet."""
        known = self._known.get(identity(overrides))
        if known is not None:
            return known.folder
        earlier = name_of_all(overrides)
        return earlier if earlier not in self._taken and (self._sweep / earlier).is_dir() else None

    def name(self, jobs: Sequence[Sequence[str]], swept: Sequence[str] = ()) -> list[str]:
        """Return the names of the folders of jobs, and keep them.

        Args:
            jobs: the overrides of each.
            swept: the settings that are swept, so far as that is known; others that differ are found.

        Raises:
            OSError: the names cannot be kept.
        """
        new = [job for job in jobs if identity(job) not in self._known]
        for job, folder in [(job, found) for job in new if (found := self.find(job)) is not None]:
            self._keep(job, folder)
        unnamed = {identity(job): job for job in new if identity(job) not in self._known}
        keys = short_keys(self._differing(list(unnamed.values()), swept))
        # Of one run, of which nothing differs from anything, all is said.
        for job in unnamed.values():
            self._keep(job, self._free(job, keys or short_keys(settings_of(job))))
        if new:
            content = {run.folder: {"identity": run.identity, "settings": run.settings} for run in self._known.values()}
            files.write_json(self._sweep / FILE, content)
        return [self._known[identity(job)].folder for job in jobs]

    def _keep(self, job: Sequence[str], folder: str) -> None:
        self._known[identity(job)] = Named(folder, identity(job), settings_of(job))
        self._taken.add(folder)

    def _differing(self, jobs: Sequence[Sequence[str]], swept: Sequence[str]) -> list[str]:
        """Return the settings that are swept or in which runs differ, in the order in which they are given."""
        new = [settings_of(job) for job in jobs]
        every = [run.settings for run in self._known.values()] + new
        given = dict.fromkeys(key for settings in new for key in settings)
        swept = [key.lstrip("+~") for key in swept]
        found = [key for key in given if key in swept or len({settings.get(key) for settings in every}) > 1]
        return sorted(found, key=lambda key: key == "seed")

    def _free(self, job: Sequence[str], keys: dict[str, str]) -> str:
        """Return a name that no other run has: with more digits or a hash if need be."""
        settings = settings_of(job)
        for digits in (DIGITS, 6, 9, 15):
            name = short_name(settings, keys, digits)
            if name not in self._taken and not (self._sweep / name).exists():
                return name
        return f"{short_name(settings, keys)}-{identity(job)[:8]}"


def _read(sweep: Path) -> Iterator[Named]:
    try:
        content = plain.parse_json(read_bytes(sweep / FILE, sweep, BYTES), FILE)
        for folder, found in content.items():
            settings = found["settings"].items()
            if not SAFE.fullmatch(folder):
                raise ValueError(f"{visible(folder)} is no name of a run's folder")
            yield Named(folder, str(found["identity"]), {key: str(value) for key, value in settings})
    except FileNotFoundError:
        return
    except (Damaged, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{sweep / FILE} is damaged ({error}); without it the runs get new folders") from None
