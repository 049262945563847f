"""A saved configuration that somebody else may have made: what is of another type is named with its file."""

import pytest
import yaml

from gan_framework.config import saved
from gan_framework.config.compose import compose, plain
from gan_framework.errors import ConfigError


@pytest.fixture(scope="module")
def config():
    return plain(compose(["debug=smoke"]))


def written(config, place, value, folder):
    """Write a configuration with one value changed, and return the file."""
    changed = yaml.safe_load(yaml.safe_dump(config))
    *path, last = place.split(".")
    section = changed
    for name in path:
        section = section[name]
    section[last] = value
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(changed))
    return file


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("seed", "x", 'seed is "x", not a whole number'),
        ("seed", 1.5, "seed is 1.5, not a whole number"),
        ("seed", True, "seed is true, not a whole number"),
        ("train.steps", "many", 'train.steps is "many": Value'),
        ("train.steps", [1], "train.steps is a list: Value"),
        ("train.steps", None, "train.steps is null: "),
        ("train.steps", "${seed}", 'train.steps is "${seed}": Value'),
        ("train.steps", "???", "train.steps is ???, which"),
        ("train.precision", "fp8", 'train.precision is "fp8": Invalid value'),
        ("data.classes", [1], "data.classes is a list, not a list of names"),
        ("data.symbols", "abc", 'data.symbols is "abc", not a list of names'),
        ("evaluate.samples", {}, "evaluate.samples is an empty mapping: "),
        ("loss.name", "???", "loss.name is ???, which"),
        ("loss.name", None, "loss.name is null, not the name of a plugin"),
        ("data.name", ["a"], "data.name is a list, not the name of a plugin"),
        ("networks.generator.name", 3, "networks.generator.name is 3, not the name of a plugin"),
        ("optimizer.generator", "adam", 'optimizer.generator is "adam", not the settings of a plugin'),
        ("metrics", {"fid": {"name": "fid", "k": [3, "???"]}}, "metrics.fid.k.1 is ???, which"),
    ],
)
def test_what_is_of_another_type_is_named_with_the_file(config, place, value, why, tmp_path):
    file = written(config, place, value, tmp_path)
    with pytest.raises(ConfigError) as raised:
        saved.read(file)
    assert str(raised.value).startswith(f"{file}: {why}") and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("place", "value"), [("train.steps", "7"), ("train.resume", "${x}"), ("train.newer", ["of a later version"])]
)
def test_what_can_be_read_as_the_type_is_left_alone(config, place, value, tmp_path):
    section, key = place.split(".")
    assert saved.read(written(config, place, value, tmp_path))[section][key] == value
