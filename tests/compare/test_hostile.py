"""Folders that somebody else made: nothing is written through their links, nothing outside is read, nothing hangs."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time

import pytest
import yaml
from PIL import Image

from tests.helpers.comparing import make_run

SECRET = "what lies elsewhere"
SECONDS = 20
"""What a command may take on a busy machine; without limits the attacks take minutes, or for ever."""


@pytest.fixture
def sweep(tmp_path):
    folder = tmp_path / "sweep"
    for seed in range(2):
        make_run(folder / f"intact{seed}", "hinge", seed, [4.0 + seed, 3.0 + seed], grid=True)
    return folder


def gan(*arguments, **options):
    command = [sys.executable, "-m", "gan_framework.cli.commands", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, **options)


def compared(sweep, *more):
    """Compare in a process of its own, and return what it printed; the intact runs are in the table."""
    done = gan("compare", sweep, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert ",3.5," in (sweep / "compare.csv").read_text()
    return done


def hostile(sweep, name="hostile", **options):
    return make_run(sweep / name, options.pop("loss", "wasserstein"), 0, [9.0, 8.0], **options)


# -- what is written ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["compare.csv", "out.html", "table.csv"])
def test_what_is_written_replaces_a_link_and_leaves_its_target_alone(sweep, tmp_path, name):
    target = tmp_path / "precious"
    target.write_text(SECRET)
    (sweep / name).symlink_to(target)
    done = gan(
        "compare", sweep, "--html", sweep / "out.html", *(["--csv", sweep / name] if name == "table.csv" else [])
    )
    assert done.returncode == 0, done.stderr
    assert target.read_text() == SECRET
    assert not (sweep / name).is_symlink() and (sweep / name).stat().st_size > 0


def test_the_dashboard_replaces_a_link_too(sweep, tmp_path):
    pytest.importorskip("wandb_workspaces", reason="needs the extra [dashboard]")
    target = tmp_path / "precious"
    target.write_text(SECRET)
    for run in sweep.iterdir():
        (run / ".run_id").write_text(run.name)
    (sweep / "dashboard.json").symlink_to(target)
    done = gan("dashboard", sweep, "--out", sweep / "dashboard.json")
    assert done.returncode == 0, done.stderr
    assert target.read_text() == SECRET and not (sweep / "dashboard.json").is_symlink()


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="the system has no limit on the size of files")
def test_a_full_disk_names_the_file_and_leaves_the_old_one(sweep):
    (sweep / "compare.csv").write_text("the old one")
    limit = (10, 10)  # bytes, which stands for a full disk: the write fails half-way
    done = gan(
        "compare", sweep, preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                              resource.setrlimit(resource.RLIMIT_FSIZE, limit)),
    )  # fmt: skip
    assert done.returncode == 1
    assert str(sweep / "compare.csv") in done.stderr.splitlines()[-1]
    assert (sweep / "compare.csv").read_text() == "the old one"
    assert [path.name for path in sweep.glob(".compare*")] == []


def test_nothing_else_is_written_into_the_folder(sweep):
    hostile(sweep)
    before = {path: path.lstat().st_mtime_ns for path in sweep.rglob("*")}
    compared(sweep)
    after = {path: path.lstat().st_mtime_ns for path in sweep.rglob("*")}
    assert after.keys() - before.keys() == {sweep / "compare.csv"}
    assert all(after[path] == time for path, time in before.items())


# -- what is read ------------------------------------------------------------------------------------


def private_picture(tmp_path):
    path = tmp_path / "private.png"
    Image.new("L", (8, 8)).save(path)
    path.write_bytes(path.read_bytes() + SECRET.encode())
    return path


def base64_of_secret():
    import base64

    # What base64 makes of the text depends on where it begins in the file; of three ways, each leaves a part.
    return [base64.b64encode(b"x" * shift + SECRET.encode() + b"xx").decode()[4:-8] for shift in range(3)]


@pytest.mark.parametrize("how", ["link", "folder", "no_png", "huge", "bomb", "pipe", "odd"])
def test_sample_grids_are_pngs_inside_the_run_folder(sweep, tmp_path, how):
    run = hostile(sweep, grid=how != "folder")
    picture = run / "samples" / "step_0000003.png"
    if how != "folder":
        picture.unlink()
    if how == "link":
        picture.symlink_to(private_picture(tmp_path))
    elif how == "folder":
        (tmp_path / "pictures").mkdir()
        private_picture(tmp_path).rename(tmp_path / "pictures" / "step_0000003.png")
        (run / "samples").symlink_to(tmp_path / "pictures")
    elif how == "no_png":
        picture.write_text(SECRET)
    elif how == "huge":
        Image.new("L", (8, 8)).save(picture)
        os.truncate(picture, 2**32)
    elif how == "bomb":
        Image.new("L", (8, 8)).save(picture)
        content = picture.read_bytes()  # of which the header says how large it will be
        picture.write_bytes(content[:16] + (60_000).to_bytes(4, "big") * 2 + content[24:])
    elif how == "pipe":
        os.mkfifo(picture)
    else:
        picture = run / "samples" / "step_abc.png"
        picture.write_text(SECRET)
    done = compared(sweep, "--html", tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text()
    assert SECRET not in page and not any(part in page for part in base64_of_secret())
    shown = page[page.index("What was left out") :]
    assert str(run) in shown and ("samples is" if how == "folder" else f"samples/{picture.name}") in shown
    assert page.count("data:image/png;base64") >= 3
    assert "wasserstein" in done.stdout


@pytest.mark.parametrize("name", ["config.yaml", "summary.json", "metrics.jsonl", ".run_id"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "link", "device", "folder"])
def test_what_is_no_regular_file_is_not_opened(sweep, tmp_path, name, kind):
    run = hostile(sweep)
    (run / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(run / name)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(run)  # the name of a socket must be short
        try:
            socket.socket(socket.AF_UNIX).bind(name)
        finally:
            os.chdir(here)
    elif kind == "link":
        (tmp_path / "elsewhere").write_text(SECRET)
        (run / name).symlink_to(tmp_path / "elsewhere")
    elif kind == "device":
        (run / name).symlink_to("/dev/zero")
    else:
        (run / name).mkdir()
    done = compared(sweep)
    assert f"{run} is left out: {name} is a" in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_linked_run_is_named_and_not_followed(sweep, tmp_path):
    elsewhere = hostile(tmp_path, "elsewhere")
    (sweep / "linked").symlink_to(elsewhere)
    (sweep / "loop").symlink_to(sweep)
    done = compared(sweep)
    assert f"{sweep / 'linked'} is a symbolic link to a run" in done.stderr
    assert "wasserstein" not in done.stdout


def test_folders_too_deep_are_named(sweep):
    deep = sweep
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    assert "40 folders deep" in compared(sweep).stderr


# -- what is too much --------------------------------------------------------------------------------


def anchors(levels=9, each=9):
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * each)}]" for i in range(1, levels + 1)]
    return "\n".join(lines)


def merges(levels=9, each=9):
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * each)}], k{i}: v}}" for i in range(1, levels + 1)]
    return "\n".join(lines)


BOMBS = {
    "anchors": (anchors(), "more than 5,000 that stand there by anchors"),
    "anchors of strings": (f"a: &a {'x' * 10_000}\nb: [{', '.join(['*a'] * 20_000)}]", "more than 5,000 that stand"),
    "merges": (merges(), "more than 5,000 that stand"),
    "an anchor in itself": ("a: &a [*a]", "within itself"),
    "brackets": ("a: " + "[" * 40 + "]" * 40, "nested more than 32 deep"),
    "many brackets": ("a: " + "[" * 200_000, "is no YAML"),
    "dashes": ("- " * 100_000, "nested more than 32 deep"),
    "indents": ("\n".join(" " * i + "a:" for i in range(900)), "nested more than 32 deep"),
    "many": ("\n".join(f"k{i}: {i}" for i in range(70_000)), "more than 30,000 values"),
    "large": ("a: " + "x" * 3_000_000, "up to 2,097,152 are read"),
    "sexagesimal": ("a: 1" + ":1" * 400_000, "number longer than 400"),
    "digits": ("a: " + "9" * 900_000, "number longer than 400"),
    "a tag": ("a: !!python/object/apply:os.system ['touch OWNED']", "tag"),
    "binary": ("a: !!binary aGVsbG8=", "tag"),
    "a date": ("a: 2026-01-01", "a is datetime.date"),
    "no mapping": ("[1, 2]", "holds no settings"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_yaml_that_multiplies_is_refused_at_once(sweep, name):
    from gan_framework.compare.folder import read_run

    text, why = BOMBS[name]
    run = hostile(sweep)
    (run / "config.yaml").write_text(text)
    start = time.process_time()
    found = read_run(run)
    assert time.process_time() - start < 2
    assert found.place == str(run) and found.why.startswith("config.yaml") and why in found.why
    assert str(run) in compared(sweep).stderr


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("summary.json", "[" * 100_000, "is no JSON"),
        ("summary.json", '{"a":' * 50 + "1" + "}" * 50, "nested more than 32 deep"),
        ("summary.json", " " * 5_000_000, "up to 4,194,304 are read"),
        ("summary.json", '{"seconds": 1e999}', "seconds is Infinity"),
        ("summary.json", '{"seconds": NaN}', "NaN is no finite number"),
        ("metrics.jsonl", "[" * 100_000 + "\n", "line 1 is no JSON"),
        ("metrics.jsonl", "x" * 300_000, "line 1 is longer"),
        ("metrics.jsonl", "[1]\n", "line 1 is a list"),
        ("metrics.jsonl", '{"images_seen": 1, "metrics": {"train/x": "1"}}\n', 'metrics.train/x is "1"'),
        ("metrics.jsonl", '{"images_seen": "1", "metrics": {"train/x": 1}}\n', 'images_seen is "1"'),
        ("metrics.jsonl", '{"images_seen": 1, "metrics": {"train/x": true}}\n', "metrics.train/x is true"),
        ("metrics.jsonl", '{"images_seen": 1}\n', "metrics is null"),
        ("metrics.jsonl", json.dumps({"images_seen": 1, "metrics": dict.fromkeys(map(str, range(9000)), 1)}) + "\n",
         "more than 2,000 figures"),
        (".run_id", "x" * 2000, "up to 1,024 are read"),
    ],
)  # fmt: skip
def test_files_that_are_huge_deep_or_of_other_kinds_are_named(sweep, name, content, why):
    run = hostile(sweep)
    (run / name).write_text(content)
    done = compared(sweep)
    assert f"{run} is left out: {name}" in done.stderr and why in done.stderr


def test_a_sparse_file_of_a_terabyte_is_not_read(sweep):
    run = hostile(sweep)
    os.truncate(run / "metrics.jsonl", 2**40)
    assert f"{run} is left out: metrics.jsonl holds 1,099," in compared(sweep).stderr


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("metrics", None, "metrics is missing"),
        ("updates", None, "updates is missing"),
        ("updates", {"generator": "10"}, 'updates.generator is "10"'),
        ("metrics", {"eval/fid_classifier": [1]}, "metrics.eval/fid_classifier is a list"),
        ("best", [1], "best is a list"),
        ("best", {"metric": "other"}, 'best.metric is "other"'),
        ("protocol", None, "protocol is null"),
        ("protocol", {"metrics": []}, "protocol.metrics"),
        ("protocol", {}, "protocol.metrics lacks fid_classifier"),
        ("higher_is_better", {"fid_classifier": "no"}, 'higher_is_better.fid_classifier is "no"'),
        ("error", ["x"], "error is a list"),
        ("images_seen", {}, "images_seen is an empty mapping"),
    ],
)
def test_a_field_of_another_kind_is_named(sweep, field, value, why):
    run = hostile(sweep)
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {field: value}))
    assert f"{run} is left out: summary.json: {why}" in compared(sweep).stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [("strategy", None), ("strategy", ["ema"]), ("strategy", {"ema": 1}), ("strategy", {3: {}}), ("tracker", None),
     ("tracker", {"wandb": None}), ("tracker", {"wandb": {"name": "wandb", "project": [1]}}), ("seed", [1]),
     ("seed", "0")],
)  # fmt: skip
def test_a_setting_of_another_kind_is_named(sweep, setting, value):
    run = hostile(sweep)
    config = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump(config | {setting: value}))
    assert f"{run} is left out: config.yaml: {setting}" in compared(sweep).stderr.replace("tracker: project", "tracker")


def test_where_no_run_is_left_the_command_ends_with_2(tmp_path):
    run = hostile(tmp_path / "sweep")
    (run / "summary.json").write_text("{")
    done = gan("compare", tmp_path / "sweep")
    assert done.returncode == 2
    assert f"{run}: summary.json is no JSON" in done.stderr.splitlines()[-1]


def test_a_run_with_anothers_id_does_not_hide_it(sweep):
    (hostile(sweep, "a_thief") / ".run_id").write_text("mine")
    (sweep / "intact0" / ".run_id").write_text("mine")
    done = compared(sweep)
    assert "wasserstein" in done.stdout


def test_what_is_taken_for_the_same_run_is_named_if_its_scores_differ(sweep):
    for name, scores in (("same", [3.0]), ("other", [9.0])):
        (make_run(sweep / name, "hinge", 0, scores) / ".run_id").write_text("mine")
    (sweep / "intact0" / ".run_id").write_text("mine")
    said = compared(sweep).stderr
    assert f"{sweep / 'other'} is left out: it has id" in said
    assert str(sweep / "same") not in said


def test_a_direction_that_one_run_claims_is_not_everybodys(sweep):
    run = hostile(sweep, "a_first")
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"higher_is_better": {"fid_classifier": True}}))
    assert "lower is better" in compared(sweep).stdout


# -- what is shown -----------------------------------------------------------------------------------

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\r\nfake\u202eline\ud800"


def test_nothing_from_a_run_steers_the_terminal(sweep, tmp_path):
    run = hostile(sweep, f"run\x1b[2J\n{os.fsdecode(b'caf' + bytes([0xE9]))}", status="failed")
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"error": ESCAPES, "status": ESCAPES}))
    other = hostile(sweep, "other", loss=ESCAPES[:-1])
    summary = json.loads((other / "summary.json").read_text())
    updates = {ESCAPES: 3, "[/bold]": 2, ":boom:": 1}
    (other / "summary.json").write_text(json.dumps(summary | {"updates": updates}))
    damaged = hostile(sweep, "damaged\x1b[0m")
    (damaged / "summary.json").write_text(json.dumps({"seconds": ESCAPES}))
    (sweep / "\x1b[3m").mkdir()
    done = compared(sweep, "--html", tmp_path / "out.html")
    for text in (done.stdout, done.stderr, (sweep / "compare.csv").read_bytes().decode()):
        assert not set(text) & set("\x1b\x07\x9b\x7f\u202e")
        assert "\nfake" not in text
    assert r"run\x1b[2J\ncaf\xe9" in done.stdout and r"\x1b]0;owned\x07" in done.stdout
    assert "damaged\\x1b[0m is left out: summary.json: seconds" in done.stderr
    assert "[/bold]" in done.stdout or "[/bold]" in (sweep / "compare.csv").read_text()
    page = (tmp_path / "out.html").read_text()
    assert "\x1b" not in page
    assert r"damaged\x1b[0m: summary.json: seconds" in page[page.index("Runs that could not be read") :]


def test_many_players_do_not_squeeze_the_table(sweep):
    run = hostile(sweep)
    summary = json.loads((run / "summary.json").read_text())
    updates = summary["updates"] | {f"player {i} " * 20: 1e300 for i in range(50)}
    (run / "summary.json").write_text(json.dumps(summary | {"updates": updates, "seconds": 1e300}))
    done = compared(sweep)
    assert "loss.name=hinge" in done.stdout and "discriminator" in done.stdout and "3.500 ± 0.707" in done.stdout
    assert "player 49" in (sweep / "compare.csv").read_text()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('=HYPERLINK("http://evil","x")', '\'=HYPERLINK("http://evil","x")'),
        ("@SUM(1)", "'@SUM(1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-1+1", "'-1+1"),
        ("\t=1+1", r"'\t=1+1"),
        ("\r=1+1", r"'\r=1+1"),
        (" =1+1", "' =1+1"),
        ("＝1+1", "'＝1+1"),
        ("-0.5", "-0.5"),
        ("+1e-05", "+1e-05"),
        ("0.5", "0.5"),
        ("[0.0, 0.9]", "[0.0, 0.9]"),
    ],
)
def test_cells_are_no_formulas_and_numbers_stay_numbers(value, written):
    from gan_framework.compare.table import cell

    assert cell(value) == written
