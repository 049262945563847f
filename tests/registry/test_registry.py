"""Plugins are found by name, loaded only when they are chosen, and wrong ones are explained."""

import sys
from importlib import metadata

import pytest
import torch

from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS, kind_named
from gan_framework.registry.listing import entries
from gan_framework.registry.packages import config_folder, locate

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

PYPROJECT = config_folder().parent / "pyproject.toml"


def test_every_kind_has_a_contract_and_a_configuration_group():
    assert [KINDS[kind].singular for kind in ("losses", "strategies", "generators", "metrics")] == [
        "loss",
        "strategy",
        "generator",
        "metric",
    ]
    assert all(kind_named(kind.singular) is kind_named(kind.name) is kind for kind in KINDS.values())
    assert [kind.name for kind in KINDS.values() if kind.contract is None] == ["optimizers"]
    registered = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]
    with_plugins = [kind for kind in KINDS.values() if kind.entry_points in registered]
    assert len(with_plugins) >= 14
    assert all((config_folder() / kind.group).is_dir() for kind in with_plugins)


def test_the_built_in_plugins_are_installed_as_pyproject_registers_them():
    written = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]
    points = metadata.distribution("gan-framework").entry_points
    installed = {group: {p.name: p.value for p in points if p.group == group} for group in written}
    assert installed == written, "run `pip install -e .` again"


def test_built_in_plugins_are_known_to_load():
    for kind in KINDS:
        for plugin in registry.installed(kind):
            assert callable(plugin.load())


def test_a_wrong_name_is_answered_with_the_closest_ones():
    with pytest.raises(
        ConfigError, match=r"no plugin named 'wasserstien' among the losses; the closest are wasserstein \(gan-"
    ):
        registry.find("losses", "wasserstien")
    with pytest.raises(ConfigError, match="no plugin kind 'lossy'; closest: losses$"):
        kind_named("lossy")


def test_settings_are_checked_before_anything_is_built():
    config = {"name": "normal", "dimension": 3}
    with pytest.raises(ConfigError, match=r"normal \(priors\) does not accept 'dimension'; it accepts dim"):
        registry.build("priors", config)
    with pytest.raises(ConfigError, match=r"mlp \(generators\) needs the settings latent_dim, image_size, channels$"):
        registry.build("generators", {"name": "mlp"})
    with pytest.raises(ConfigError, match="needs a `name`"):
        registry.build("priors", {"dim": 3})
    assert registry.build("priors", {"name": "normal", "dim": 3}).draw(2, torch.device("cpu")).z.shape == (2, 3)


def test_a_setting_that_an_older_configuration_does_not_have_is_that_of_the_yaml():
    assert registry.build("priors", {"name": "normal"}).dim == 100


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lr": -1}, "optimizer.generator.lr=-1: Invalid learning rate: -1"),
        ({"betas": [0.5, 1.5]}, "optimizer.generator.betas=[0.5, 1.5]: Invalid beta parameter at index 1: 1.5"),
        ({"betas": [0.5]}, "optimizer.generator.betas=[0.5]: two numbers are needed, as in [0.5,0.999]"),
        ({"lr": -1, "eps": -1}, "Invalid learning rate: -1; given {'lr': -1, "),
    ],
)
def test_a_value_that_a_plugin_only_quotes_is_said_with_its_setting(changed, said):
    config = {"name": "adam", "lr": 1e-3, "betas": [0.5, 0.9], "eps": 1e-8, "weight_decay": 0.0, "fused": False}
    with pytest.raises(ConfigError) as refused:
        registry.build("optimizers", config | changed, [torch.nn.Parameter(torch.ones(1))], at="optimizer.generator")
    assert str(refused.value).startswith(f"invalid settings for adam (optimizers): {said}")


def test_what_a_plugin_refuses_is_the_users_mistake():
    config = {"name": "k_step", "k": 0, "g_steps": 1}
    match = "invalid settings for k_step .*: strategy.k_step.k=0, g_steps=1, g_batches=1: all must be at least 1$"
    with pytest.raises(ConfigError, match=match):
        registry.build("strategies", config)
    with pytest.raises(ConfigError, match=": prior.dim=0: it must be at least 1$"):
        registry.build("priors", {"name": "normal", "dim": 0})
    with pytest.raises(ConfigError, match="terms.late.start=soon must be a whole number"):
        registry.build("terms", {"name": "lecam", "decay": 0.9, "start": "soon"}, at="terms.late")


def test_a_distribution_picks_a_plugin():
    for distribution in ("gan-framework", "gan_framework", "GAN.Framework"):
        assert registry.find("losses", f"{distribution}:minimax").name == "minimax"
    with pytest.raises(ConfigError, match="no plugin named 'other:minimax'"):
        registry.find("losses", "other:minimax")


# -- what is listed -------------------------------------------------------------------------------


def test_modules_are_located_without_importing_them():
    assert locate("gan_zoo.losses.vanilla").file.name == "vanilla.py"
    assert [folder.name for folder in locate("gan_zoo.losses").folders] == ["losses"]
    assert locate("no_such_package") is locate("gan_zoo.no_such") is locate("gan_zoo.losses.vanilla.inner") is None


def test_every_plugin_is_listed_with_its_summary_and_its_settings():
    listed = {(entry.kind, entry.name): entry for entry in entries()}
    for kind in KINDS.values():
        for plugin in registry.installed(kind.name):
            entry, factory = listed[kind.name, plugin.name], plugin.load()
            assert entry.problem is None
            assert entry.summary == (factory.__doc__ or "").strip().partition("\n")[0] != "", plugin
            accepted = list(registry.settings(factory))[kind.supplied :]
            own = {key for key in entry.settings if "." not in key}  # a dot: of what a configured loss brings
            assert own - {*accepted} <= {*kind.reserved}, plugin
            assert {*accepted} <= entry.settings.keys(), plugin
