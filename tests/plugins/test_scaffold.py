"""What `gan-framework new-plugin` writes is complete: it installs, and passes its own tests, ruff and mypy, at once."""

import os
import subprocess
import sys

import pytest

from gan_framework import scaffold
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import KINDS
from tests.plugins.environment import ROOT, Environment
from tests.plugins.test_documentation import write_distribution

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
