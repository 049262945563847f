"""A run that is killed 25 times, at moments nobody chose, ends as one that was not."""

import subprocess
import sys

import pytest

from tests.helpers.program import ROOT


@pytest.mark.slow
def test_twenty_five_kills_make_no_difference():
    command = [sys.executable, str(ROOT / "benchmarks" / "kills.py"), "--kills", "25"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("no difference") == 2
