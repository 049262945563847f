"""Secrets are replaced, other values are left as they are."""

from gan_framework.storage.secrets import mask


def test_settings_named_like_secrets_are_masked():
    config = {
        "api_key": "abc",
        "data": {"token": "t", "num_tokens": 3, "tokens": "words", "auth": [{"db_password": "p"}]},
        "secret": None,
        "aws_secret_access_key": "xyz",
    }
    assert mask(config) == {
        "api_key": "***",
        "data": {"token": "***", "num_tokens": 3, "tokens": "words", "auth": [{"db_password": "***"}]},
        "secret": None,
        "aws_secret_access_key": "***",
    }
    assert config["api_key"] == "abc"


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
