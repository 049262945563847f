"""The options of configuration groups: what each says of itself, and what it chooses."""

import json
import re

import pytest

from gan_framework.cli import plugins
from gan_framework.errors import ConfigError
from gan_framework.registry.kinds import KINDS
from gan_framework.registry.listing import composed, configured, entries
from gan_framework.registry.options import Option, find, options_of

SOURCE = re.compile(r"arXiv \d{4}\.\d{4,5}|(19|20)\d\d( \([A-Z]|\))|tutorials")
"""A paper by its number, its journal or its authors' year; or where the setting is from, if no paper has it."""


@pytest.mark.parametrize(
    "option", [*options_of("experiment"), *options_of("model")], ids=lambda option: f"{option.group}={option.name}"
)
def test_every_experiment_and_model_says_first_what_it_is_and_where_it_is_from(option):
    package, first, *_ = option.file.read_text().splitlines()
    assert package == "# @package _global_"
    assert first.startswith("# ") and len(first) > 20, f"{option.file} does not say what it is"
    if option.distribution == "gan-framework":
        assert SOURCE.search(first), f"{option.file}: its first line names no paper and no tutorial: {first}"


def test_models_and_experiments_are_listed_with_what_they_are():
    for kind in ("models", "experiments"):
        found = {entry.name: entry for entry in composed(kind)}
        assert found.keys() == {option.name for option in options_of(kind[:-1])}
        assert all(entry.summary and entry.version != "?" for entry in found.values())
    assert found["resnet"].summary.startswith("SNGAN: Miyato et al. 2018, arXiv 1802.05957")
    assert found["resnet"].aliases == ("sngan", "sngan_cifar")
    assert "layer norm" in found["wgan_gp"].summary  # it has a second line


def test_every_option_of_every_kind_is_listed_once():
    for kind in KINDS:
        if KINDS[kind].group == "tracker":
            continue
        names = [entry.name for entry in [*entries((kind,)), *configured(kind)]]
        assert len({*names}) == len(names)
        assert {option.name for option in options_of(KINDS[kind].group)} <= {*names}, kind
    variants = {entry.name: entry for entry in configured("losses")}
    assert {"wasserstein_gp", "wasserstein_plain", "dragan", "r3gan"} <= variants.keys()
    assert all(entry.summary for entry in variants.values())
    penalty = variants["wasserstein_gp"]
    assert penalty.settings["name"] == "wasserstein" and penalty.settings["terms.gradient_penalty.weight"] == 10
    assert "wgan_gp" in penalty.aliases and variants["r3gan"].settings["terms.r2.weight"] == 1
    clipped = {entry.name: entry for entry in entries(("losses",))}["wasserstein"]
    assert clipped.settings["strategy.weight_clipping.bound"] == 0.01 and "wgan" in clipped.aliases


def test_an_option_says_what_it_chooses(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(
        "# @package _global_\n# First line,\n# second.\ndefaults:\n  - y\n  - override /strategy: [ema, k_step]\n"
        "  - override /loss: hinge\n  - /term/r1\n  - _self_\n# not this\n"
    )
    option = Option("experiment", "x", "d", file)
    assert option.summary == "First line, second."
    assert option.chosen("strategy") == ["ema", "k_step"] and option.chosen("loss") == ["hinge"]
    assert option.chosen("term") == ["r1"] and option.chosen("model") == []
    file.write_text("defaults: [")
    assert Option("experiment", "x", "d", file).chosen("loss") in (["hinge"], [])
    assert find("experiment", "no_such") is None
    assert find("experiment", "resnet_projection").base().name == "resnet"


def test_the_command_lists_them_too(capsys):
    plugins.show("experiment", as_json=False)
    out = capsys.readouterr().out
    assert out.startswith("experiments\n") and "WGAN-GP: Gulrajani et al. 2017, arXiv 1704.00028" in out
    plugins.show("models", as_json=True)
    assert {entry["kind"] for entry in json.loads(capsys.readouterr().out)} == {"models"}
    plugins.show("losses", as_json=False)
    out = capsys.readouterr().out
    assert "also called wgan_gp" in out and "terms.gradient_penalty.weight=10.0" in out
    with pytest.raises(ConfigError, match="models, experiments"):
        plugins.show("nothing", as_json=False)
