"""While a command starts Python looks seldom for what can be let go of; in training as it does by itself."""

import gc
import subprocess
import sys

import pytest

from gan_framework.cli.exit_codes import exit_code
from gan_framework.storage.garbage import SELDOM, as_usual

USUAL = gc.get_threshold()


def test_seldom_while_a_command_starts_and_as_before_after_it():
    seen = []

    def work():
        seen.append(gc.get_threshold())
        as_usual()
        seen.append(gc.get_threshold())
        as_usual()

    assert exit_code(work) == 0
    assert exit_code(lambda: 1 / 0) == 1
    assert seen == [(SELDOM, *USUAL[1:]), USUAL] and gc.get_threshold() == USUAL


@pytest.mark.parametrize("first", [0, SELDOM + 1])
def test_who_has_set_it_to_look_more_seldom_or_never_is_obeyed(first):
    seen = []
    gc.set_threshold(first, *USUAL[1:])
    try:
        assert exit_code(lambda: seen.append(gc.get_threshold()[0])) == 0
        assert (seen, gc.get_threshold()[0]) == ([first], first)
    finally:
        gc.set_threshold(*USUAL)


@pytest.mark.slow
def test_a_run_is_played_and_scored_as_usual(tmp_path):
    program = """
import gc, sys
from gan_framework.runs import trainer
from gan_framework.runs.trainer import _play as play
usual = gc.get_threshold()
def watched(*arguments):
    print("played", gc.get_threshold() == usual)
    return play(*arguments)
trainer._play = watched
from gan_framework.cli.train import train
sys.argv[1:] = ["debug=smoke", "hydra.run.dir=run"]
sys.exit(train())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "played True" in done.stdout


def test_python_does_not_look_when_a_command_has_ended():
    code = (
        "import atexit, gc; from gan_framework.cli.exit_codes import exit_code;"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000)); exit_code(lambda: None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
