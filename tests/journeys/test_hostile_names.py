"""What others have named does not steer a terminal, and makes no line of its own in a log."""

import json
import re

import pytest
from PIL import Image

from gan_framework.cli import plugins
from gan_framework.cli.exit_codes import exit_code
from gan_framework.errors import ConfigError
from gan_framework.testing.distribution import check_distribution
from tests.helpers.comparing import make_run
from tests.helpers.in_process import called
from tests.helpers.program import run

ESCAPE, TITLE = "c\x1b[2J", "\x1b]0;t\x07esc"
TINY = ["model=mlp", "debug=smoke", "metrics=[]", "tracker=[]", "sample.count=4"]
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def steers(text):
    """Return what of a text could steer a terminal, but for the ends of lines."""
    return STEERING.findall(text)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of images whose classes, and one of whose files, have names that somebody else has chosen."""
    folder = tmp_path_factory.mktemp("photos")
    for number, name in enumerate((ESCAPE, "d\n[2026] forged line", "e\u202egnp")):
        (folder / name).mkdir()
        for i in range(20):
            Image.new("RGB", (8, 8), (80 * number, 10 * i, 5)).save(folder / name / f"{i}\x1b[0m.png")
    return folder


@pytest.fixture(scope="module")
def trained(photos, cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    data = ["data=folder", f"data.path={photos}", "data.image_size=8", "extractor=raw"]
    done = run([*TINY, *data, f"hydra.run.dir={folder}"])
    assert done.returncode == 0, done.stderr
    return folder, done


def said_by(capsys, *arguments):
    code = called(*arguments)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_names_of_classes_make_no_lines_and_steer_nothing(trained):
    folder, done = trained
    log = (folder / "run.log").read_text()
    assert steers(log + done.stdout + done.stderr) == []
    assert [line for line in log.splitlines() if not line.startswith("[20")] == []
    assert "[2026] forged line" not in [line[: len("[2026] forged line")] for line in log.splitlines()]
    assert r"c\x1b[2J" in log and r"d\n[2026] forged line" in log
    assert ESCAPE in json.loads(json.dumps(ESCAPE)) and steers((folder / "summary.json").read_text()) == []


def test_a_damaged_file_of_such_a_name_is_named_visibly(photos, cache, tmp_path):
    folder = tmp_path / "photos" / ESCAPE
    folder.mkdir(parents=True)
    (folder / "0\x1b[2J.png").write_bytes(b"no image")
    data = ["data=folder", f"data.path={tmp_path}/photos", "data.image_size=8"]
    done = run([*TINY, *data, f"hydra.run.dir={tmp_path}/run"])
    assert done.returncode in (1, 2)
    assert steers(done.stdout + done.stderr) == [] and r"\x1b[2J" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", ["evaluate", "sample", "compare", "runs"])
def test_commands_show_such_names_visibly(trained, capsys, tmp_path, command):
    folder, _ = trained
    out = tmp_path / f"a{ESCAPE}"
    given = {
        "evaluate": [folder, "metrics=[fid]", "evaluate.samples=16", "--out", out / "scores.json"],
        "sample": [folder, "--out", out / "sample.png"],
        "compare": [folder],
        "runs": [folder],
    }[command]
    code, said = said_by(capsys, command, *given)
    assert steers(said) == []
    if command in ("evaluate", "sample"):
        assert code == 0, said
        assert r"\x1b[2J" in said


@pytest.mark.parametrize("override", [f"loss={ESCAPE}", f"+data.{ESCAPE}=1", f"data.path={TITLE}\n"])
def test_overrides_are_shown_visibly(cache, tmp_path, override):
    done = run([*TINY, override, f"hydra.run.dir={tmp_path}/run"])
    assert done.returncode == 2
    assert steers(done.stdout + done.stderr) == [] and r"\x1b" in done.stderr


def test_conditions_and_flags_are_shown_visibly(cache, capsys, tmp_path):
    make_run(tmp_path / ESCAPE, "hinge", 0, [2.0])
    code, said = said_by(capsys, "runs", tmp_path, f"status={TITLE}\u202e")
    assert code == 0 and steers(said) == [] and r"status=\x1b]0;t\x07esc\u202e" in said
    done = run([f"--{TITLE}\u202e", f"hydra.run.dir={tmp_path}/run"])
    assert done.returncode == 2
    assert steers(done.stdout + done.stderr) == [] and r"--\x1b]0;t\x07esc\u202e" in done.stderr


def test_why_a_run_of_a_sweep_failed_is_shown_visibly(cache, tmp_path):
    data = ["data=folder", f"data.path='{tmp_path}/{ESCAPE}'", "seed=0,1"]
    done = run(["-m", *TINY, *data, f"hydra.sweep.dir={tmp_path}/sweep"])
    assert done.returncode in (1, 2)
    assert steers(done.stdout + done.stderr) == [] and r"\x1b[2J" in done.stderr


def test_what_distributions_say_of_themselves_is_shown_visibly(install, capsys, monkeypatch):
    docstring = "A loss.\x1b[2J"
    source = (
        "from gan_zoo.losses.vanilla import Minimax\n"
        f"class Loss(Minimax):\n    {docstring!r}\n"
        f"    def __init__(self, margin={TITLE!r}):\n        super().__init__()\n"
        f"def broken():\n    pass\n"
    )
    install("own", {"losses": {f"n{TITLE}": "own:Loss", "b[red]": "own:broken"}}, {"own.py": source}, version="1.0")
    plugins.show("losses", False)
    printed = capsys.readouterr()
    assert steers(printed.out + printed.err) == []
    assert r"n\x1b]0;t\x07esc" in printed.out and r"A loss.\x1b[2J" in printed.out and "b[red]" in printed.out
    plugins.show("losses", True)
    assert steers(capsys.readouterr().out) == []
    check_distribution("own", [])
    printed = capsys.readouterr()
    assert steers(printed.out) == [] and r"\x1b]0;t\x07esc" in printed.out


@pytest.mark.parametrize("full", ["0", "1"])
def test_an_errors_text_is_one_last_line(capsys, monkeypatch, full):
    monkeypatch.setenv("HYDRA_FULL_ERROR", full)

    def work():
        raise ConfigError(f"{ESCAPE} and\n{TITLE}")

    assert exit_code(work) == 2
    said = capsys.readouterr().err
    assert steers(said) == []
    assert said.splitlines()[-1] == r"error: c\x1b[2J and \x1b]0;t\x07esc"
    assert ("Traceback" in said) == (full == "1")
