"""compare --over: groups over several data sets."""

import base64
import io
import itertools
import json
from dataclasses import replace

import pytest
from PIL import Image
from typer.testing import CliRunner

from gan_framework.cli import sources
from gan_framework.cli.commands import app
from gan_framework.compare import across, profiles
from gan_framework.errors import ConfigError
from tests.helpers.comparing import PROTOCOL, make_run

SETS = ("mnist", "cifar10", "svhn", "celeba", "stl10", "digits", "lfw", "cifar100")
LEVELS = {"hinge": 1.0, "wasserstein": 2.0, "vanilla": 3.0}


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Three losses on eight data sets whose scores have scales of their own, each with a protocol of its own."""
    folder = tmp_path_factory.mktemp("night")
    for (number, name), (loss, level), seed in itertools.product(enumerate(SETS), LEVELS.items(), range(2)):
        score = 10.0**number * (level + 0.1 * seed)
        data = {"name": name, "path": f"/{name}"}
        make_run(
            folder / f"{name}-{loss}-{seed}", loss, seed, [score], data=data, protocol=PROTOCOL | {"dataset": name}
        )
    make_run(folder / "lone", "lone", 0, [1.0], data={"name": "mnist"}, protocol=PROTOCOL | {"dataset": "mnist"})
    return folder


def test_groups_are_ranked_over_all_data_sets(night):
    found = across.over(sources.read([night]), "data.name", None, "last")
    assert [name["loss.name"] for name in found.names] == ["hinge", "wasserstein", "vanilla"]
    assert found.ranking.ranks == [1.0, 2.0, 3.0]
    # k = 3, N = 8: 2.343 · √(3 · 4 / (6 · 8)), by the table of Demšar 2006.
    assert found.ranking.critical == pytest.approx(2.343 * 0.5, abs=1e-3)
    assert found.statement(1).startswith("not significantly different from the best (1 ranks")
    assert found.statement(2).startswith("worse than the best by 2 ranks (critical difference 1.17")
    mean, (low, high) = found.middles[0]
    # The median of a data set's six runs is (2.0 + 2.1) / 2.
    assert mean == pytest.approx(1.05 / 2.05)
    assert low < mean < high


def test_groups_that_differ_in_a_setting_of_the_data_are_told_apart_on_each_data_set(tmp_path):
    """Two groups of one data set are not one that was scored on two."""
    for name, loss, flip, score in [
        *(("mnist", loss, False, level) for loss, level in LEVELS.items()),
        *(("svhn", loss, False, 10 * level) for loss, level in LEVELS.items() if loss != "vanilla"),
        ("mnist", "vanilla", True, 0.5),
        ("svhn", "hinge", True, 5.0),
    ]:
        place = tmp_path / f"{name}-{loss}-{flip}"
        make_run(place, loss, 0, [score], data={"name": name, "flip": flip}, protocol=PROTOCOL | {"dataset": name})
    found = across.over(sources.read([tmp_path]), "data.name", None, "last")
    told = {tuple(own.values()): scores for own, scores in zip(found.names, found.scores, strict=True)}
    assert told == {("false", "hinge"): [[1.0], [10.0]], ("false", "wasserstein"): [[2.0], [20.0]]}
    assert {tuple(own.values()) for own in found.left_out} == {
        ("false", "vanilla"), ("true", "vanilla"), ("true", "hinge"),
    }  # fmt: skip
    for path in ("/a", "/b"):
        data = {"name": "mnist", "path": path, "flip": False}
        make_run(tmp_path / path[1:], "rahinge", 0, [1.0], data=data, protocol=PROTOCOL | {"dataset": "mnist"})
    with pytest.raises(ConfigError, match="--over data.name: of mnist there are several groups that only settings of"):
        across.over(sources.read([tmp_path]), "data.name", None, "last")


def test_the_command_shows_and_writes_it(night, tmp_path):
    done = CliRunner().invoke(app, ["compare", str(night), "--over", "data.name", "--json", str(tmp_path / "all.json")])
    assert done.exit_code == 0, done.output
    assert "over 8 values of data.name (lower is better)" in done.stdout
    assert "left out, for it lacks a score" in done.stdout
    found = json.loads((tmp_path / "all.json").read_text())
    assert [group["average_rank"] for group in found["groups"]] == [1.0, 2.0, 3.0]
    profile = dict(zip(found["profile_bounds"], found["groups"][0]["profile"], strict=True))
    assert profile[0.0] == 0.0
    assert profile[max(profile)] == 1.0
    assert found["groups"][0]["scores"]["mnist"] == [1.0, 1.1]


def test_what_cannot_be_compared_over_is_refused(night):
    runs = [*sources.read([night])]
    with pytest.raises(ConfigError, match="--over train.steps: all runs have the same value of it"):
        across.over(runs, "train.steps", None, "last")
    one = [run for run in runs if run.config["loss"]["name"] == "hinge"]
    with pytest.raises(ConfigError, match="1 of the groups has scores on all 8 data sets, and two are the least"):
        across.over(one, "data.name", None, "last")
    done = CliRunner().invoke(app, ["compare", str(night), "--over", "data.name", "--paired"])
    assert isinstance(done.exception, ConfigError)


def test_the_page_shows_table_and_profiles_and_nothing_of_a_run_is_markup(night, tmp_path):
    done = CliRunner().invoke(app, ["compare", str(night), "--over", "data.name", "--html", str(tmp_path / "all.html")])
    assert done.exit_code == 0, done.output
    found = across.over(sources.read([night]), "data.name", None, "last")
    assert profiles.profiles(found) == [group["profile"] for group in across.as_plain(found)["groups"]]
    text = (tmp_path / "all.html").read_text()
    assert "differ by 1.17 or more are different" in text
    assert "loss.name=hinge</td><td>1</td>" in text
    png = base64.b64decode(text.partition("data:image/png;base64,")[2].partition('"')[0])
    assert Image.open(io.BytesIO(png)).size == (990, 550)
    below = [[[-level]] * 8 for level in (1.0, 2.0, 3.0)]
    odd = replace(found, names=[{"loss.name": "<b>$x$</b>"}, *found.names[1:]], scores=below)
    profiles.write_page(odd, tmp_path / "odd.html")
    text = (tmp_path / "odd.html").read_text()
    assert "&lt;b&gt;$x$&lt;/b&gt;" in text
    assert "<b>" not in text
    assert "multiples of a median need scores above 0" in text
