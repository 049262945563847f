"""What the TAB key offers."""

import os
import subprocess
import sys

import pytest

from gan_framework.cli import commands, completing, train
from tests.helpers.program import ROOT


@pytest.mark.parametrize(
    ("word", "among"),
    [
        ("strategy=[em", {"strategy=[ema,", "strategy=[ema]"}),
        ("'strategy=[ema,spectral", {"strategy=[ema,spectral_norm,", "strategy=[ema,spectral_norm]"}),
        ("metrics=[fid", {"metrics=[fid,", "metrics=[fid]", "metrics=[fid_infinity"}),
        ("+term=[r", {"+term=[r1", "+term=[r2"}),
        ("tracker=[", {"tracker=[tensorboard", "tracker=[wandb"}),
    ],
)
def test_options_are_offered_inside_a_list(word, among):
    assert among <= {*completing.inside_list(word)}


def test_what_has_been_chosen_is_not_offered_again():
    assert "strategy=[ema,ema" not in completing.inside_list("strategy=[ema,e")
    assert all(completing.inside_list(word) is None for word in ("loss=[", "strategy=e", "strategy=[ema]", "strategy"))


def test_overrides_are_offered_as_far_as_they_are_typed():
    offered = completing.override
    assert offered("loss=hin", []) == ["loss=hinge"]
    assert offered("train.st", []) == ["train.steps="] and offered("trai", []) == ["train."]
    assert "strategy.k_step.k=" in offered("strategy.k_step.", ["strategy=[k_step]"])
    assert offered("data.flip=t", []) == ["data.flip=true"]
    assert offered("loss=", [], ("data", "evaluate")) == [] and "evaluate." in offered("ev", [], ("evaluate",))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("train loss=hin", "loss=hinge"),
        ("train loss = hin", "hinge"),  # as bash cuts it
        ("evaluate RUN metrics = [kid,fid_inf", "[kid,fid_infinity,\n[kid,fid_infinity]"),
        ("sample RUN sampler=rej", "sampler=rejection"),
        ("sample RUN loss=hin", ""),
        ("plugins loss", "losses"),
    ],
)
def test_gan_framework_completes_overrides(monkeypatch, capsys, words, offered):
    monkeypatch.setenv("_GAN_FRAMEWORK_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"gan-framework {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    monkeypatch.setattr(sys, "argv", ["gan-framework"])
    with pytest.raises(SystemExit):
        commands.app(prog_name="gan-framework")
    assert capsys.readouterr().out.strip() == offered


def test_run_py_completes_lists_and_what_hydra_completes(monkeypatch, capsys):
    for word, offered in (("strategy=[em", "strategy=[ema, strategy=[ema]"), ("loss=hin", "loss=hinge")):
        monkeypatch.setenv("COMP_LINE", f"python run.py {word}")
        monkeypatch.setattr(sys, "argv", ["run.py", "-sc", "query=bash"])
        assert train.train() == 0
        assert capsys.readouterr().out.strip() == offered


def test_the_completion_of_hydra_is_as_it_was_afterwards():
    from hydra.plugins.completion_plugin import CompletionPlugin

    before = CompletionPlugin._query
    with completing.of_hydra():
        assert CompletionPlugin._query is not before
    assert CompletionPlugin._query is before


@pytest.mark.slow
def test_bash_inserts_what_is_offered():
    script = """
        eval "$(python run.py -sc install=bash)"
        COMP_LINE="python run.py 'strategy=[em" COMP_CWORD=2
        hydra_bash_completion && printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PATH": path}
    )
    assert done.stdout.split() == ["strategy=[ema,", "strategy=[ema]"], done.stderr
