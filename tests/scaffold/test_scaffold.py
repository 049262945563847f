"""What `gan-framework new-plugin` writes is complete: it installs, and passes its own tests, ruff and mypy, at once."""

import os
import subprocess
import sys

import pytest

from gan_framework import scaffold
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import KINDS
from tests.helpers.environment import ROOT, Environment
from tests.journeys.test_documentation import write_distribution

MYPY_CACHE = ROOT / ".mypy_cache" / "plugins"
"""Kept between runs: most of mypy's time goes into reading torch."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The distributions of a new plugin of every kind, by kind, under names of uneven length."""
    out = tmp_path_factory.mktemp("written")
    names = {kind: f"our-{KINDS[kind].singular}" for kind in KINDS}
    names["strategies"] = "a"
    names["losses"] = "a-loss-with-a-name-of-forty-letters-or-so"
    return {kind: scaffold.write(name, kind, out) for kind, name in names.items()}


def python(*arguments, cwd=None):
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_it_passes_its_own_tests(written, tmp_path):
    environment = Environment(tmp_path / "environment")
    environment.install(*written.values())
    tests = [folder / "tests" for folder in written.values()]
    options = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", tmp_path)
    out = environment.run("-m", "pytest", *options, *tests, cwd=tmp_path).stdout
    assert " passed" in out and "skipped" not in out
    listed = environment.command("plugins").stdout
    for folder in written.values():
        assert f"  {folder.name.replace('-', '_')} " in listed and f" {folder.name} 0.1.0 " in listed
    assert "broken" not in listed


def test_it_passes_ruff(written):
    for folder in written.values():
        python("-m", "ruff", "check", "--no-cache", ".", cwd=folder)
        python("-m", "ruff", "format", "--no-cache", "--check", ".", cwd=folder)


@pytest.mark.slow
def test_it_passes_mypy_as_do_the_example_and_the_tutorial(written, tmp_path):
    write_distribution(tmp_path)
    sources = [folder / "src" for folder in (*written.values(), ROOT / "plugins" / "example", tmp_path)]
    packages = [package for source in sources for package in source.iterdir()]
    config = written["losses"] / "pyproject.toml"
    out = python("-m", "mypy", "--config-file", config, "--cache-dir", MYPY_CACHE, *packages, cwd=ROOT)
    assert out.startswith("Success")


def test_every_file_has_its_place(written):
    folder = written["terms"]
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert [file for file in files if "cache" not in file] == [
        "README.md",
        "pyproject.toml",
        "src/our_term/__init__.py",
        "src/our_term/conf/term/our_term.yaml",
        "src/our_term/py.typed",
        "src/our_term/terms.py",
        "tests/test_our_term.py",
    ]
    assert "gan-framework train debug=smoke term='[our_term]'" in (folder / "README.md").read_text()


def test_nothing_is_overwritten(tmp_path):
    scaffold.write("twice", "loss", tmp_path)
    with pytest.raises(ConfigError, match=f"{tmp_path / 'twice'} exists already"):
        scaffold.write("twice", "term", tmp_path)


@pytest.mark.parametrize("name", ["1st", "Loss", "a b", "../up", "class", "", "a.b"])
def test_a_name_that_makes_no_package_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="makes no package name"):
        scaffold.write(name, "loss", tmp_path)
    assert os.listdir(tmp_path) == []


# -- one more plugin of an existing distribution ----------------------------------------------------


BY_HAND = """\
[build-system]
requires = ["hatchling>=1.24"]   # as it was written
build-backend = "hatchling.build"

[project]
name = "by-hand"
version = "0.1.0"
dependencies = [
  "gan-framework",
]

[project.entry-points."gan_framework.contract"]
2 = "by_hand"

[project.entry-points.'gan_framework.losses']
first = 'by_hand.first:First'  # the first

[tool.hatch.build.targets.wheel]
packages = ["src/by_hand"]
"""


@pytest.fixture
def by_hand(tmp_path):
    """A distribution written by hand, with one loss and no configuration package."""
    folder = tmp_path / "by-hand"
    (folder / "src" / "by_hand").mkdir(parents=True)
    (folder / "src" / "by_hand" / "__init__.py").write_text('"""By hand."""\n')
    (folder / "pyproject.toml").write_text(BY_HAND)
    return folder


def test_a_further_plugin_has_its_files_and_its_entry_point_and_all_else_stays(by_hand):
    files = scaffold.write_into("second-loss", "loss", by_hand)
    assert [str(file.relative_to(by_hand)) for file in files] == [
        "src/by_hand/second_loss.py",
        "src/by_hand/conf/loss/second_loss.yaml",
        "tests/test_second_loss.py",
        "pyproject.toml",
    ]
    assert all(file.is_file() for file in files)
    first = "first = 'by_hand.first:First'  # the first\n"
    second = 'second_loss = "by_hand.second_loss:SecondLoss"\n'
    configs = '\n[project.entry-points."gan_framework.configs"]\nby_hand = "by_hand.conf"\n'
    assert (by_hand / "pyproject.toml").read_text() == BY_HAND.replace(first, first + second + configs)


def test_a_further_kind_has_a_table_behind_the_last_one(by_hand):
    scaffold.write_into("second", "optimizer", by_hand)
    lines = (by_hand / "pyproject.toml").read_text().splitlines()
    at = lines.index('[project.entry-points."gan_framework.optimizers"]')
    assert lines[at - 2].startswith("first = ") and lines[at - 1] == ""
    assert lines[at + 1] == 'second = "by_hand.second:build"'


def test_the_ends_of_lines_stay(by_hand):
    path = by_hand / "pyproject.toml"
    path.write_bytes(BY_HAND.replace("\n", "\r\n").encode())
    scaffold.write_into("second", "term", by_hand)
    assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n") == len(BY_HAND.splitlines()) + 6


def test_a_further_plugin_of_a_written_distribution_passes_ruff(tmp_path):
    folder = scaffold.write("ours", "loss", tmp_path)
    for kind in KINDS:
        scaffold.write_into(f"further-{KINDS[kind].singular}", kind, folder)
    python("-m", "ruff", "check", "--no-cache", ".", cwd=folder)
    python("-m", "ruff", "format", "--no-cache", "--check", ".", cwd=folder)


def test_a_further_plugin_is_found_and_keeps_its_contract(by_hand, monkeypatch, install):
    from gan_framework.testing import check_plugin

    scaffold.write_into("second-loss", "loss", by_hand)
    monkeypatch.syspath_prepend(str(by_hand / "src"))
    points = {"losses": {"second_loss": "by_hand.second_loss:SecondLoss"}, "configs": {"by_hand": "by_hand.conf"}}
    install("by-hand", points)
    check_plugin("losses", "second_loss", ["data.image_size=8"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('[project.entry-points."gan_framework.contract"]\n2 = "by_hand"', "", "states no version of the plugin contr"),
        ('2 = "by_hand"', '1 = "by_hand"', "states version 1 of the plugin contract, and what would be written is for"),
        ('2 = "by_hand"', '2 = "other"', "names the package other, and neither .*src nor .*by-hand has it"),
        ("first = 'by_hand.first:First'", "second = 'x:Y'", r"has a plugin 'second' \(losses\) already"),
        ("first = 'by_hand.first:First'", "first.second = {}", r"line 16: 'first.second = \{\}.*' is not understood"),
        (
            "dependencies = [",
            'entry-points."gan_framework.losses" = { second = "x:Y" }\ndependencies = [',
            "line 8: 'entry-points.* is not understood; entry points are to stand in tables",
        ),
        ("[project.entry-points.'gan_framework.losses']", "[project.entry-points]", "line 15: .* is not understood"),
    ],
)
def test_a_distribution_that_cannot_be_edited_is_left_as_it_was(by_hand, old, new, message):
    path = by_hand / "pyproject.toml"
    assert old in BY_HAND
    path.write_text(BY_HAND.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        scaffold.write_into("second", "loss", by_hand)
    assert path.read_text() == BY_HAND.replace(old, new)
    assert sorted(file.name for file in by_hand.rglob("*") if file.is_file()) == ["__init__.py", "pyproject.toml"]


def test_no_file_of_a_distribution_is_overwritten(by_hand):
    (by_hand / "tests").mkdir()
    (by_hand / "tests" / "test_second.py").write_text("mine")
    with pytest.raises(ConfigError, match=r"test_second.py exists already: choose another name"):
        scaffold.write_into("second", "loss", by_hand)
    assert (by_hand / "pyproject.toml").read_text() == BY_HAND
    assert not (by_hand / "src" / "by_hand" / "second.py").exists()


def test_a_folder_without_a_pyproject_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"--into .*pyproject.toml cannot be read"):
        scaffold.write_into("second", "loss", tmp_path)


def test_the_command_adds_to_a_distribution(by_hand, capsys):
    from typer.testing import CliRunner

    from gan_framework.cli.commands import app

    done = CliRunner().invoke(app, ["new-plugin", "second", "--kind", "prior", "--into", str(by_hand)])
    assert done.exit_code == 0 and str(by_hand / "src" / "by_hand" / "second.py") in done.stdout.splitlines()
    done = CliRunner().invoke(
        app, ["new-plugin", "third", "--kind", "prior", "--into", str(by_hand), "--out", str(by_hand / "x")]
    )
    assert isinstance(done.exception, ConfigError) and "exclude each other" in str(done.exception)
