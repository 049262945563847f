"""The names of runs' folders: the same for the same request, different for different ones, safe as a path."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from gan_framework.sweeps import naming
from gan_framework.sweeps.naming import run_name, sweep_name

OVERRIDES = st.lists(st.text(min_size=1, max_size=80), max_size=6, unique=True)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["seed=0", "loss=hinge"], "loss=hinge,seed=0"),
        (["strategy=[ema,k_step]", "seed=1"], "seed=1,strategy=ema+k_step"),
        (["strategy=[]"], "strategy="),
        (["optimizer.generator.lr=2e-05"], "optimizer.generator.lr=2e-05"),
        (["seed=0", "sweep.resume=a/b", "+sweep.trial=3"], "seed=0"),
        ([], "defaults"),
    ],
)
def test_short_requests_can_be_read(overrides, name):
    assert run_name(overrides) == name


@given(OVERRIDES)
def test_a_name_is_one_safe_path_component(overrides):
    name = run_name(overrides)
    assert re.fullmatch(r"[A-Za-z0-9_=,+][A-Za-z0-9_.=,+-]*", name), name
    assert len(name) <= naming.LONGEST + 9


@given(OVERRIDES, st.randoms())
def test_the_order_of_overrides_does_not_matter(overrides, random):
    shuffled = list(overrides)
    random.shuffle(shuffled)
    assert run_name(shuffled) == run_name(overrides)


@given(st.lists(st.text(alphabet="ab=,+-[]/. '\"", min_size=1, max_size=6), min_size=2, max_size=2, unique=True))
def test_similar_requests_have_different_names(two):
    a, b = (f"x={value}" for value in two)
    # A list of one and the thing itself are the same choice of a group.
    if a.replace("[", "").replace("]", "") != b.replace("[", "").replace("]", ""):
        assert run_name([a]) != run_name([b])


def test_long_requests_differ_by_a_hash_and_keep_what_says_most():
    common = [f"networks.generator.some_setting_{i}=1" for i in range(10)]
    one, two = run_name([*common, "seed=1"]), run_name([*common, "seed=2"])
    assert one != two
    assert one.startswith("some_setting_0=1,some_setting_1=1")


def test_a_path_in_a_value_makes_no_folder():
    assert "/" not in run_name(["data.path=../../etc/passwd"])


def test_a_sweep_named_by_a_time_has_the_day_in_its_name(tmp_path):
    assert sweep_name(Path("/x/2026-01-02/10-11-12")) == "2026-01-02_10-11-12"
    assert sweep_name(Path("/x/losses")) == "losses"


def test_resolvers_take_what_the_configuration_gives_them():
    config = OmegaConf.create(
        {
            "none": None,
            "jobs": ["seed=1"],
            "a": "${run_name:${jobs}}",
            "b": "${first_set:${none},x}",
            "n": "${workers:}",
        }
    )
    assert (config.a, config.b) == ("seed=1", "x")
    assert config.n >= 1


def test_gpus_are_those_that_are_visible(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-77")
    assert naming.gpus() == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert naming.gpus() == 0
