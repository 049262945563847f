"""A sample of what `benchmarks/fuzz.py` does at length."""

import random
import sys

import pytest

from tests.fuzzing import datasets, overrides, runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cases are played in forks, watched through /proc")

SEED = 20


@pytest.fixture(scope="module")
def preloaded():
    runner.preload()


def few(kind, count):
    choice = random.Random(SEED)
    return list(getattr(overrides, kind)(choice, count) if kind != "datasets" else datasets.cases(choice, count))


@pytest.mark.parametrize(("kind", "count"), [("of_settings", 8), ("malformed", 6), ("yaml_files", 4), ("datasets", 6)])
def test_nothing_ends_in_a_traceback_a_hang_or_a_file_elsewhere(preloaded, tmp_path, kind, count):
    for number, case in enumerate(few(kind, count)):
        verdict = runner.play(case, tmp_path / str(number), tmp_path / "cache")
        assert verdict.faults == [], (case.arguments, verdict.outcome.output)
