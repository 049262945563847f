"""Which losses, terms and strategies go together: found by building them, and shown with the reasons of the others."""

import json

import pytest

from gan_framework.cli import plugins_pairs
from gan_framework.cli.commands import main
from gan_framework.cli.plugins_pairs import Found, Item
from gan_framework.errors import ConfigError
from gan_framework.registry import registry


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["gan-framework", "plugins", "--pairs", *arguments])
    try:
        return main()
    except SystemExit as ended:
        return ended.code


def test_pairs_that_go_together_and_one_that_does_not(monkeypatch, capsys):
    assert run(monkeypatch, "wasserstein", "hinge", "r1", "one_sided_label_smoothing") == 0
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "loss=hinge goes with 1 of 2" in said
    why = "one_sided_label_smoothing has no effect on Hinge, which has no target for real samples"
    assert f"strategy=one_sided_label_smoothing {why}" in said
    assert "term=r1 goes with 1 of 1" in said


def test_as_json_with_the_whole_reason(monkeypatch, capsys):
    assert run(monkeypatch, "weighted_gradient", "hinge", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found == {
        "first": "loss=hinge",
        "second": "term=weighted_gradient",
        "place": "small",
        "refused": "weighted_gradient weighs by D's probabilities, and Hinge has none: choose loss=nonsaturating, "
        "or r1 with r2",
    }


def test_a_name_that_nothing_has_is_refused(monkeypatch, capsys):
    assert run(monkeypatch, "hinge", "r9") == 2
    assert "no loss, term or strategy is named 'r9'" in capsys.readouterr().err


def test_one_name_is_all_its_pairs_and_none_is_every_pair():
    losses, terms, strategies = (len([*registry.installed(kind)]) for kind in plugins_pairs.STACKED)
    assert len(plugins_pairs.wanted([])) == losses * terms + losses * strategies + terms * strategies
    assert len(plugins_pairs.wanted(["hinge"])) == terms + strategies
    assert len(plugins_pairs.wanted(["r1"])) == losses + strategies
    assert plugins_pairs.wanted(["ema", "r1"]) == [(Item("terms", "r1"), Item("strategies", "ema"))]
    assert plugins_pairs.wanted(["ema", "k_step"]) == []


@pytest.mark.parametrize(
    ("item", "place"),
    [
        (Item("losses", "hinge"), "small"),
        (Item("strategies", "momentum_ramp"), "momentum"),
        (Item("strategies", "q_head"), "codes"),
        (Item("terms", "class_contrast"), "heads"),
        (Item("strategies", "rbm_pretraining"), "autoencoder"),
    ],
)
def test_what_one_place_refuses_is_at_home_in_another(item, place):
    assert plugins_pairs.home(item) == place


def test_the_reason_is_that_of_the_less_common_place():
    pair = (Item("strategies", "q_head"), Item("strategies", "latent_optimisation"))
    homes = {pair[0]: "codes", pair[1]: "small"}
    found = plugins_pairs.try_pair(homes, pair)
    assert found.place == "codes" and "would move codes" in found.refused


def test_what_fits_nowhere_is_said_so():
    pair = (Item("losses", "hinge"), Item("terms", "r1"))
    assert plugins_pairs.try_pair(dict.fromkeys(pair), pair) == Found(
        "loss=hinge", "term=r1", "", "neither can be built alone in its default settings"
    )


@pytest.mark.slow
def test_many_pairs_are_shared_out_among_processes(monkeypatch):
    monkeypatch.setattr(plugins_pairs, "FEW", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    pairs = plugins_pairs.wanted(["hinge", "minimax", "r1"])
    found = {(pair.first, pair.second, pair.refused) for pair in plugins_pairs.tried(pairs)}
    assert found == {("loss=hinge", "term=r1", None), ("loss=minimax", "term=r1", None)}


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("a and b both set c: choose one of them", "a and b both set c"),
        ("a needs b; set b", "a needs b"),
        ("x" * 200, "x" * 109 + "…"),
    ],
)
def test_a_reason_is_shown_without_advice_and_at_a_glance(reason, shown):
    assert plugins_pairs.shortened(reason) == shown


def test_an_impossible_place_is_an_error_of_the_configuration():
    with pytest.raises(ConfigError):
        plugins_pairs.build("no_such_experiment", ())
