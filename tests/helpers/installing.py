"""Distributions installed into this process."""

import importlib
import sys

import pytest

from gan_framework.registry import listing, packages, registry
from gan_framework.testing import subject, surroundings
from tests.helpers.environment import distribution


def forget():
    """Forget what was read of the installed distributions."""
    importlib.invalidate_caches()
    for remembered in (
        packages._all_entry_points,
        packages.config_packages,
        packages.name_and_version,
        packages.registered,
        registry.installed,
        listing.defaults,
        surroundings._composed,
        subject._found,
    ):
        remembered.cache_clear()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install distributions made by hand into this process, until the test is over."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    def installed(name, points, files=(), **options):
        distribution(tmp_path / "site", name, points, files, **options)
        forget()

    yield installed
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", None) or ""):
            del sys.modules[name]
    monkeypatch.undo()
    forget()
