"""What the environment says of several processes is checked before anything is done with it."""

import subprocess
import sys

import pytest

from gan_framework.cli import processes
from gan_framework.cli.exit_codes import exit_code
from gan_framework.core import distributed
from gan_framework.errors import ConfigError


@pytest.mark.parametrize(("values", "said"), [
    ({"WORLD_SIZE": "abc"}, "WORLD_SIZE=abc, which must be a whole number of at least 1"),
    ({"WORLD_SIZE": "0"}, "WORLD_SIZE=0"),
    ({"WORLD_SIZE": "-1"}, "WORLD_SIZE=-1"),
    ({"WORLD_SIZE": "²"}, "WORLD_SIZE=²"),
    ({"RANK": "5"}, "RANK=5, which must be a whole number from 0 to 0, as WORLD_SIZE=1"),
    ({"RANK": "-1", "WORLD_SIZE": "2"}, "RANK=-1, which must be a whole number from 0 to 1"),
    ({"LOCAL_RANK": "abc"}, "LOCAL_RANK=abc"),
])  # fmt: skip
def test_wrong_numbers_are_refused(monkeypatch, values, said):
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=said):
        processes.check()


def test_what_is_not_set_or_empty_is_one_process(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.setenv(name, "")
    processes.check()
    assert (processes.world(), distributed.rank(), distributed.world()) == (1, 0, 1)


@pytest.mark.slow
def test_the_program_says_so_in_one_line(tmp_path):
    program = "import sys; from gan_framework.cli.train import train; sys.exit(train())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"WORLD_SIZE": "abc"}, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.startswith("error: the environment has WORLD_SIZE=abc")


def test_a_name_that_is_too_long_is_a_wrong_request(tmp_path, capsys):
    assert exit_code(lambda: (tmp_path / ("x" * 5000)).stat()) == 2
    assert "File name too long" in capsys.readouterr().err
