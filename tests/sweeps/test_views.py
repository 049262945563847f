"""What Optuna draws of a search stands in the page of a comparison."""

import json
import math

import pytest
from matplotlib import pyplot
from typer.testing import CliRunner

from gan_framework.cli import sources
from gan_framework.cli.commands import app
from gan_framework.compare import export, groups, page
from gan_framework.errors import ConfigError
from gan_framework.sweeps.views import _coordinates, importances, load, read
from tests.helpers.comparing import make_run

optuna = pytest.importorskip("optuna", reason="needs the extra [optuna]")


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """A search of eight trials: the score is the learning rate's distance from 1e-3, hardly that of the loss."""
    folder = tmp_path_factory.mktemp("study") / "night"
    folder.mkdir()
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / "study.journal")))
    study = optuna.create_study(study_name="night", storage=storage)
    space = {
        "optimizer.generator.lr": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True),
        "loss": optuna.distributions.CategoricalDistribution(("hinge", "$wasserstein")),
    }
    for number in range(8):
        lr, loss = 10 ** (-5 + number / 2), ("hinge", "$wasserstein")[number // 2 % 2]
        score = abs(math.log10(lr) + 3) + 0.01 * (loss == "hinge")
        study.add_trial(
            optuna.trial.create_trial(
                params={"optimizer.generator.lr": lr, "loss": loss}, distributions=space, value=score
            )
        )
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    make_run(folder / "a", "hinge", 0, [1.0])
    make_run(folder / "b", "wasserstein", 0, [2.0])
    return folder / "study.journal"


def test_importances_are_optunas(journal):
    study = load(str(journal), "night")
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    assert importances(study) == optuna.importance.get_param_importances(study, evaluator=evaluator)
    assert importances(study)["optimizer.generator.lr"] > 0.6
    assert sum(importances(study).values()) == pytest.approx(1)


def test_parallel_coordinates_are_optunas_with_names_that_are_whole(journal):
    axes = _coordinates(load(str(journal), "night"), ["optimizer.generator.lr", "loss"], None, "the score")
    try:
        assert [label.get_text() for label in axes.get_xticklabels()] == ["the score", "loss", "lr"]
        (lines,) = axes.collections
        assert len(lines.get_segments()) == 8
        (log,) = [one for one in axes.figure.axes if one.get_yscale() == "log"]
        assert log.get_ylim() == pytest.approx((10**-5, 10**-1.5))
        assert log.yaxis.get_major_formatter()(0.001, 0) == "0.001"
    finally:
        pyplot.close(axes.figure)


def test_programs_are_told_of_them(journal, tmp_path):
    plain = read(str(journal), "night").plain
    assert (plain["study"], plain["trials"], plain["finished"]) == ("night", 9, 8)
    (objective,) = plain["objectives"]
    assert objective["importances"] == importances(load(str(journal), "night"))
    assert (objective["direction"], objective["best"]) == ("minimize", pytest.approx(0.01))
    comparison = groups.compare(sources.read([journal.parent]))
    export.write_json(comparison, tmp_path / "with.json", plain)
    export.write_json(comparison, tmp_path / "without.json")
    with_search, without = (json.loads((tmp_path / name).read_text()) for name in ("with.json", "without.json"))
    assert with_search.pop("search") == plain and with_search == without


def test_each_objective_has_its_own(tmp_path):
    place = f"{tmp_path}/study.journal"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(place))
    study = optuna.create_study(study_name="two", storage=storage, directions=["minimize", "maximize"])
    space = {name: optuna.distributions.FloatDistribution(0, 1) for name in ("a", "b")}
    for number in range(6):
        params = {"a": number / 6, "b": (number * 5 % 6) / 6}
        values = [params["a"], params["b"]]
        study.add_trial(optuna.trial.create_trial(params=params, distributions=space, values=values))
    first, second = read(place, "two").plain["objectives"]
    assert (first["best"], second["best"]) == (0, pytest.approx(5 / 6)) and second["direction"] == "maximize"
    assert first["importances"]["a"] > 0.5 and second["importances"]["b"] > 0.5


@pytest.mark.slow
def test_the_page_has_them(journal, tmp_path):
    out, plain = tmp_path / "out.html", tmp_path / "out.json"
    arguments = ["compare", journal.parent, "--study", journal, "--html", out, "--json", plain]
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    assert "importance of each setting, its share in the variance of the score (fANOVA): optimizer.gen" in done.stdout
    text = out.read_text()
    assert "8 of 9 trials finished; the line is the best so far." in text
    assert text.count('<img class="view" src="data:image/png;base64,iVBOR') == 3
    assert len(text) < page.BYTES and json.loads(plain.read_text())["search"]["study"] == "night"


def test_a_study_of_equal_scores_says_why_nothing_is_drawn(tmp_path):
    place = f"{tmp_path}/study.journal"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(place))
    study = optuna.create_study(study_name="one", storage=storage)
    study.add_trial(optuna.trial.create_trial(value=1.0))
    search = read(place, "whatever it is called")
    (found,) = search.views
    assert found.png is None
    assert found.said == "fewer than 2 trials finished with different scores"
    assert search.plain["objectives"] == [{"direction": "minimize", "best": 1.0, "importances": {}}]
    optuna.create_study(study_name="two", storage=storage)
    assert load(place, "two").study_name == "two"
    with pytest.raises(ConfigError, match="holds 2 studies and none of the sweep's name three: one, two"):
        load(place, "three")


def test_what_is_no_study_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="study.db: there is no such file"):
        load(f"{tmp_path}/study.db", "night")
    assert not (tmp_path / "study.db").exists()
    (tmp_path / "other").write_text("no journal\n")
    with pytest.raises(ConfigError, match="other holds no study"):
        load(f"{tmp_path}/other", "night")
    (tmp_path / "other").write_bytes(b"SQLite format 3" + bytes(100))
    with pytest.raises(ConfigError, match="other cannot be read"):
        load(f"{tmp_path}/other", "night")
