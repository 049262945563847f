"""The program itself: two steps of everything, and the tests that need a GPU."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from gpu.part import Part

TESTS = ("tests/core/test_precision.py", "tests/runs/test_captured.py")

COMMANDS = {
    "smoke": ("run.py", "debug=smoke", "train.device={device}", "metrics=[]", "hydra.run.dir={folder}/run"),
    "tests": ("-m", "pytest", "-o", "addopts=", "-q", "-p", "no:cacheprovider", *TESTS),
}
"""What follows `python`."""


def measure(part: Part) -> None:
    """Run one of the commands."""
    (name,) = part.arguments
    with tempfile.TemporaryDirectory() as folder:
        command = [word.format(device=part.sizes.device, folder=folder) for word in COMMANDS[name]]
        start = time.monotonic()
        done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout)
    said = (done.stdout.strip().splitlines() or [""])[-1][:150]
    part.add(command=" ".join(COMMANDS[name]), code=done.returncode, said=said, seconds=round(time.monotonic() - start))
