"""Main effects: equal to another formula's, right in simulations, and silent where settings cannot be told apart."""

import itertools

import numpy as np
import pytest
from scipy import stats

from gan_framework.compare.effects import main_effects

LOSSES, WIDTHS = ("hinge", "wasserstein", "ralsgan"), ("32", "64")


def crossed(random, seeds, effect=lambda loss, width: 0.0, deviation=1.0):
    cells = list(itertools.product(LOSSES, WIDTHS, range(seeds)))
    settings = [{"loss.name": loss, "width": width} for loss, width, _ in cells]
    return settings, [random.normal(effect(loss, width), deviation) for loss, width, _ in cells]


def test_in_a_balanced_sweep_effects_are_differences_of_means():
    settings, scores = crossed(np.random.default_rng(0), 3, lambda loss, width: 10 * (loss == "hinge") + int(width))
    effects = main_effects(settings, scores, higher_is_better=True)

    def mean(**wanted):
        name, value = next(iter(wanted.items()))
        name = name.replace("__", ".")
        return np.mean([score for own, score in zip(settings, scores, strict=True) if own[name] == value])

    assert [levels[0].value for levels in effects.levels.values()] == ["hinge", "64"]
    for level in effects.levels["loss.name"][1:]:
        assert level.difference.estimate == pytest.approx(mean(loss__name=level.value) - mean(loss__name="hinge"))
        assert level.difference.sure
    (narrow,) = effects.levels["width"][1:]
    assert narrow.difference.estimate == pytest.approx(mean(width="32") - mean(width="64"))


def test_the_interval_of_two_values_is_students_with_the_models_residual():
    settings, scores = crossed(np.random.default_rng(1), 4)
    (worse,) = main_effects(settings, scores, False).levels["width"][1:]
    table = np.reshape(scores, (3, 2, 4))
    fitted = table.mean((1, 2), keepdims=True) + table.mean((0, 2), keepdims=True) - table.mean()
    freedom = 24 - 4
    error = np.sqrt(((table - fitted) ** 2).sum() / freedom * (1 / 12 + 1 / 12))
    half = stats.t.ppf(0.975, freedom) * error
    assert (worse.difference.high - worse.difference.low) / 2 == pytest.approx(half, rel=1e-3)


def test_in_simulations_intervals_hold_for_all_pairs_together():
    random, holds, rounds = np.random.default_rng(2), 0, 400
    true = {"hinge": 0.0, "wasserstein": 1.0, "ralsgan": 2.0}
    for _ in range(rounds):
        settings, scores = crossed(random, 3, lambda loss, width: true[loss] + 5 * (width == "32"))
        levels = main_effects(settings, scores, False).levels["loss.name"]
        best = true[levels[0].value]
        holds += all(x.difference.low <= true[x.value] - best <= x.difference.high for x in levels[1:])
    assert 0.93 <= holds / rounds <= 0.99


def test_unbalanced_sweeps_do_not_mix_up_the_settings():
    """With more seeds of one combination, plain means would give the loss what the width does."""
    cells = [("hinge", "32")] * 9 + [("hinge", "64")] + [("other", "32")] + [("other", "64")] * 9
    random = np.random.default_rng(3)
    settings = [{"loss.name": loss, "width": width} for loss, width in cells]
    scores = [10.0 * (width == "64") + random.normal(0, 0.1) for _, width in cells]
    effects = main_effects(settings, scores, higher_is_better=False)
    assert abs(effects.levels["loss.name"][1].difference.estimate) < 0.3
    assert effects.levels["width"][1].difference.estimate == pytest.approx(10, abs=0.3)


def test_settings_that_change_together_are_named():
    settings = [{"loss.name": a, "lr": a, "width": b} for a, b in itertools.product("xy", "pq") for _ in range(2)]
    effects = main_effects(settings, [1.0, 1.1, 2.0, 2.2, 3.0, 3.1, 4.0, 4.3], False)
    assert effects.inseparable == ["lr"]
    assert list(effects.levels) == ["loss.name", "width"]


def test_an_interaction_is_noticed():
    random = np.random.default_rng(4)
    added = crossed(random, 5, lambda loss, width: 3 * (loss == "hinge") + (width == "64"))
    crossing = crossed(random, 5, lambda loss, width: 4.0 * ((loss == "hinge") == (width == "64")))
    assert main_effects(*added, False).interaction > 0.01
    assert main_effects(*crossing, False).interaction < 1e-6


@pytest.mark.parametrize(
    "settings", [[{"a": "1"}, {"a": "2"}, {"a": "2"}], [{"a": "1", "b": "1"}, {"a": "2", "b": "2"}]]
)
def test_nothing_is_said_where_nothing_can_be(settings):
    assert main_effects(settings, [float(i) for i in range(len(settings))], False).levels == {}
