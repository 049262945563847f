"""Curves that are thinned while they are read."""

import json
import random

import pytest

from gan_framework.compare import folder, page
from gan_framework.compare.figures import HELD, Figure, Gathering
from gan_framework.storage import plain
from gan_framework.storage.foreign import Damaged


def gathered(rows, size=500):
    gathering = Gathering("metrics.jsonl")
    for number, (x, metrics) in enumerate(rows, 1):
        gathering.add(x, metrics, number, size)
    return gathering.figures()


def test_a_short_curve_is_held_as_it_is():
    rows = [(64 * step, {"a": 1 / step, "b": None if step % 3 else step}) for step in range(1, HELD + 1)]
    found = gathered(rows, size=10_000)  # taken up in several blocks
    assert found["a"].curve == [(x, metrics["a"]) for x, metrics in rows]
    assert found["b"].curve == [(x, metrics["b"]) for x, metrics in rows if metrics["b"] is not None]


@pytest.mark.parametrize("count", [HELD + 1, 5_000, 70_001])
def test_a_long_curve_is_thinned_evenly_and_its_extremes_are_exact(count):
    chance = random.Random(count)
    values = [chance.gauss(0, 1) for _ in range(count)]
    figure = gathered((64 * (i + 1), {"a": value}) for i, value in enumerate(values))["a"]
    curve = figure.curve
    assert HELD // 2 <= len(curve) <= HELD + 1
    assert (curve[0], curve[-1]) == ((64, values[0]), (64 * count, values[-1]))
    assert (figure.least, figure.greatest, figure.last) == (min(values), max(values), values[-1])
    assert all(values[int(x) // 64 - 1] == value for x, value in curve)
    steps = [b - a for (a, _), (b, _) in zip(curve[:-1], curve[1:-1], strict=False)]
    assert max(steps) - min(steps) <= 64


def test_curves_of_one_group_keep_points_in_common():
    """Of which one is longer, and another lacks a value here and there."""
    chance = random.Random(0)
    lengths = (5_000, 20_000, 5_000)
    curves = [
        gathered(
            (64 * step, {"a": None if i == 2 and chance.random() < 0.01 else step, "b": 0})
            for step in range(1, length + 1)
        )["a"].curve
        for i, length in enumerate(lengths)
    ]
    assert len(page.band(curves[:1])["x"]) == page.POINTS
    assert len(page.band([curves[0], curves[0], curves[2]])["x"]) == page.POINTS
    assert len(page.band(curves)["x"]) >= HELD // 10


def test_what_was_measured_twice_counts_as_it_was_measured_last():
    figure = gathered([(1, {"a": 1.0}), (2, {"a": 5.0}), (3, {"a": 3.0}), (2, {"a": 2.0}), (2, {"a": 2.5})])["a"]
    assert figure.curve == [(1, 1.0), (2, 2.5), (3, 3.0)]
    assert (figure.greatest, figure.last) == (5.0, 3.0)


def test_a_figure_whose_place_never_changes_has_its_extremes():
    figure = gathered((0, {"a": value}) for value in (3.0, 1.0, 2.0))["a"]
    assert (figure.curve, figure.least, figure.greatest) == ([(0, 2.0)], 1.0, 3.0)


def test_figures_at_the_ends_of_what_a_float_holds():
    rows = [
        (x, {"a": y})
        for x, y in [(-1e308, 1e308), (0, -1e308), (10**300, 0), (1.6e308, 5)] + [(i, i) for i in range(999)]
    ]
    figure = gathered(rows)["a"]
    assert (figure.least, figure.greatest, figure.last) == (-1e308, 1e308, 5)
    drawn = page.band([figure.curve, figure.curve])
    assert len(drawn["x"]) >= 4


def test_parts_of_a_run_are_joined():
    early = gathered((step, {"a": -step}) for step in range(1, 1001))["a"]
    late = gathered((step, {"a": step}) for step in range(1001, 3001))["a"]
    joined = early.join(late)
    assert isinstance(joined, Figure)
    assert (joined.least, joined.greatest, joined.last) == (-1000, 3000, 3000)
    assert joined.curve[0] == (1, -1) and joined.curve[-1] == (3000, 3000)


def test_the_line_of_a_wrong_value_is_named():
    rows = [(step, {"a": 1.0, "b": "x" if step == 7 else 2}) for step in range(1, 20)]
    with pytest.raises(Damaged, match=r'metrics.jsonl: line 7: metrics.b is "x" and not a finite number'):
        gathered(rows)


def read(tmp_path, lines, monkeypatch, skipping):
    """Return the figures of a file, and how many of its lines were read as JSON."""
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    parsed = []
    parse = plain.parse_line
    with monkeypatch.context() as patch:
        patch.setattr(
            plain, "parse_line", lambda line, number, name: (parsed.append(number), parse(line, number, name))[1]
        )
        if not skipping:
            patch.setattr(folder.Skipping, "skips", lambda *_: False)
        return folder._figures(tmp_path), len(parsed)


def logged(steps, every, chance):
    """Return lines as runs log them: figures at each step, others at some, a loss that is not finite now and then."""
    lines = []
    for step in steps:
        metrics = {"train/a": chance.random(), "train/b": None if chance.random() < 0.02 else -chance.random()}
        metrics |= {"health/c": chance.random() * 1e-7} if step % 7 == 0 else {}
        metrics |= {"eval/d": chance.random()} if step % every == 0 else {}
        lines.append({"step": step, "images_seen": 64 * step, "updates": {"generator": step}, "metrics": metrics})
    return lines


@pytest.mark.parametrize("seed", range(4))
def test_lines_that_are_skipped_would_have_changed_nothing(tmp_path, monkeypatch, seed):
    chance = random.Random(seed)
    lines = logged(range(1, 6_000 + chance.randrange(500)), 50, chance)
    if seed % 2:  # the run went back to a checkpoint
        lines += logged(range(4_000, 7_000), 50, chance)
    found, parsed = read(tmp_path, lines, monkeypatch, skipping=True)
    whole, all_of_them = read(tmp_path, lines, monkeypatch, skipping=False)
    assert found.keys() == whole.keys()
    assert all(found[name].curve == whole[name].curve and found[name].last == whole[name].last for name in whole)
    assert (found["eval/d"].least, found["eval/d"].greatest) == (whole["eval/d"].least, whole["eval/d"].greatest)
    assert all_of_them == len(lines) and parsed < 0.7 * len(lines)


@pytest.mark.parametrize(
    "wrong", ["[1]", '{"images_seen": 9, "metrics": {"a": "1"}}', '{"images_seen": 9, "metrics": {"a": NaN}}',
              '{"images_seen": 9, "metrics": {"a": 1}', '{"images_seen": 9, "metrics": {"a": true}}', "{}"],
)  # fmt: skip
def test_a_line_that_is_wrong_is_found_among_those_that_are_skipped(tmp_path, wrong):
    lines = [json.dumps({"images_seen": step, "metrics": {"a": step / 2}}) for step in range(5_000)]
    lines.insert(4_321, wrong)
    (tmp_path / "metrics.jsonl").write_text("".join(line + "\n" for line in lines))
    with pytest.raises(Damaged, match="metrics.jsonl: line 4322"):
        folder._figures(tmp_path)
