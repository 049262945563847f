"""What is released is the same whoever builds it, and whole."""

import hashlib
import os
import subprocess
import sys
import zipfile

import pytest

from tests.helpers.environment import ROOT


def build(out):
    arguments = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(out), str(ROOT)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.mark.slow
def test_two_builds_are_one_wheel_and_it_holds_what_runs_need(tmp_path):
    one, other = build(tmp_path / "one"), build(tmp_path / "other")
    assert hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", str(one)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
    with zipfile.ZipFile(one) as wheel:
        names = set(wheel.namelist())
    assert {"gan_framework/conf/config.yaml", "gan_framework/registry/index.yaml", "gan_framework/py.typed"} <= names
