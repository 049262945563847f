"""Keeps secrets out of what a run writes and sends: settings cannot hold any, and those that are known are masked.

Known are what the environment's variables of certain names hold, passwords inside URLs, wherever they stand, and plain
values that are named like secrets.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from gan_framework.errors import ConfigError
from gan_framework.storage import urls

MASK = urls.MASK
SHORTEST_SECRET = 8
"""Shorter values are no secrets worth the name, and too common in other text."""


class _Named(Enum):
    """What a name says of the value that it is given to."""

    SECRET = "whatever it is, it is a secret"
    TOKEN = "text is a secret, and so is a number too long for a symbol's"
    PERHAPS = "text that looks random is a secret"
    NOTHING = "nothing"


WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
SECRET = re.compile(
    r"(^|_)(secrets?|credentials?|(my|[a-z]+_)pwd|sshpass|(gh|github|gitlab|azure)_pat"
    r"|(api|access|secret|private|signing|encryption|ssh|auth|master|account|deploy)_keys?)$"
    r"|(password|passwd|passphrase|apikey)s?$"
)
TOKEN = re.compile(r"(^|_)token$|(api|auth|access|refresh|bearer|secret|github|gitlab|gh|hf|wandb)_?tokens?$")
PERHAPS = re.compile(r"(^|_)(tokens?|pass|pat|auth)$")
SYMBOL = re.compile(r"(^|_)(bos|eos|pad|unk|mask|sep|cls|start|end|begin|stop|special|blank|image|class)_token$")
"""Names of symbols of a vocabulary, which are no secrets though they end alike."""

ENVIRONMENT_ONLY = re.compile(r"[a-z]_(pass|pat|auth|pwd)$")
"""Names that hold a secret in the environment, and in settings may well hold something else."""

RANDOM = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}")
"""What looks like drawn at random: many letters and digits without a break."""

IN_BRACES = re.compile(r"""[{,]\s*["']?([\w.-]+)["']?\s*:\s*(\[[^\]]*\]|[^,{}]+)""")
IN_CONNECTION = re.compile(r"\b(?:password|pwd)\s*=\s*([^\s;&]+)", re.IGNORECASE)
"""A password in a text like `host=db user=me password=...`."""


def refuse(overrides: Iterable[str]) -> None:
    """Raise ConfigError, naming it but not its value, if an override `key=value` sets what is named like a secret."""
    for override in overrides:
        key, is_set, value = override.partition("=")
        if not is_set:
            continue
        key = key.lstrip("+~")
        inner = IN_BRACES.findall(value) if value.lstrip().startswith(("{", "[")) else []
        for name, given in ((key, value), *((f"{key}.{name}", given) for name, given in inner)):
            if any(_is_secret(name, _read(part)) for part in given.strip("[]").split(",")):
                raise _refusal(name)


def refuse_settings(settings: Any, path: str = "") -> None:
    """Raise ConfigError, naming it but not its value, if plain settings hold what is named like a secret."""
    items = (
        settings.items() if isinstance(settings, Mapping) else enumerate(settings) if isinstance(settings, list) else ()
    )
    for key, value in items:
        here = f"{path}.{key}" if path else str(key)
        if _is_secret(here, value):
            raise _refusal(here)
        refuse_settings(value, here)


def _refusal(setting: str) -> ConfigError:
    return ConfigError(
        f"{setting}: a setting is stored with the run and shown to everybody, so it can hold no secret: leave it "
        "out and export it in the environment (WANDB_API_KEY)"
    )


def mask(value: Any) -> Any:
    """Return plain data in which secrets are replaced: the environment's, those in URLs, values named like secrets.

    Args:
        value: text, or mappings and lists of plain values.
    """
    return _mask(value, sorted(_known(), key=len, reverse=True))


def mask_settings(text: str) -> str:
    """Return settings that are written as YAML, masked: also what stands behind a secret's name on a line."""

    def line(found: re.Match[str]) -> str:
        return f"{found[1]}{MASK}" if _is_secret(found[2], _read(found[3])) else found[0]

    return re.sub(r"^([\s-]*([\w.-]+):[ \t]+)(\S.*)$", line, str(mask(text)), flags=re.MULTILINE)


def _mask(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            _mask(key, secrets): MASK if _is_secret(str(key), inner) else _mask(inner, secrets)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_mask(inner, secrets) for inner in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return urls.mask(value, lambda name: _said_by(name) in (_Named.SECRET, _Named.TOKEN))
    return value


def _known() -> set[str]:
    """Return what is secret of the environment and the command line, also as it stands in URLs and in JSON."""
    found = {password for argument in sys.argv[1:] for password in _inside(argument)}
    for name, text in os.environ.items():
        said = _said_by(name)
        surely = said in (_Named.SECRET, _Named.TOKEN) or ENVIRONMENT_ONLY.search(_plain(name))
        if surely or (said is _Named.PERHAPS and RANDOM.search(text)):
            found |= {text.strip(), *RANDOM.findall(text)}
        found.update(_inside(text))
    found |= {form for text in found for form in (quote(text, safe=""), json.dumps(text)[1:-1])}
    return {text for text in found if len(text) >= SHORTEST_SECRET}


def _inside(text: str) -> Iterator[str]:
    """Yield the passwords in URLs and in a database's connection text."""
    for password in urls.passwords(text):
        yield from (password, unquote(password))
    if "=" in text:
        yield from IN_CONNECTION.findall(text)


def _is_secret(name: str, value: Any) -> bool:
    """Return whether a plain value is a secret, going by the last part of its name."""
    said = _said_by(name)
    if said is _Named.NOTHING or value is None or isinstance(value, bool) or value == "":
        return False
    if isinstance(value, (list, tuple)):
        return any(_is_secret(name, inner) for inner in value)
    if isinstance(value, (int, float)):
        long = isinstance(value, int) and len(str(abs(value))) >= SHORTEST_SECRET
        return said is _Named.SECRET or (said is _Named.TOKEN and long)
    if isinstance(value, str):
        return said is not _Named.PERHAPS or RANDOM.search(value) is not None
    # A mapping with a secret's name: of one alone it could be the settings of a network that is called so.
    return name.endswith("s") and isinstance(value, Mapping) and any(_is_secret(name, v) for v in value.values())


def _read(text: str) -> Any:
    """Return the plain value that a text on the command line stands for."""
    text = text.strip().strip("\"'")
    if text.lower() in ("", "null", "~", "true", "false"):
        return None
    return int(text) if re.fullmatch(r"[+-]?\d{1,99}", text) else text


@lru_cache(maxsize=4096)
def _said_by(name: str) -> _Named:
    plain = _plain(re.split(r"[./:@]", name.rstrip(".0123456789"))[-1])
    if SYMBOL.search(plain):
        return _Named.PERHAPS
    for said, pattern in ((_Named.SECRET, SECRET), (_Named.TOKEN, TOKEN), (_Named.PERHAPS, PERHAPS)):
        if pattern.search(plain):
            return said
    return _Named.NOTHING


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    """Return the words of a name in small letters: `api_token` for `apiToken`, `API-TOKEN` and `api_token_2`."""
    return "_".join(WORDS.findall(name)).lower()
