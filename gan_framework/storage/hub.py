"""Repositories on the Hugging Face Hub, or on any server that speaks its protocol (`HF_ENDPOINT`)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from gan_framework.errors import ConfigError

PREFIX = "hf:"
"""How what is on the Hub is named: `hf:OWNER/NAME`, `hf:OWNER/NAME@REVISION`."""

_NAMED = re.compile(r"hf:(?P<name>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w./-]+))?")


class Repository(NamedTuple):
    """A repository, and the branch, tag or commit of it that is meant; None for the newest."""

    name: str
    revision: str | None

    def __str__(self) -> str:
        return f"{PREFIX}{self.name}" + (f"@{self.revision}" if self.revision else "")


def is_on_hub(text: str) -> bool:
    """Whether a text names a repository on the Hub."""
    return text.startswith(PREFIX)


def repository(text: str) -> Repository:
    """Return what a text names.

    Raises:
        ConfigError: it names no repository.
    """
    found = _NAMED.fullmatch(text)
    if found is None:
        raise ConfigError(f"{text}: a repository is written hf:OWNER/NAME, or hf:OWNER/NAME@REVISION")
    return Repository(found["name"], found["revision"])


def fetch(text: str, into: Path | None = None, only: tuple[str, ...] | None = None) -> Path:
    """Download a repository, and return the folder in which its files are.

    Args:
        text: names it.
        into: the folder to put them into; None for one beside the Hub's cache, where nothing is downloaded twice.
        only: patterns of the files that are wanted; None for all.

    Raises:
        ConfigError: there is none, or it cannot be reached.
    """
    wanted = repository(text)
    library = _library()
    try:
        return Path(
            library.snapshot_download(
                wanted.name,
                revision=wanted.revision,
                local_dir=into or _kept(wanted, library),
                endpoint=_endpoint(),
                allow_patterns=None if only is None else [*only],
            )
        )
    except Exception as error:  # of the library's, of its client's, of the system's
        raise ConfigError(f"{wanted} cannot be downloaded: {_reason(error)}") from error


def _kept(wanted: Repository, library: ModuleType) -> Path:
    """Return the folder that a repository's files are kept in.

    In its own cache the library names files by what the server says of them, `../..` and all, and so writes anywhere.
    """
    name = f"{wanted.name}@{wanted.revision or 'newest'}".replace("/", "--")
    return Path(library.constants.HF_HUB_CACHE) / "gan-framework" / name


def upload(folder: Path, text: str, message: str, private: bool = False) -> str:
    """Upload the files of a folder as one commit, to a repository that is made if there is none; return its address.

    Args:
        folder: what is uploaded.
        text: names the repository.
        message: of the commit.
        private: whether a repository that is made is private.

    Raises:
        ConfigError: it cannot be written, or not be reached.
    """
    wanted = repository(text)
    library = _library()
    try:
        api = library.HfApi(endpoint=_endpoint())
        api.create_repo(wanted.name, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=wanted.name, folder_path=folder, commit_message=message, revision=wanted.revision
        )
    except Exception as error:
        raise ConfigError(f"{wanted} cannot be written: {_reason(error)}") from error
    return str(done.commit_url)


def _endpoint() -> str | None:
    """Return the server, as the environment says it now: the library has read that when it was imported."""
    return os.environ.get("HF_ENDPOINT") or None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:400] or type(error).__name__
    if re.search(r"\b40[13]\b", text):  # not within a port or a hash
        return f"{text}; `hf auth login` or HF_TOKEN says who you are"
    return text


def _library() -> ModuleType:
    try:
        import huggingface_hub
    except ModuleNotFoundError:
        raise ConfigError(
            "repositories on the Hub need the package huggingface_hub: pip install 'gan-framework[publish]'"
        ) from None
    return huggingface_hub
