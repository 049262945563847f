"""`gan-framework runs` and `gan-framework diff`: what they say of runs as they are, and of damaged ones."""

import json
import os
import shutil
import time

import pytest
import yaml

from gan_framework.compare.conditions import Described, condition
from gan_framework.storage.lock import held, owned
from tests.helpers.comparing import PROTOCOL, make_run
from tests.helpers.in_process import called, last_line


@pytest.fixture
def call(monkeypatch, capsys):
    """Run a command in this process: its exit code, the lines it printed, and its last error line."""

    def call(*arguments, columns=None):
        monkeypatch.delenv("COLUMNS", raising=False)
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        code = called(*arguments)
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), last_line(printed.err)

    return call


@pytest.fixture
def day(tmp_path):
    """A folder with a run in each state."""
    day = tmp_path / "day"
    make_run(day / "done", "hinge", 0, [4.0, 3.0])
    make_run(day / "broke", "minimax", 1, [], status="failed")
    make_run(day / "held", "hinge", 2, [9.0, 8.0], status="stopped")
    make_run(day / "dead", "minimax", 3, [7.0, 6.5]).joinpath("summary.json").unlink()
    (day / "dead" / ".owner").write_text("pid 1 on elsewhere")
    (day / "dead" / ".lock").touch()
    make_run(day / "bad", "hinge", 4, [1.0]).joinpath("config.yaml").write_text("loss: [")
    make_run(day / "silent", "hinge", 5, []).joinpath("summary.json").unlink()
    make_run(day / "odd", "hinge", 6, [], status="\x1b[31mmine")
    (day / "conf").mkdir()
    (day / "conf" / "config.yaml").write_text("defaults: []\n")  # not every config.yaml is a run's
    return day


def listed(call, *arguments):
    code, lines, error = call("runs", *arguments, "--json")
    assert code == 0, error
    return {os.path.basename(run["run"]): run for run in json.loads("\n".join(lines))}


# -- how a run stands -------------------------------------------------------------------------------


def test_each_run_has_its_status(call, day):
    assert {name: run["status"] for name, run in listed(call, day).items()} == {
        "bad": "damaged", "broke": "failed", "dead": "killed", "done": "finished", "held": "stopped",
        "odd": "unknown", "silent": "unknown",
    }  # fmt: skip


def test_a_run_is_running_as_long_as_a_process_holds_it_whatever_its_old_summary_says(call, day):
    with owned(day / "held"):
        run = listed(call, day)["held"]
        assert run["status"] == "running" and run["error"] is None
    assert listed(call, day)["held"]["status"] == "stopped"


def test_how_far_a_run_without_a_summary_is_stands_in_its_metrics(call, day):
    (day / "dead" / "config.yaml").write_text(yaml.safe_dump({"seed": 3, "train": {"steps": 40}}))
    with (day / "dead" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 11, "metrics": {}}\nno line\n{"step": 12, "metr')  # cut off in the middle
    run = listed(call, day)["dead"]
    assert (run["step"], run["steps"], run["seed"]) == (11, 40, 3)
    assert run["best"] == {"metric": "fid_classifier", "step": 11, "value": 6.5}
    done = listed(call, day)["done"]
    assert (done["step"], done["steps"]) == (10, 10)
    assert done["best"] == {"metric": "fid_classifier", "step": 10, "value": 3.0}
    assert done["scores"] == {"fid_classifier": 3.0}


def test_looking_changes_nothing(call, day):
    def tree():
        return {path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in day.rglob("*")}

    before = tree()
    assert call("runs", day)[0] == 0
    assert call("diff", day / "done", day / "dead")[0] == 0
    assert tree() == before


def test_what_somebody_else_made_of_a_lock_is_neither_waited_for_nor_followed(call, day, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("as it was")
    (day / "dead" / ".lock").unlink()
    os.mkfifo(day / "dead" / ".lock")
    (day / "done" / ".owner").touch()
    (day / "done" / ".lock").symlink_to(elsewhere)
    found = listed(call, day)
    assert found["dead"]["status"] == found["done"]["status"] == "killed"
    assert not held(day / "silent") and elsewhere.read_text() == "as it was"


# -- the list ---------------------------------------------------------------------------------------


def test_the_list_says_how_runs_stand_and_what_they_differ_in(call, day):
    code, lines, _ = call("runs", day)
    assert code == 0
    assert lines[0].split() == ["status", "step", "fid_classifier", "age", "run,", "and", "what", "differs"]
    rows = {line.split("  ")[0]: line for line in lines[1:8]}
    assert rows["finished"].split()[1:3] == ["10", "3"]
    assert rows["finished"].endswith("done  loss=hinge seed=0")
    assert rows["failed"].endswith("broke  loss=minimax seed=1")
    assert "7 runs: 2 unknown, 1 damaged, 1 failed, 1 killed, 1 finished, 1 stopped" in lines
    assert "broke: at step 3 the adversarial loss is not finite" in lines
    assert any(line.startswith("bad: config.yaml is no YAML") for line in lines)
    assert "\x1b" not in "".join(lines)


def test_it_fits_a_terminal_of_80_columns_and_has_one_line_for_each_run_in_a_pipe(call, tmp_path):
    for seed in range(3):
        name = f"a_sweep_with_a_long_name/loss=wasserstein,optimizer.generator.lr=0.00{seed},seed={seed},strategy=ema+k"
        make_run(tmp_path / name, "wasserstein", seed, [123.456], strategy={f"s{seed}": {"name": f"s{seed}"}})
    code, lines, _ = call("runs", tmp_path, columns=80)
    assert code == 0 and max(map(len, lines)) <= 80
    assert len(call("runs", tmp_path)[1]) == 1 + 3 + 2


def test_what_a_folder_is_named_after_is_not_said_twice(call, tmp_path):
    for seed in range(2):
        make_run(tmp_path / f"loss=hinge,seed={seed}", "hinge", seed, [1.0])
    assert [line.split("  ")[-1] for line in call("runs", tmp_path)[1][1:3]] == [
        "loss=hinge,seed=0",
        "loss=hinge,seed=1",
    ]


def test_of_one_run_alone_its_command_is_shown(call, tmp_path):
    run = make_run(tmp_path / "one", "hinge", 0, [1.0])
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"overrides": ["loss=hinge", "hydra.run.dir=x", 3]}))
    for where in (tmp_path, run):
        assert call("runs", where)[1][1].endswith("one  loss=hinge")


def test_settings_that_go_together_are_one_and_what_is_chosen_comes_first(call, tmp_path):
    for number, (size, width) in enumerate([(16, 8), (16, 8), (32, 8)]):
        run = make_run(tmp_path / f"r{number}", "hinge", 0, [])
        config = yaml.safe_load((run / "config.yaml").read_text())
        config["data"] = {"name": "digits", "image_size": size}
        config["networks"] = {"generator": {"name": "dcgan", "image_size": size, "width": width}}
        config["strategy"] = {"ema": {"name": "ema"}, "k": {"name": "k"}} if number else {}
        (run / "config.yaml").write_text(yaml.safe_dump(config))
    assert [line.partition("r")[2][3:] for line in call("runs", tmp_path)[1][1:4]] == [
        "strategy=none data.image_size=16",
        "strategy=[ema,k] data.image_size=16",
        "strategy=[ema,k] data.image_size=32",
    ]


# -- conditions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        (["status=failed"], {"broke"}),
        (["status=failed,killed"], {"broke", "dead"}),
        (["status!=unknown", "loss=hinge"], {"done", "held"}),
        (["loss=min*"], {"broke", "dead"}),
        (["seed=0"], {"done"}),
        (["train.steps=1e1", "seed=1,2"], {"broke", "held"}),
        (["steps=10", "loss!=hinge"], {"broke", "dead"}),
        (["loss!=hinge"], {"bad", "broke", "dead"}),  # what a damaged run is set to, nobody knows
        (["strategy=none", "seed=2"], {"held"}),
        (["tags=[seed 2]"], {"held"}),
        (["loss=nothing"], set()),
        (["seed>=1", "seed<3"], {"broke", "held"}),
        (["step=10", "loss=hinge"], {"done", "held", "odd", "silent"}),
        (["step>10"], set()),
        (
            ["fid_classifier<8"],
            {"done", "dead"},
        ),  # the best that the list shows, 3 and, of one without a word of it, 6.5
        (["fid_classifier<=8"], {"done", "dead", "held"}),
        (["loss<1"], set()),  # a name is no number
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_conditions_choose_runs(call, day, conditions, names):
    assert set(listed(call, day, *conditions)) == names


@pytest.mark.parametrize(
    ("typed", "admitted"),
    [
        ("data.flip=True", True),
        ("flip=true", True),
        ("flip=False", False),
        ("flip!=Yes", False),
        ("transform=None", True),
    ],
)
def test_true_false_and_none_are_meant_as_a_command_line_takes_them(typed, admitted):
    run = Described({"data": {"flip": True, "transform": None}}, "finished")
    assert condition(typed).admits(run) == admitted


def test_a_score_needs_no_extractor_in_its_name(call, tmp_path):
    for seed, extractor in enumerate(["raw", "inception_torchvision"]):
        named = {"metric": f"fid_{extractor}", "extractor": {"name": extractor}}
        protocol = PROTOCOL | {"extractor": extractor, "metrics": {named["metric"]: {}}}
        make_run(tmp_path / extractor, "hinge", seed, [9.0, 7.0], protocol=protocol, **named)
    assert set(listed(call, tmp_path, "fid<8")) == {"raw", "inception_torchvision"}
    assert set(listed(call, tmp_path, "fid_raw<8")) == {"raw"}


def test_the_folder_is_where_we_are_unless_one_is_named(call, day, monkeypatch):
    monkeypatch.chdir(day)
    assert set(listed(call, "status=failed")) == {"broke"}
    (day / "x=1").mkdir()
    make_run(day / "x=1" / "inner", "hinge", 0, [])
    assert set(listed(call, "x=1")) == {"inner"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere"], "there is no folder nowhere"),
        ([".", "failed"], "failed is not a condition: write KEY=VALUE, like status=failed"),
        (["los=hinge"], "los: no run has this setting or score; closest: loss.name"),
        (["fid_clasifier<3"], "fid_clasifier: no run has this setting or score; closest: fid_classifier"),
        ([".", "=3"], "=3 is not a condition"),
        (["step=>3"], "step=>3: write 'step>=3'"),
        (["step>=many"], "step>=many: >= compares with one number, as in 'step>=1000'"),
    ],
)
def test_what_is_wrong_ends_with_code_2_and_one_line(call, day, monkeypatch, arguments, reason):
    monkeypatch.chdir(day)
    code, lines, error = call("runs", *arguments)
    assert (code, lines) == (2, []) and error.startswith(f"error: {reason}")


def test_a_folder_without_runs_is_said_to_be_one(call, tmp_path):
    assert call("runs", tmp_path) == (0, [], f"no run lies in {tmp_path} or below it")
    assert call("runs", tmp_path, "--json")[:2] == (0, ["[]"])
    make_run(tmp_path / "a", "hinge", 0, [])
    assert call("runs", tmp_path, "seed=7")[2] == f"none of 1 runs matches {tmp_path} seed=7; status: finished"


def test_hundreds_of_runs_are_listed_in_seconds(call, tmp_path):
    from gan_framework.config.compose import compose, plain

    first = make_run(tmp_path / "000", "hinge", 0, [3.0, 2.0], steps=200)
    config = yaml.safe_dump(plain(compose(["experiment=infogan"])))
    (first / "config.yaml").write_text(config)
    for number in range(1, 500):
        run = tmp_path / f"{number:03d}"
        shutil.copytree(first, run)
        (run / "config.yaml").write_text(config.replace("\nseed: 0", f"\nseed: {number}"))
        if number % 10 == 0:
            (run / "summary.json").unlink()
    before = time.process_time()
    assert len(call("runs", tmp_path)[1]) == 500 + 3
    assert time.process_time() - before < 12  # a third of it where nobody else computes


# -- diff -------------------------------------------------------------------------------------------


def test_a_diff_shows_both_side_by_side(call, tmp_path):
    one = make_run(tmp_path / "one", "hinge", 0, [4.0, 3.0])
    two = make_run(tmp_path / "two", "minimax", 0, [5.0], status="failed", protocol=PROTOCOL | {"samples": 7}, steps=4)
    code, lines, _ = call("diff", one, two)
    assert code == 0 and lines[0].split() == ["one", "two"]
    assert [line.split()[:1] + line.split()[-2:] for line in lines[1:]] == [
        ["status", "finished", "failed"],
        ["error", "not", "finite"],
        ["step", "of", "4"],
        ["best", "fid_classifier", "5"],
        ["fid_classifier", "3", "5"],
        ["protocol:", "100", "7"],
        ["loss.name", "hinge", "minimax"],
        ["train.steps", "10", "4"],
    ]
    assert max(map(len, call("diff", one, two, columns=80)[1])) <= 80


def test_of_a_run_and_itself_nothing_differs(call, tmp_path):
    run = make_run(tmp_path / "one", "hinge", 0, [3.0])
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "last.pt").touch()
    assert call("diff", run, run / "checkpoints" / "last.pt")[1][-1] == "their settings are the same"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"config.yaml": "loss: ["}, "cannot be read as a run: config.yaml is no YAML"),
        ({"config.yaml": "seed: x"}, 'config.yaml: seed is "x" and not a whole number'),
        ({"summary.json": "{"}, "summary.json is no JSON"),
        ({"config.yaml": None}, "cannot be read as a run: it has no config.yaml"),
    ],
)
def test_a_damaged_run_ends_with_code_2_and_one_line(call, tmp_path, content, reason):
    one = make_run(tmp_path / "one", "hinge", 0, [3.0])
    two = make_run(tmp_path / "two", "hinge", 1, [3.0])
    for name, text in content.items():
        (two / name).unlink() if text is None else (two / name).write_text(text)
    code, lines, error = call("diff", one, two)
    assert (code, lines) == (2, []) and reason in error and str(two) in error
    assert call("diff", one, tmp_path / "three")[::2] == (2, f"error: there is no run {tmp_path / 'three'}")


def test_scores_are_shown_to_four_digits_as_everywhere(call, tmp_path):
    one = make_run(tmp_path / "one", "hinge", 0, [0.0395347])
    two = make_run(tmp_path / "two", "minimax", 0, [23456.78])
    assert [line.split()[2] for line in call("runs", tmp_path)[1][1:3]] == ["0.03953", "23457"]
    _, lines, _ = call("diff", one, two)
    assert next(line.split() for line in lines if line.startswith("fid_classifier")) == [
        "fid_classifier",
        "0.03953",
        "23457",
    ]
