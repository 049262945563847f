"""Passwords inside URLs are masked, and what only looks like one is left."""

import pytest

from gan_framework.storage.secrets import mask

HIDDEN = [
    ("postgresql://me:PASSWORD@host/db", "postgresql://me:***@host/db"),
    ("postgresql+psycopg2://me:p@ss/w:ord@host:5432/db?x=1", "postgresql+psycopg2://me:***@host:5432/db?x=1"),
    ("mysql://me:my pass word@host/db", "mysql://me:***@host/db"),
    ("redis://:short@host:6379/0", "redis://:***@host:6379/0"),
    ("https://token@host/x", "https://***@host/x"),
    ("https://me:token@host", "https://***@host"),
    ("git+https://me:token@github.com/a/b@main", "git+https://***@github.com/a/b@main"),
    ("socks5://me:token@proxy:1080", "socks5://me:***@proxy:1080"),
    ("https://host/x?token=abc&n=3&sig=2#a", "https://host/x?token=***&n=3&sig=***#a"),
    (
        "s3://bucket/x?X-Amz-Signature=9&X-Amz-Security-Token=8",
        "s3://bucket/x?X-Amz-Signature=***&X-Amz-Security-Token=***",
    ),
    ("https://host/x#access_token=abc&n=3", "https://host/x#access_token=***&n=3"),
    ("postgresql:///db?user=me&password=abc", "postgresql:///db?user=me&password=***"),
    ("host=db user=me password=abc dbname=x", "host=db user=me password=*** dbname=x"),
    ("Server=db;Uid=me;Pwd=abc;", "Server=db;Uid=me;Pwd=***;"),
    (
        "mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3Dabc%3BX%3D1",
        "mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3D***%3BX%3D1",
    ),
    ("no: (mysql://a:b@h) and 'postgresql://c:d@i'", "no: (mysql://a:***@h) and 'postgresql://c:***@i'"),
]
LEFT = [
    "postgresql://host:5432/db",
    "postgresql://me@host/db",
    "sqlite:////a/b@c.db",
    "sqlite:///study.db",
    "https://medium.com/@user and a@b.c",
    "http://host:8080/path@v2",
    "git+https://github.com/a/b@main",
    "ssh://git@github.com/a/b",
    "s3://bucket/a@b",
    "file:///home/me/a:b@c",
    "https://host/x?num_tokens=3&n=abc",
    "mail me@host",
    "the password is asked for",
    "pwd=/home/me",
    "https://host/x#part-2",
]


@pytest.mark.parametrize(("text", "masked"), HIDDEN)
def test_passwords_are_masked(text, masked):
    assert mask(text) == masked
    assert mask({"a": [f"at {text}"]}) == {"a": [f"at {masked}"]} or " " in text
    assert mask(masked) == masked


@pytest.mark.parametrize("text", LEFT)
def test_what_holds_no_password_is_left(text):
    assert mask(text) == text
