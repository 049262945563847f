"""The index of distributions with plugins has the form that its pull requests are asked for."""

import pytest
import yaml
from typer.testing import CliRunner

from gan_framework.cli import plugins
from gan_framework.cli.commands import app
from gan_framework.errors import ConfigError
from gan_framework.registry import index
from gan_framework.registry.registry import CONTRACT

RIGHT = {
    "name": "my-gans",
    "summary": "Losses of my own.",
    "kinds": ["losses"],
    "contract": 2,
    "home": "https://example.org/my-gans",
    "install": "pip install my-gans",
}


def test_the_index_of_the_repository_is_right():
    assert all(one.contract <= CONTRACT for one in index.known())


def test_entries_come_by_name_and_say_whether_they_are_installed():
    found = index.known(yaml.safe_dump([RIGHT, {**RIGHT, "name": "gan-framework"}]))
    assert [one.name for one in found] == ["gan-framework", "my-gans"]
    assert found[0].installed and found[1].installed is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"contract": "two"}, "my-gans: contract='two' must be a whole number"),
        ({"kinds": ["lossses"]}, "choose of generators, "),
        ({"kinds": []}, "choose of generators, "),
        ({"home": "http://example.org"}, "it must begin with https://"),
        ({"summary": "no sentence"}, "must be one line, a sentence"),
        ({"stars": 5}, "and nothing else"),
    ],
)
def test_an_entry_of_another_form_is_refused(change, says):
    with pytest.raises(ConfigError, match=says):
        index.known(yaml.safe_dump([{**RIGHT, **change}]))


def test_two_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="has my-gans twice"):
        index.known(yaml.safe_dump([RIGHT, RIGHT]))


def test_the_command_lists_the_index(monkeypatch):
    monkeypatch.setattr(plugins, "known", lambda: index.known(yaml.safe_dump([RIGHT])))
    shown = CliRunner().invoke(app, ["plugins", "--index"])
    assert shown.exit_code == 0
    assert "my-gans" in shown.stdout and "not installed: pip install my-gans" in shown.stdout
    monkeypatch.setattr(plugins, "known", lambda: [])
    assert "knows none yet" in CliRunner().invoke(app, ["plugins", "--index"]).stdout
    assert "--index" in CliRunner().invoke(app, ["plugins", "--help"]).stdout
