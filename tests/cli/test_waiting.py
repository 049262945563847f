"""Threads do not wait busily for ever: a run beside another process is not held up by it."""

import os
import subprocess
import sys

import pytest

SHOW = "import sys, os, gan_framework.cli; print('torch' in sys.modules, os.environ.get('GOMP_SPINCOUNT'))"


@pytest.mark.parametrize(
    ("given", "found"),
    [({}, "50000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, "None")],
)
def test_the_limit_is_there_before_torch_unless_the_user_says_otherwise(given, found):
    clean = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, env=clean | given, check=True)
    assert done.stdout.split() == ["False", found]
