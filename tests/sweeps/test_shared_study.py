"""Several sweeps of one study: who runs which trial, that they stop in time, and what each proposes."""

import json
import multiprocessing
import os
import subprocess
import sys
import time
import traceback
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import pytest
from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from gan_framework.cli.train import config_folder
from gan_framework.errors import ConfigError
from gan_framework.sweeps import study as studies
from gan_framework.sweeps.claims import Claims
from gan_framework.sweeps.study import open_study
from tests.helpers.postgres import postgres  # noqa: F401 (a fixture)
from tests.helpers.resuming import lines
from tests.sweeps.conftest import gone
from tests.sweeps.test_optuna import LR, parse

optuna = pytest.importorskip("optuna", reason="needs the extra [optuna]")

STORAGES = ["sqlite", "journal", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def storage(request, tmp_path, monkeypatch):
    """What names a new storage of the kind."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        monkeypatch.setenv("PGPASSWORD", server.password)
        return server.database(request.node.originalname)
    return {"sqlite": f"sqlite:///{tmp_path}/shared.db", "journal": f"{tmp_path}/shared.journal"}[request.param]


def settings(storage, **changes):
    loaded = OmegaConf.load(config_folder() / "hydra" / "sweeper" / "optuna.yaml")
    return OmegaConf.merge(loaded, {"storage": storage, "study_name": "shared", "sampler": "random", **changes})


def claims(chosen, folder, name="one", arguments=(LR,), **named):
    opened = open_study(chosen, folder)
    return opened, Claims(opened, chosen, parse(*arguments)[0], {"sweep": name}, **named)


def value(taken):
    return taken[1]["optimizer.generator.lr"]


def claim_all(environment, chosen, folder, name, barrier, done):
    """Take trials until there are none left; in a process of its own."""
    os.environ.update(environment)
    import alembic.migration  # noqa: F401 (imported before the start)
    import optuna.storages  # noqa: F401

    barrier.wait()
    try:
        _, own = claims(OmegaConf.create(chosen), folder, name)
        done.put((name, list(iter(own.take, None))))
    except BaseException:
        done.put((name, traceback.format_exc()))


@pytest.mark.parametrize("storage", STORAGES, indirect=True)
def test_of_many_that_start_together_on_a_new_storage_each_trial_is_one_s(storage, tmp_path):
    context = multiprocessing.get_context("forkserver")
    barrier, done = context.Barrier(4), context.SimpleQueue()
    started = [
        context.Process(
            target=claim_all,
            args=(dict(os.environ), OmegaConf.to_container(settings(storage, n_trials=16, seed=seed), resolve=False),
                  tmp_path, f"{seed}{half}", barrier, done),
        )
        for seed in (0, 1)
        for half in "ab"
    ]  # fmt: skip
    for process in started:
        process.start()
    ended = [done.get() for _ in started]
    assert not [error for _, error in ended if isinstance(error, str)]
    taken = [trial for _, own in ended for trial in own]
    assert sorted(number for number, _ in taken) == list(range(16))
    assert len({value(trial) for trial in taken}) == 16
    study = open_study(settings(storage), tmp_path).study
    assert [trial.state.name for trial in study.trials] == ["RUNNING"] * 16
    told = {number: (name, params) for name, own in ended for number, params in own}
    assert told == {trial.number: (trial.user_attrs["sweep"], trial.params) for trial in study.trials}
    for process in started:
        process.join()


@pytest.mark.parametrize("storage", STORAGES, indirect=True)
def test_two_sweeps_that_start_together_run_n_trials_in_all(storage, sweep, tmp_path):
    request = ["hydra/sweeper=optuna", LR, "train.steps=2", "hydra.sweeper.n_trials=6", "hydra.sweeper.study_name=s",
               f"hydra.sweeper.storage={storage}"]  # fmt: skip
    both = [sweep(*request, folder=tmp_path / name) for name in ("one", "two")]
    assert [one.end() for one in both] == [0, 0], "\n".join(one.output for one in both)
    trials = open_study(settings(storage, study_name="s"), tmp_path).study.trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 6
    assert len({value((0, trial.params)) for trial in trials}) == 6
    assert sum(len(list(one.folder.glob("*/summary.json"))) for one in both) == 6


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_what_a_killed_sweep_was_at_is_its_own_while_others_run_the_rest(storage, sweep, tmp_path):
    request = ["hydra/sweeper=optuna", LR, "hydra.sweeper.n_trials=3", "hydra.sweeper.study_name=s", "train.steps=100",
               f"hydra.sweeper.storage={storage}"]  # fmt: skip
    first = sweep(*request, folder=tmp_path / "one")
    log = first.wait_for(lambda: next(first.folder.glob("*/metrics.jsonl"), None))
    first.wait_for(lambda: len(lines(log.parent)) >= 10)
    run = int((log.parent / ".owner").read_text().split()[1])
    first.process.kill()
    first.end()
    first.wait_for(lambda: gone(run), running=False)

    other = sweep(*request, "train.steps=2", folder=tmp_path / "two")
    assert other.end() == 0, other.output
    opened = open_study(settings(storage, study_name="s"), tmp_path)
    assert [trial.state.name for trial in opened.study.trials] == ["RUNNING", "COMPLETE", "COMPLETE"]

    again = sweep(*request, f"sweep.resume={first.folder}")
    assert again.end() == 0, again.output
    assert "resumed from" in (log.parent / "run.log").read_text()
    assert [record["step"] for record in lines(log.parent)] == list(range(1, 101))
    assert [trial.state.name for trial in opened.study.trials] == ["COMPLETE"] * 3
    assert json.loads((log.parent / "summary.json").read_text())["status"] == "finished"


def test_one_sweep_alone_proposes_what_its_seed_says(tmp_path):
    taken = []
    for _ in range(2):  # the second goes on with the study of the first, 3 trials later
        _, own = claims(settings(f"{tmp_path}/j", seed=5, n_trials=len(taken) + 3), tmp_path)
        taken += iter(own.take, None)
    space = parse(LR)[0]
    for seed, part in ((5, taken[:3]), (8, taken[3:])):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        assert [study.ask(space).params for _ in range(3)] == [params for _, params in part]


def test_two_sweeps_with_seeds_that_meet_are_no_twins(tmp_path):
    both = [claims(settings(f"{tmp_path}/j", seed=seed), tmp_path)[1] for seed in (1, 0)]
    taken = [value(own.take()) for own in (*both, *both)]
    assert len(set(taken)) == 4


def test_without_a_seed_each_sweep_proposes_something_else(tmp_path):
    pairs = [claims(settings(f"{tmp_path}/{name}", seed=None, n_trials=1), tmp_path)[1].take() for name in "ab"]
    assert value(pairs[0]) != value(pairs[1])


def test_a_trial_that_was_killed_while_it_was_taken_gets_what_is_missing(tmp_path):
    chosen = settings(f"{tmp_path}/j", n_trials=1)
    two = (LR, "loss=hinge,nonsaturating")
    opened, own = claims(chosen, tmp_path, arguments=two)
    half = opened.study.ask(parse(LR)[0])
    number, params = own.complete(opened.study.trials[0])
    assert number == 0 and list(params) == list(parse(*two)[0])
    assert params["optimizer.generator.lr"] == half.params["optimizer.generator.lr"]
    assert opened.study.trials[0].params == params
    assert own.complete(opened.study.trials[0]) == (0, params)
    assert own.take() is None


def test_other_values_of_a_setting_are_refused_and_no_trial_is_left_behind(tmp_path):
    chosen = settings(f"{tmp_path}/j")
    claims(chosen, tmp_path, arguments=["loss=hinge,nonsaturating"])[1].take()
    opened, other = claims(chosen, tmp_path, "two", arguments=["loss=hinge,least_squares"])
    with pytest.raises(ConfigError, match="loss: the study shared has searched other values of it, .*nonsaturating"):
        other.take()
    assert len(opened.study.trials) == 1
    # Numbers may be sought elsewhere: Optuna's samplers allow for it.
    claims(chosen, tmp_path, arguments=["a=interval(0.0,1.0)"])[1].take()
    assert claims(chosen, tmp_path, arguments=["a=interval(2.0,3.0)"])[1].take()[1]["a"] >= 2


def test_trials_that_wait_to_be_run_again_are_taken_beyond_n_trials_by_who_retries(tmp_path):
    chosen = settings(f"{tmp_path}/j", n_trials=1)
    opened, own = claims(chosen, tmp_path)
    assert own.take()[0] == 0
    opened.study.enqueue_trial({"optimizer.generator.lr": 0.5e-3})
    assert own.take() is None
    _, retrying = claims(chosen, tmp_path, retry=True)
    assert retrying.take() == (1, {"optimizer.generator.lr": 0.5e-3})
    assert retrying.take() is None


@pytest.mark.parametrize("storage", STORAGES, indirect=True)
def test_a_sweep_that_stands_still_while_it_takes_a_trial_takes_none_too_many(storage, tmp_path, monkeypatch):
    chosen = settings(storage, n_trials=2)
    opened, slow = claims(chosen, tmp_path)
    _, other = claims(chosen, tmp_path, "two")
    # Its lock was taken for that of a killed sweep: what it has counted is of before the other's trials.
    monkeypatch.setattr(slow, "_alone", nullcontext)
    real = slow._opened.study.ask

    def ask_late():
        assert [other.take()[0], other.take()[0]] == [0, 1] and other.take() is None
        return real()

    monkeypatch.setattr(slow._opened.study, "ask", ask_late)
    monkeypatch.setattr(other, "_alone", nullcontext)
    assert slow.take() is None
    states = [trial.state.name for trial in opened.study.get_trials()]
    assert states == ["RUNNING", "RUNNING", "WAITING"]
    # Nobody runs it, unless the study is to have more: neither who goes on nor who tries what failed again.
    assert other.take() is None and claims(chosen, tmp_path, "three", retry=True)[1].take() is None
    _, more = claims(settings(storage, n_trials=3), tmp_path, "four")
    assert more.take()[0] == 2 and more.take() is None
    assert opened.study.get_trials()[2].user_attrs["sweep"] == "four"


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_pipe_or_a_link_in_the_place_of_a_sweep_s_id_is_replaced(tmp_path, kind):
    from hydra_plugins.gan_framework_optuna.sweeper import OptunaSweeper

    place, sweeper = tmp_path / "sweep" / ".sweep_id", OptunaSweeper()
    place.parent.mkdir()
    (tmp_path / "secret").write_text("precious")
    os.mkfifo(place) if kind == "pipe" else place.symlink_to(tmp_path / "secret")
    sweeper.driver = SimpleNamespace(folder=place.parent)
    known = sweeper._marks()["sweep_id"]
    assert len(known) == 16 and place.read_text() == known and not place.is_symlink()
    assert sweeper._marks()["sweep_id"] == known
    assert (tmp_path / "secret").read_text() == "precious"


def test_a_lock_that_a_killed_sweep_held_is_let_go(tmp_path):
    chosen = settings(f"sqlite:///{tmp_path}/s.db", n_trials=1)
    _, own = claims(chosen, tmp_path)
    place = tmp_path / "s.db.claim"
    hold = f"from filelock import FileLock\nwith FileLock({str(place)!r}): print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Timeout):
            FileLock(place, timeout=0).acquire()
        holder.kill()
    assert own.take()[0] == 0


def test_a_journal_s_lock_that_a_killed_sweep_held_is_let_go_after_a_while(tmp_path, monkeypatch):
    real = optuna.storages.journal.JournalFileSymlinkLock
    monkeypatch.setattr(optuna.storages.journal, "JournalFileSymlinkLock", partial(real, grace_period=3))
    monkeypatch.chdir(tmp_path)
    _, own = claims(settings("shared.journal", n_trials=2), tmp_path)
    assert own.take()[0] == 0
    (tmp_path / "shared.journal.claim.lock").symlink_to(tmp_path / "shared.journal.claim")
    begun = time.monotonic()
    assert own.take()[0] == 1
    assert time.monotonic() - begun > 3
    assert not (tmp_path / "shared.journal.claim.lock").is_symlink()


def test_a_database_that_others_are_making_is_opened_again(tmp_path, monkeypatch):
    import sqlalchemy

    real, tries = optuna.storages.RDBStorage, []

    def busy(*given, **named):
        tries.append(given)
        if len(tries) == 1:
            raise sqlalchemy.exc.IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed: alembic_version"))
        if len(tries) == 2:
            raise sqlalchemy.exc.OperationalError("CREATE", {}, Exception("table studies already exists"))
        return real(*given, **named)

    monkeypatch.setattr(optuna.storages, "RDBStorage", busy)
    monkeypatch.setattr(studies.time, "sleep", lambda seconds: None)
    assert studies._database(f"sqlite:///{tmp_path}/s.db").get_all_studies() == []
    assert len(tries) == 3


@pytest.mark.parametrize(
    ("storage", "why"),
    [
        ("sqlite:////nowhere/at/all/s.db", "the database cannot be used: .*unable to open database file"),
        ("/nowhere/at/all/journal", "hydra.sweeper.storage=/nowhere/at/all/journal: the file cannot be used: No such"),
        ("postgresql+asyncpgx://x/y", "the database cannot be used: .*Can't load plugin"),
    ],
)
def test_a_storage_that_cannot_be_used_is_named(storage, why, tmp_path):
    with pytest.raises(ConfigError, match=why):
        open_study(settings(storage), tmp_path)


def test_a_storage_that_is_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "journal")
    with pytest.raises(ConfigError, match="journal: the file cannot be used: it is not a regular file"):
        open_study(settings(f"{tmp_path}/journal"), tmp_path)


def test_a_driver_that_is_not_installed_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"psycopg.* pip install 'gan-framework\[postgres\]'"):
        open_study(settings("postgresql+psycopg://x/y"), tmp_path)
