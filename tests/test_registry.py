"""Plugins are found by name, loaded only when they are chosen, and wrong ones are explained."""

import sys
from importlib import metadata

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.packages import GROUPS, config_folder, locate
from gan_framework.registry.source import NoSource, declaration

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

PYPROJECT = config_folder().parent / "pyproject.toml"


def test_every_kind_has_a_contract_and_a_configuration_group():
    assert registry.CONTRACTS.keys() == GROUPS.keys()
    assert [registry.singular(kind) for kind in ("losses", "strategies", "generators", "metrics")] == [
        "loss",
        "strategy",
        "generator",
        "metric",
    ]
    assert all(registry.kind_named(registry.singular(kind)) == kind for kind in registry.KINDS)


def test_the_built_in_plugins_are_installed_as_pyproject_registers_them():
    written = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]
    points = metadata.distribution("gan-framework").entry_points
    installed = {group: {p.name: p.value for p in points if p.group == group} for group in written}
    assert installed == written, "run `pip install -e .` again"


def test_built_in_plugins_are_known_to_load():
    for kind in registry.KINDS:
        for plugin in registry.installed(kind):
            assert callable(plugin.load())


def test_a_wrong_name_is_answered_with_the_closest_ones():
    with pytest.raises(
        ConfigError, match=r"no plugin named 'wasserstien' among the losses; .*first: wasserstein \(gan-"
    ):
        registry.find("losses", "wasserstien")
    with pytest.raises(ConfigError, match="no plugin kind 'lossy'; the kinds are generators, "):
        registry.installed("lossy")


def test_settings_are_checked_before_anything_is_built():
    config = {"name": "normal", "dimension": 3}
    with pytest.raises(ConfigError, match=r"normal \(priors\) does not accept 'dimension'; it accepts dim"):
        registry.build("priors", config)
    with pytest.raises(ConfigError, match=r"normal \(priors\) needs the settings dim"):
        registry.build("priors", {"name": "normal"})
    with pytest.raises(ConfigError, match="needs a `name`"):
        registry.build("priors", {"dim": 3})
    assert registry.build("priors", {"name": "normal", "dim": 3}).draw(2, torch.device("cpu")).z.shape == (2, 3)


def test_what_a_plugin_refuses_is_the_users_mistake():
    config = {"name": "k_step", "k": 0, "g_steps": 1}
    with pytest.raises(ConfigError, match="k_step .* refuses its settings .*: k=0, g_steps=1: both must be at least 1"):
        registry.build("strategies", config)


def test_a_distribution_picks_a_plugin():
    for distribution in ("gan-framework", "gan_framework", "GAN.Framework"):
        assert registry.find("losses", f"{distribution}:minimax").name == "minimax"
    with pytest.raises(ConfigError, match="no plugin named 'other:minimax'"):
        registry.find("losses", "other:minimax")


# -- what is read of sources ------------------------------------------------------------------------


def test_modules_are_located_without_importing_them():
    assert locate("gan_zoo.losses.vanilla").file.name == "vanilla.py"
    assert [folder.name for folder in locate("gan_zoo.losses").folders] == ["losses"]
    assert locate("no_such_package") is locate("gan_zoo.no_such") is locate("gan_zoo.losses.vanilla.inner") is None


def test_the_settings_read_from_sources_are_those_of_the_signatures():
    for kind in registry.KINDS:
        for plugin in registry.installed(kind):
            read = declaration(plugin.entry_point.module, plugin.entry_point.attr)
            factory = plugin.load()
            accepted = registry.settings(factory)
            assert list(read.parameters) == list(accepted), plugin
            assert read.summary == (factory.__doc__ or "").strip().partition("\n")[0], plugin


def test_a_stale_entry_point_is_told_from_its_source():
    with pytest.raises(NoSource, match="there is no module gan_zoo.lossy"):
        declaration("gan_zoo.lossy", "Minimax")
    with pytest.raises(NoSource, match="the module gan_zoo.losses.vanilla has no Maximin"):
        declaration("gan_zoo.losses.vanilla", "Maximin")
