import csv
import itertools
import json
import statistics

import pytest
from rich.console import Console
from typer.testing import CliRunner

from gan_framework.cli import sources
from gan_framework.cli.commands import app
from gan_framework.compare import groups, page, parts, table
from gan_framework.compare.differing import differing, named
from gan_framework.compare.records import Record
from gan_framework.errors import ConfigError
from tests.helpers.comparing import PROTOCOL, make_run


@pytest.fixture
def sweep(tmp_path):
    for seed, (good, close, bad) in enumerate([(1.0, 1.5, 9.0), (2.0, 2.5, 9.1), (3.0, 3.5, 9.2)]):
        make_run(tmp_path / f"good_{seed}", "good", seed, [0.5 + good, good], grid=True)
        make_run(tmp_path / f"close_{seed}", "close", seed, [close - 1, close])
        make_run(tmp_path / f"bad_{seed}", "bad", seed, [bad], status="finished" if seed else "failed")
    return tmp_path


def compared(folder, **choices):
    return groups.compare(sources.read([folder]), **choices)


def test_runs_are_grouped_by_everything_except_the_seed(sweep):
    comparison = compared(sweep)
    assert [group.settings for group in comparison.groups] == [
        {"loss.name": "good"},
        {"loss.name": "close"},
        {"loss.name": "bad"},
    ]
    assert [group.last.n for group in comparison.groups] == [3, 3, 2]


def test_what_follows_from_the_choice_of_a_plugin_is_not_named_beside_it():
    def named(*configs):
        return differing([Record("", {}, config).settings for config in configs])

    hinge = {"loss": {"name": "hinge", "margin": 1.0}, "strategy": {}}
    clipped = {"loss": {"name": "wasserstein", "clip": 0.01}, "strategy": {"ema": {"name": "ema", "decay": 0.9}}}
    assert named(hinge, clipped) == ["loss.name", "strategy"]
    wider = {**clipped, "loss": {"name": "wasserstein", "clip": 0.1}}
    assert named(hinge, clipped, wider) == ["loss.name", "strategy", "loss.clip"]
    slower = {**clipped, "strategy": {"ema": {"name": "ema", "decay": 0.99}}}
    assert named(clipped, slower) == ["strategy.ema.decay"]


def test_means_and_spreads_by_hand(sweep):
    good, close, bad = compared(sweep).groups
    assert good.last == (2.0, 1.0, 3)
    assert close.best == (1.5, 1.0, 3)
    assert bad.last.std == pytest.approx(statistics.stdev([9.1, 9.2]))
    assert good.budget("images_seen") == 640
    assert good.budget("generator") == 10


def test_the_order_follows_from_last_or_best(sweep):
    assert [g.settings["loss.name"] for g in compared(sweep, by="best").groups] == ["close", "good", "bad"]


def test_the_best_score_is_none_that_was_measured_in_another_way(tmp_path):
    """A run that went on with other samples has scores of both ways, and its best is one of the last way."""
    folder = make_run(tmp_path / "a", "a", 0, [1.0, 5.0, 4.0, 4.5])
    summary = json.loads((folder / "summary.json").read_text())
    summary["best"] |= {"step": 9, "value": 4.0}  # as `best.pt starts over` leaves it
    (folder / "summary.json").write_text(json.dumps(summary))
    (group,) = compared(tmp_path, by="best").groups
    assert (group.lasts, group.bests) == ([4.5], [4.0])


def test_a_difference_is_sure_or_it_is_said_how_many_seeds_would_show_it(sweep):
    comparison = compared(sweep)
    good, close, bad = comparison.groups
    assert comparison.statement(good) == "the best"
    assert comparison.statement(close).startswith("not significantly different from the best (difference 0.5, 95% i")
    assert comparison.statement(close).endswith(
        ", Tukey, 3 groups, 3 seeds): 83 seeds each would show a difference of 0.5"
    )
    assert comparison.statement(bad).startswith("worse than the best by 7.15 (95% interval 3.77 to 10.5")
    assert comparison.summary() == [
        "loss.name=good is the best: fid_classifier 2 ± 1",
        "1 of 2 other groups differ from it significantly (5%)",
        "Tukey's test and Games and Howell's of each pair's own variances both have to call a difference significant; "
        "intervals are of 95%, adjusted for 3 comparisons",
    ]


def test_a_baseline_is_the_group_that_was_named(sweep):
    comparison = compared(sweep, baseline=["loss=close"])
    good, close, bad = comparison.groups
    assert comparison.statement(close) == "the baseline"
    assert "Dunnett, 3 groups, 3 seeds" in comparison.statement(good)
    assert comparison.statement(bad).startswith("worse than the baseline by 6.65 (")
    with pytest.raises(ConfigError, match="--baseline loss=x is true of none of the groups, and must be of one of"):
        compared(sweep, baseline=["loss=x"])
    with pytest.raises(ConfigError, match="is true of 3 of the groups"):
        compared(sweep, baseline=["loss=*"])


def test_runs_of_the_same_seed_are_paired(tmp_path):
    for seed, shared in enumerate([1.0, 5.0, 9.0, 4.0]):
        make_run(tmp_path / f"a{seed}", "a", seed, [shared + 0.01 * seed])
        make_run(tmp_path / f"b{seed}", "b", seed, [shared + 1.0])
    comparison = compared(tmp_path)
    assert "not significantly different" in comparison.statement(comparison.groups[1])
    comparison = compared(tmp_path, paired=True)
    assert "worse than the best by 0.985 (95% interval 0.96" in comparison.statement(comparison.groups[1])
    assert "Tukey, paired by seed, 2 groups, 4 seeds" in comparison.statement(comparison.groups[1])
    assert comparison.summary()[2] == (
        "Tukey's test and that of each pair's differences both have to call a difference significant; "
        "intervals are of 95%"
    )
    make_run(tmp_path / "b4", "b", 4, [3.0])
    with pytest.raises(ConfigError, match=r"--paired: loss.name=. has the seeds \[0, 1, 2, 3.*by the same seeds"):
        compared(tmp_path, paired=True)


def test_seeds_are_named_for_the_difference_that_is_asked_for(sweep):
    comparison = compared(sweep, detect=2.0)
    assert comparison.statement(comparison.groups[1]).endswith(": 7 seeds each would show a difference of 2")


def test_scores_and_p_values_for_programs(sweep, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    names = ("c.json", "c.md", "c.tex", "c.csv")
    paths = [str(folder / name) for name in names]
    options = [word for pair in zip(("--json", "--markdown", "--latex", "--csv"), paths, strict=True) for word in pair]
    done = CliRunner().invoke(app, ["compare", str(sweep), "loss!=close", *options])
    assert done.exit_code == 0, done.output
    found = json.loads((folder / "c.json").read_text())
    assert (found["metric"], found["higher_is_better"], found["comparisons"]) == ("fid_classifier", False, 1)
    good, bad = found["groups"]
    assert (good["settings"], good["seeds"], good["scores"]) == ({"loss.name": "good"}, [0, 1, 2], [1, 2, 3])
    assert good["interval"] == pytest.approx([2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5], abs=1e-3)
    assert good["difference"] is None
    assert bad["difference"] == pytest.approx(7.15)
    low, high = bad["difference_interval"]
    assert 0 < low < 7.15 < high
    assert bad["p"] < 0.05
    assert bad["different"] is True
    assert "| `loss.name=good` | 3 | 2 ± 2.48 | the best |" in (folder / "c.md").read_text()
    assert r"loss.name=good & 3 & 2 $\pm$ 2.48 & the best \\" in (folder / "c.tex").read_text()
    for condition, said in (("loss=x", "none of the 9 runs has loss=x"), ("los=x", "no run has this setting")):
        done = CliRunner().invoke(app, ["compare", str(sweep), condition])
        assert isinstance(done.exception, ConfigError)
        assert said in str(done.exception)


def test_the_verdict_is_about_the_scores_that_rank(tmp_path):
    for seed in range(2):
        make_run(tmp_path / f"a{seed}", "a", seed, [1.0 + seed / 100, 9.0 + seed / 100])
        make_run(tmp_path / f"b{seed}", "b", seed, [2.0 + seed / 100, 2.0 + seed / 100])
    comparison = compared(tmp_path, by="best")
    assert [group.settings["loss.name"] for group in comparison.groups] == ["a", "b"]
    assert comparison.statement(comparison.groups[1]).startswith("worse than the best by 1 (95% interval 0.9")


def test_a_seed_counts_once(tmp_path):
    make_run(tmp_path / "once", "a", 0, [1.0])
    make_run(tmp_path / "again", "a", 0, [1.0])
    [group] = compared(tmp_path).groups
    assert (group.last.n, len(group.runs), len(group.others)) == (1, 1, 1)


def test_sources_may_overlap(sweep):
    once = groups.compare(sources.read([sweep]))
    twice = groups.compare(sources.read([sweep, sweep / "good_0", str(sweep) + "/."]))
    assert [group.last for group in twice.groups] == [group.last for group in once.groups]
    assert len(twice.failed) == len(once.failed) == 1


def test_a_score_is_compared_among_the_runs_that_have_it(sweep):
    run = make_run(sweep / "other", "other", 0, [1.0], protocol=PROTOCOL | {"extractor": "raw"})
    summary = json.loads((run / "summary.json").read_text())
    summary["metrics"] = {"eval/fid_raw": 1.0}
    (run / "summary.json").write_text(json.dumps(summary))
    comparison = compared(sweep, metric="fid_classifier")
    assert [group.settings["loss.name"] for group in comparison.groups] == ["good", "close", "bad", "other"]
    assert comparison.statement(comparison.groups[-1]) == "no run has a score"


def test_what_w_and_b_keeps_of_a_configuration_is_no_run(sweep):
    record = sweep / "good_0" / "wandb" / "run-20260101_000000-x"
    (record / "files").mkdir(parents=True)
    (record / "run-x.wandb").touch()
    (record / "files" / "config.yaml").write_text("_wandb: {value: {}}\n")
    assert [group.last.n for group in compared(sweep).groups] == [3, 3, 2]


@pytest.mark.parametrize(
    ("name", "content"), [("config.yaml", ""), ("summary.json", "[]"), ("metrics.jsonl", "no json\n")]
)
def test_a_damaged_run_is_left_out_and_named(sweep, name, content, capsys):
    (sweep / "close_1" / name).write_text(content)
    comparison = compared(sweep)
    assert [group.last.n for group in comparison.groups] == [3, 2, 2]
    assert [run.place for run in comparison.damaged] == [str(sweep / "close_1")]
    assert f"close_1 is left out: {name}" in capsys.readouterr().err


def test_failed_runs_are_named_with_their_reason(sweep):
    console = Console(width=250, record=True)
    table.show(compared(sweep), console)
    text = console.export_text()
    assert "2 of 3" in text
    assert "bad_0: failed: at step 3 the adversarial loss is not finite" in text


def test_settings_are_shown_as_they_are(tmp_path):
    for name in ("[red]", "[/x]"):
        make_run(tmp_path / f"{len(name)}", name, 0, [1.0])
    console = Console(width=250, record=True)
    table.show(compared(tmp_path), console)
    assert all(f"loss.name={name}" in console.export_text(clear=False) for name in ("[red]", "[/x]"))


def test_mixed_protocols_are_refused_and_the_field_is_named(sweep):
    make_run(sweep / "other", "other", 0, [1.0], protocol=PROTOCOL | {"samples": 5000})
    with pytest.raises(ConfigError, match=r"differ in samples \(100 and 5000\)"):
        compared(sweep)


def test_a_mixed_folder_is_ranked_in_parts(sweep):
    """What cannot be ranked together is ranked apart, each part with files of its own; the reason is said."""
    for seed in range(2):
        make_run(sweep / f"other_{seed}", "other", seed, [1.0 + seed], protocol=PROTOCOL | {"samples": 5000})
    done = CliRunner().invoke(app, ["compare", str(sweep), "--json", str(sweep / "all.json")])
    assert done.exit_code == 0, done.output
    assert "Part 2 of 2: its scores differ from part 1's in samples (100 and 5000)" in done.stdout
    first, second = (json.loads((sweep / name).read_text()) for name in ("all.json", "all-2.json"))
    assert [group["settings"] for group in second["groups"]] == [{}]
    assert len(first["groups"]) == 3  # the run that failed is with those of its data
    assert (sweep / "compare-2.csv").is_file()


def test_runs_that_were_chosen_by_different_scores_are_ranked_apart(sweep):
    make_run(sweep / "kid_0", "kid", 0, [0.5], metric="kid_raw", protocol=PROTOCOL | {"metrics": {"kid_raw": {}}})
    runs = sources.read([sweep])
    assert [len(part.runs) for part in parts.divide(runs)] == [9, 1]
    assert parts.divide(runs)[1].differs == ["score (fid_classifier and kid_raw)"]
    assert len(parts.divide(runs, "fid_classifier")) == 1
    (alone,) = parts.divide(runs, "no_such_score")  # what is wrong with it is said of all runs
    assert len(alone.runs) == 10


def test_what_each_setting_does_is_said_where_several_are_swept(tmp_path):
    for loss, width, seed in itertools.product(("a", "b"), (8, 16), range(3)):
        score = 10 * (loss == "b") + width / 8 + 0.1 * seed
        make_run(tmp_path / f"{loss}{width}{seed}", loss, seed, [score], width=width)
    comparison = compared(tmp_path)
    assert comparison.effects_said()[0].startswith("loss.name: a is the best; b worse by 10 (9.88 to 10.1)")
    assert comparison.effects_said()[1].startswith("width: 8 is the best; 16 worse by 1 (0.8")
    assert "(Tukey)" in comparison.effects_said()[2]
    done = CliRunner().invoke(app, ["compare", str(tmp_path), "--json", str(tmp_path / "all.json")])
    assert "loss.name: a is the best; b worse by 10" in " ".join(done.stdout.split())
    effects = json.loads((tmp_path / "all.json").read_text())["effects"]
    assert effects["width"][1]["difference"] == pytest.approx(1)


def test_one_seed_has_no_spread(tmp_path):
    make_run(tmp_path / "a", "a", 0, [1.0])
    make_run(tmp_path / "b", "b", 0, [2.0])
    comparison = compared(tmp_path)
    assert [comparison.statement(g) for g in comparison.groups] == [
        "the best (n=1)",
        "n=1: no test",
    ]


def test_folders_without_runs_and_unknown_scores_are_refused(sweep, tmp_path_factory):
    with pytest.raises(ConfigError, match="holds no run"):
        compared(tmp_path_factory.mktemp("empty"))
    with pytest.raises(ConfigError, match="there is no folder"):
        compared(sweep / "nowhere")
    with pytest.raises(ConfigError, match="--metric kid: the runs have no such score; they have fid_classifier"):
        compared(sweep, metric="kid")
    with pytest.raises(ConfigError, match=r"--metric fid: the runs have no such score; did you mean fid_classifier\?"):
        compared(sweep, metric="fid")


def test_a_cut_off_last_line_is_passed_over(sweep):
    with (sweep / "good_0" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 11, "met')
    assert compared(sweep).groups[0].last.mean == 2.0


def test_the_csv_has_a_line_for_each_group(sweep):
    table.write_csv(compared(sweep), sweep / "out.csv")
    rows = list(csv.DictReader((sweep / "out.csv").open()))
    assert [row["loss.name"] for row in rows] == ["good", "close", "bad"]
    assert float(rows[0]["fid_classifier_last_mean"]) == 2.0
    assert (rows[2]["seeds"], rows[2]["runs"]) == ("2", "3")


def test_a_band_is_drawn_where_all_curves_have_points():
    found = page.band([[(1, 1.0), (2, 2.0), (3, 3.0)], [(1, 3.0), (3, 5.0), (4, 9.0)]])
    assert found == {"x": [1.0, 3.0], "mean": [2.0, 4.0], "std": [1.41, 1.41]}


def test_the_command_writes_a_page_that_asks_for_nothing_else(sweep):
    out = sweep / "out.html"
    done = CliRunner().invoke(app, ["compare", str(sweep), "--html", str(out)])
    assert done.exit_code == 0, done.output
    text = out.read_text()
    assert "good" in text and "data:image/png;base64" in text
    texts = text.replace("http://www.w3.org/2000/svg", "")  # the name of a language, which nobody asks for
    assert "http://" not in texts and "https://" not in texts
    assert (sweep / "compare.csv").exists()


def test_numbers_of_a_search_are_named_shortly():
    settings = {"lr": "0.000258817021493792", "betas": "[0.5, 0.999]", "weight": "-1.2345678e-05", "tag": "v0.12345678"}
    assert named(settings) == "lr=0.000258817, betas=[0.5, 0.999], weight=-1.23457e-05, tag=v0.12345678"


def test_files_that_a_shells_pattern_names_too_are_left_out(tmp_path, capsys):
    make_run(tmp_path / "a", "hinge", 0, [1.0])
    (tmp_path / "runs.json").write_text("[]")
    (run,) = sources.read(sorted(tmp_path.iterdir()))
    assert run.summary["best"]["value"] == 1.0
    assert "runs.json is left out: it is a file, and runs are folders" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="runs.json is a file of a sweep"):
        sources.read([tmp_path / "runs.json"])
