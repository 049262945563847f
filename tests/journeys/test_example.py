"""The example distribution, built as a wheel and installed in an environment of its own."""

import json
import re

import pytest
import yaml
from PIL import Image

from tests.helpers.environment import ROOT, Environment

EXAMPLE = ROOT / "plugins" / "example"
SMALL = ("debug=smoke", "model=mlp", "metrics=[]")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    made = Environment(tmp_path_factory.mktemp("environment"))
    made.install(EXAMPLE)
    return made


def test_its_plugins_are_listed(environment):
    listed = json.loads(environment.command("plugins", "--json").stdout)
    own = {entry["name"]: entry for entry in listed if entry["distribution"] == "gan-framework-example"}
    assert own.keys() == {"focal", "orthogonal_start", "cppn"}
    assert own["focal"]["kind"] == "losses" and own["focal"]["version"] == "0.1.0"
    assert own["focal"]["settings"] == {"gamma": 2.0}
    assert own["focal"]["summary"].startswith("The non-saturating loss, in which")
    assert all(entry["problem"] is None for entry in own.values())


@pytest.mark.slow
def test_a_sweep_over_joblib_workers_uses_them(environment, tmp_path):
    sweep = ("-m", "hydra/launcher=joblib", f"hydra.sweep.dir={tmp_path}", *SMALL, "loss=focal,minimax")
    environment.run(ROOT / "run.py", *sweep)
    summaries = [json.loads(path.read_text()) for path in tmp_path.glob("*/summary.json")]
    assert [summary["status"] for summary in summaries] == ["finished"] * 2
    configs = [yaml.safe_load(path.read_text()) for path in tmp_path.glob("*/config.yaml")]
    assert sorted(config["loss"]["name"] for config in configs) == ["focal", "minimax"]


def test_tab_completion_offers_them(environment):
    line = "run.py loss=fo"
    typed = {"COMP_LINE": line, "COMP_POINT": str(len(line))}
    assert environment.run(ROOT / "run.py", "-sc", "query=bash", **typed).stdout.split() == ["loss=focal"]


def test_help_offers_them(environment):
    text = environment.run(ROOT / "run.py", "--help").stdout
    _, _, after = text.partition("\n  loss ")
    losses = re.split(r"\n  \w", after)[0]  # its names go on in further lines
    assert "focal" in losses


@pytest.mark.slow
def test_it_passes_its_own_tests(environment, tmp_path):
    # From a folder of the tests alone: what is tested is what the wheel holds.
    (tmp_path / "tests").symlink_to(EXAMPLE / "tests")
    done = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "tests", cwd=tmp_path)
    assert " passed" in done.stdout and "skipped" not in done.stdout


@pytest.mark.slow
def test_beside_the_wheel_of_the_framework_they_are_used_by_name(tmp_path):
    environment = Environment(tmp_path / "environment")
    environment.install(ROOT, EXAMPLE)
    where = environment.run("-c", "import gan_framework; print(gan_framework.__file__)", cwd=tmp_path).stdout
    assert str(tmp_path) in where

    names = ("loss=focal", "loss.gamma=0.5", "generator=cppn", "strategy=[orthogonal_start]")
    environment.command("train", *SMALL, *names, "hydra.run.dir=run", cwd=tmp_path)
    config = yaml.safe_load((tmp_path / "run/config.yaml").read_text())
    assert config["loss"] == {"name": "focal", "gamma": 0.5}
    assert config["networks"]["generator"]["name"] == "cppn"
    assert config["strategy"]["orthogonal_start"]["networks"] == ["generator", "discriminator"]
    assert json.loads((tmp_path / "run/summary.json").read_text())["status"] == "finished"

    grid = environment.command("sample", "run", "--n", 4, cwd=tmp_path).stdout.strip()
    assert Image.open(tmp_path / grid).size == (4 * 34 + 2, 34 + 2)
