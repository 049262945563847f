"""The folders of a sweep's runs: named by what is swept, found again however the sweep goes on."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_framework.errors import ConfigError
from gan_framework.sweeps import naming
from gan_framework.sweeps.folders import FILE, SAFE, Folders
from gan_framework.sweeps.naming import identity, name_of_all, short_keys, written

COMMON = ["model=mlp", "data.image_size=16", "evaluate.every=100"]
OVERRIDES = st.lists(
    st.builds("{}={}".format, st.text(alphabet="ab.@", min_size=1, max_size=6), st.text(max_size=40)),
    max_size=4,
    unique_by=lambda override: override.partition("=")[0],
)


def test_a_name_says_what_is_swept_and_no_more(tmp_path):
    jobs = [
        [*COMMON, f"loss={loss}", f"seed={seed}", f"strategy={strategy}"]
        for loss in ("hinge", "wasserstein")
        for strategy in ("[]", "[ema,k_step]")
        for seed in (0, 1)
    ]
    assert Folders(tmp_path).name(jobs) == [
        "loss=hinge,strategy=none,seed=0", "loss=hinge,strategy=none,seed=1",
        "loss=hinge,strategy=ema+k_step,seed=0", "loss=hinge,strategy=ema+k_step,seed=1",
        "loss=wasserstein,strategy=none,seed=0", "loss=wasserstein,strategy=none,seed=1",
        "loss=wasserstein,strategy=ema+k_step,seed=0", "loss=wasserstein,strategy=ema+k_step,seed=1",
    ]  # fmt: skip


def test_a_sweep_that_goes_on_finds_its_runs_whatever_is_swept_then(tmp_path):
    first = [[*COMMON, f"loss={loss}"] for loss in ("hinge", "minimax")]
    names = Folders(tmp_path).name(first, ["loss"])
    assert names == ["loss=hinge", "loss=minimax"]
    reordered = [list(reversed(job)) for job in reversed(first)]
    more = [[*job, "seed=1"] for job in first]
    longer = [[*COMMON, "loss=hinge", "train.steps=7"]]
    assert Folders(tmp_path).name([*more, *reordered], ["loss", "seed"]) == [
        "loss=hinge,seed=1", "loss=minimax,seed=1", "loss=minimax", "loss=hinge",
    ]  # fmt: skip
    assert Folders(tmp_path).name(longer, ["loss"]) == ["loss=hinge,steps=7"]
    assert [Folders(tmp_path).find(job) for job in first] == names
    assert Folders(tmp_path).find([*COMMON, "loss=lsgan"]) is None


def test_runs_that_an_earlier_version_named_are_found(tmp_path):
    old, new = [*COMMON, "loss=hinge", "seed=0"], [*COMMON, "loss=hinge", "seed=1"]
    (tmp_path / name_of_all(old)).mkdir()
    assert Folders(tmp_path).find(old) == name_of_all(old)
    assert Folders(tmp_path).name([old, new], ["seed"]) == [name_of_all(old), "seed=1"]
    # What is called so by now is another run.
    assert Folders(tmp_path).name([["seed=1"]], ["seed"])[0].startswith("seed=1-")


def test_what_rounding_makes_alike_gets_more_digits_and_else_a_hash(tmp_path):
    key = "optimizer.generator.lr"
    jobs = [[f"{key}={value}"] for value in ("0.000425", "0.0004250001", "0.00042500010000001")]
    assert Folders(tmp_path).name(jobs) == ["lr=4.25e-4", "lr=4.250001e-4", "lr=4.2500010000001e-4"]
    paths = [["data.path=/a/photos"], ["data.path=/b/photos"]]
    one, two = Folders(tmp_path).name(paths, ["data.path"])
    assert one == "path=photos" and two == f"path=photos-{identity(paths[1])[:8]}"


def test_a_key_is_as_short_as_it_can_be():
    assert short_keys(["optimizer.generator.lr", "seed"]) == {"optimizer.generator.lr": "lr", "seed": "seed"}
    both = ["optimizer.generator.lr", "optimizer.discriminator.lr", "networks.generator.width", "loss"]
    assert list(short_keys(both).values()) == ["G.lr", "D.lr", "width", "loss"]
    assert list(short_keys(["terms.r1.weight", "terms.r2.weight"]).values()) == ["r1.weight", "r2.weight"]
    assert list(short_keys(["networks.generator.width", "width"]).values()) == ["G.width", "width"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.00025981702179349", "2.6e-4"),
        ("2e-05", "2e-5"),
        ("0.0002", "2e-4"),
        ("0.5", "0.5"),
        ("-0.5", "-0.5"),
        ("123456.7", "123000"),
        ("1e6", "1e6"),
        ("0.0", "0"),
        ("100000", "100000"),
        ("[0.5,0.999]", "0.5+0.999"),
        ("[]", "none"),
        ("'[ema]'", "ema"),
        ("/data/my photos/", "my-photos"),
        ("true", "true"),
        ("", "none"),
    ],
)
def test_a_value_is_short(value, shown):
    assert written(value) == shown


def test_one_run_of_which_nothing_is_swept_says_all(tmp_path):
    assert Folders(tmp_path).name([["loss=hinge", "optimizer.generator.lr=1e-4"]]) == ["loss=hinge,lr=1e-4"]
    assert Folders(tmp_path).name([[]]) == ["defaults"]


def test_a_search_names_what_is_searched_before_a_second_trial_is_there(tmp_path):
    trial = [
        *COMMON,
        "optimizer.generator.lr=0.00042604240005950246",
        "optimizer.discriminator.lr=1e-3",
        "sweep.trial=0",
    ]
    assert Folders(tmp_path).name([trial], ["optimizer.generator.lr", "optimizer.discriminator.lr"]) == [
        "G.lr=4.26e-4,D.lr=0.001"
    ]


@given(st.lists(OVERRIDES, min_size=1, max_size=6, unique_by=lambda job: ",".join(sorted(job))), st.randoms())
def test_every_run_has_a_safe_folder_of_its_own_and_keeps_it(tmp_path_factory, jobs, order):
    sweep = tmp_path_factory.mktemp("sweep")
    names = Folders(sweep).name(jobs)
    assert len({*names}) == len(jobs)
    for name in names:
        assert SAFE.fullmatch(name) and len(name) <= naming.LONGEST + 9, name
    mixed = list(zip(jobs, names, strict=True))
    order.shuffle(mixed)
    assert Folders(sweep).name([job for job, _ in mixed]) == [name for _, name in mixed]


def test_secrets_are_in_neither_a_name_nor_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "5ecret-5ecret")
    jobs = [[f"tracker.wandb.notes=with 5ecret-5ecret {i}"] for i in range(2)]
    names = Folders(tmp_path).name(jobs)
    assert len({*names}) == 2 and "5ecret" not in str(names) + (tmp_path / FILE).read_text()
    assert Folders(tmp_path).name(jobs) == names


@pytest.mark.parametrize(
    "content",
    ["[]", "{", '{"../../x": {"identity": "a", "settings": {}}}', '{"x": {"settings": {}}}',
     '{"x": {"identity": "a", "settings": []}}', '{"x": 1}'],
)  # fmt: skip
def test_names_that_are_damaged_or_lead_elsewhere_are_refused(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(ConfigError, match=r"runs\.json is damaged"):
        Folders(tmp_path)


def test_many_runs_are_told_apart(tmp_path):
    jobs = [[*COMMON, f"seed={seed}", f"optimizer.generator.lr={random.Random(seed).random()}"] for seed in range(500)]
    assert len({*Folders(tmp_path).name(jobs)}) == 500
    assert len(json.loads((tmp_path / FILE).read_text())) == 500
