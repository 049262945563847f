"""Passwords inside URLs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

MASK = "***"

SCHEME = r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)"
WEB = re.compile(r"(?P<scheme>\b(?:[a-z0-9.-]+\+)?(?:https?|wss?)://)(?P<user>[^\s/?#\"'<>]+)@", re.IGNORECASE)
"""Of the web's all that precedes the host: what some take as a password stands in the place of the name."""

DATABASES = r"\b(?:postgres\w*|mysql|mariadb|mssql|oracle|cockroachdb|rediss?|mongodb|amqps?)(?:\+\w+)?://"
DATABASE = re.compile(rf"(?P<scheme>{DATABASES})(?P<user>[^\s:/@\"'<>]*):(?P<password>[^\s\"'<>]+)@", re.IGNORECASE)
"""Passwords of databases may hold any character but blanks and quotes, as they are often written without escapes."""

OTHER = re.compile(rf"{SCHEME}(?P<user>[^\s:/?#@\"'<>]*):(?P<password>[^\s/?#\"'<>]+)@")
WHOLE = re.compile(
    rf"(?P<scheme>{DATABASES})(?P<user>[^\s:/@]*):(?P<password>.+)@(?P<rest>[^@]*)", re.IGNORECASE | re.DOTALL
)
"""A text that is nothing but a database's URL, in which a password may hold blanks too."""

CONNECTION = re.compile(
    r"(?P<name>(?:\bpassword|(?<=;)\s*pwd)\s*=\s*|(?<=%3B)pwd%3D)(?P<password>(?:(?!%3B)[^\s;&\"'<>])+)", re.IGNORECASE
)
"""Passwords in a text like `host=db user=me password=...`, also where it stands in a URL."""

QUERY = re.compile(r"(?<=[?&#])(?P<name>[\w.-]+)=(?P<value>[^\s&#\"'<>]+)")
SIGNATURES = ("sig", "signature", "x-amz-signature", "x-goog-signature")


def mask(text: str, is_secret: Callable[[str], bool]) -> str:
    """Return a text in which the passwords of URLs are replaced: before the host, in the query, in what is like one.

    Args:
        text: any text.
        is_secret: whether the name of a part of the query says that it is a secret.
    """
    text = CONNECTION.sub(lambda found: f"{found['name']}{MASK}", text)
    if "://" not in text:
        return text
    if found := WHOLE.fullmatch(text):
        text = f"{found['scheme']}{found['user']}:{MASK}@{found['rest']}"
    text = WEB.sub(lambda found: f"{found['scheme']}{MASK}@", text)
    for pattern in (DATABASE, OTHER):
        text = pattern.sub(lambda found: f"{found['scheme']}{found['user']}:{MASK}@", text)
    return QUERY.sub(
        lambda found: (
            f"{found['name']}={MASK}" if found["name"].lower() in SIGNATURES or is_secret(found["name"]) else found[0]
        ),
        text,
    )


def passwords(text: str) -> Iterator[str]:
    """Yield the passwords in the URLs of a text; one that is the user's name is none."""
    if "://" not in text:
        return
    for pattern in (DATABASE, OTHER):
        yield from (found["password"] for found in pattern.finditer(text) if found["password"] != found["user"])
    for found in WEB.finditer(text):
        yield from found["user"].split(":", 1)[1:]
