"""Every block of docs/plugins.md is run: together they are one distribution, and the commands that use it."""

import re
import shlex

import pytest

from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS
from tests.plugins.environment import ROOT, Environment

PAGE = (ROOT / "docs" / "plugins.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [
    shlex.split(line, comments=True) for kind, text in BLOCKS if kind == "console" for line in text.splitlines()
]
FILES = [(kind, *re.match(r"# (\S+)\n(.*)", text, re.DOTALL).groups()) for kind, text in BLOCKS if kind != "console"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("environment"))


def write_distribution(folder):
    """Write the distribution of the page into a folder."""
    for _, path, text in FILES:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the distribution of the page in it."""
    made = tmp_path_factory.mktemp("work")
    write_distribution(made / "tutorial-gans")
    return made


def test_every_block_is_a_file_or_commands():
    assert {kind for kind, _ in BLOCKS} == {"console", "toml", "python", "yaml"}
    assert {path.rpartition(".")[2] for _, path, _ in FILES} == {"toml", "py", "yaml"}
    assert len({path for _, path, _ in FILES}) == len(FILES) == 2 * len(KINDS) + 3
    assert {command[0] for command in COMMANDS} == {"gan-framework", "pip", "pytest"}


def test_every_kind_has_its_row_and_its_section():
    for kind in KINDS:
        singular = KINDS[kind].singular
        row = f"| {singular} | `gan_framework.{kind}` | `{KINDS[kind].group}/` |"
        assert row in PAGE and re.search(f"^## An? {singular}$", PAGE, re.MULTILINE), kind


def test_the_version_of_the_contract_is_on_the_page():
    assert f"\n| {registry.CONTRACT} | gan-framework" in PAGE


@pytest.mark.slow
def test_the_commands_do_what_the_page_says(environment, folder):
    printed = {}
    for program, *arguments in COMMANDS:
        if program == "pip":
            assert arguments[:2] == ["install", "-e"]
            environment.install(folder / arguments[2])
        elif program == "pytest":
            passed = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, cwd=folder).stdout
        else:
            printed[" ".join(arguments[:2])] = environment.command(*arguments, cwd=folder).stdout
    assert "my_loss" in printed["plugins losses"]
    assert "broken" not in printed["plugins check"]
    assert printed["plugins check"].count("ok      ") == len(KINDS)
    assert " passed" in passed and "failed" not in passed
    assert (folder / "run" / "progress.txt").read_text().startswith("1  ")
    assert (folder / "run" / "sample.png").stat().st_size > 0


def test_the_code_passes_ruff(environment, folder):
    rules = ROOT / "plugins" / "example" / "pyproject.toml"
    source = folder / "tutorial-gans" / "src"
    environment.run("-m", "ruff", "check", "--no-cache", "--config", rules, source)
    environment.run("-m", "ruff", "format", "--check", "--no-cache", "--config", rules, folder / "tutorial-gans")
