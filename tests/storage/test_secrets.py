"""Settings hold no secrets, those of the environment are replaced, other values are left as they are."""

import pytest

from gan_framework.errors import ConfigError
from gan_framework.storage.secrets import mask, refuse, refuse_settings


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"api_key": "abc"}, "api_key"),
        ({"data": {"token": "t", "num_tokens": 3}}, "data.token"),
        ({"data": {"auth": [{"db_password": "p"}]}}, "data.auth.0.db_password"),
        ({"aws_secret_access_key": "xyz"}, "aws_secret_access_key"),
    ],
)
def test_settings_named_like_secrets_are_refused(settings, named):
    with pytest.raises(ConfigError, match=f"^{named}: ") as raised:
        refuse_settings(settings)
    assert not any(value in str(raised.value).split() for value in ("abc", "t", "p", "xyz"))


def test_what_is_no_secret_is_no_trouble():
    refuse_settings({"data": {"num_tokens": 3, "tokens": "words", "token": None}, "secret": "", "keys": ["a"]})
    refuse(["data.tokens=words", "+data.token=null", "model=mlp", "-m", "~prior"])


def test_an_override_named_like_a_secret_is_refused():
    with pytest.raises(ConfigError, match="^data.api_key: "):
        refuse(["model=mlp", "++data.api_key=abc"])


def test_what_the_environment_holds_is_masked_wherever_it_stands(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "hunter2hunter2")
    monkeypatch.setenv("LONGER_API_KEY", "hunter2hunter2-and-more")
    monkeypatch.setenv("SHORT_TOKEN", "cpu")
    monkeypatch.setenv("EDITOR", "some-editor")
    assert mask(["x=hunter2hunter2-and-more", ("hunter2hunter2/", 1.5), "cpu", "some-editor"]) == [
        "x=***",
        ["***/", 1.5],
        "cpu",
        "some-editor",
    ]
