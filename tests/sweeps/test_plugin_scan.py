"""Hydra imports every module of `hydra_plugins` and asks of each class in it whether it is a plugin."""

import importlib
import inspect
import pkgutil
from types import GenericAlias

from hydra.plugins.plugin import Plugin

import hydra_plugins

OURS = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(hydra_plugins.__path__, "hydra_plugins.")
    if module.name.startswith("hydra_plugins.gan_framework_")
]


def test_our_plugins_are_among_the_modules():
    found = {name for module in OURS for name, value in inspect.getmembers(module) if _plugin(value)}
    assert {"PluginConfigs", "GridSweeper", "OptunaSweeper"} <= found


def test_no_module_holds_an_alias():
    # Python 3.10 calls `tuple[int, str]` a class, and issubclass() refuses it: no command would compose.
    aliases = [
        f"{module.__name__}.{name}"
        for module in OURS
        for name, value in vars(module).items()
        if isinstance(value, GenericAlias)
    ]
    assert not aliases, f"{', '.join(aliases)}: define it under `if TYPE_CHECKING:`"


def _plugin(value):
    return isinstance(value, type) and not isinstance(value, GenericAlias) and issubclass(value, Plugin)
