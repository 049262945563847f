"""The search: what it proposes, what the study is told, and how it goes on; jobs are done by a fake launcher here."""

import json
import math

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext
from omegaconf import OmegaConf

import gan_framework.config.schema  # noqa: F401
from gan_framework.cli.train import config_folder
from gan_framework.errors import ConfigError, RunFailed, RunStopped
from gan_framework.sweeps.study import open_study, pruner_of, split

optuna = pytest.importorskip("optuna", reason="needs the extra [optuna]")

LR = "optimizer.generator.lr=tag(log,interval(1e-5,1e-1))"


def settings(config):
    return dict(override.partition("=")[::2] for override in config)


class Launcher:
    """Does jobs by a formula: `objective(settings)` returns a score, an error, or "pruned"."""

    def __init__(self, folder, objective):
        self.folder, self.objective, self.done = folder, objective, []

    def setup(self, **named):
        pass

    def launch(self, job_overrides, initial_job_idx):
        return [self.job(overrides) for overrides in job_overrides]

    def job(self, overrides):
        self.done.append(settings(overrides))
        outcome = self.objective(settings(overrides))
        folder = self.folder / f"run{len(self.done)}"
        folder.mkdir()
        result = JobReturn(overrides=overrides)
        result.hydra_cfg = OmegaConf.create({"hydra": {"runtime": {"output_dir": str(folder)}}})
        failed = isinstance(outcome, Exception)
        result.status = JobStatus.FAILED if failed else JobStatus.COMPLETED
        result._return_value = outcome
        if failed:
            return result
        scores = outcome if isinstance(outcome, dict) else {"fid_classifier": outcome}
        summary = {
            "status": "stopped" if outcome == "pruned" else "finished",
            "best": {
                "metric": "fid_classifier",
                "value": scores.get("fid_classifier"),
                "step": 1,
                "higher_is_better": False,
            },
            "metrics": {f"eval/{name}": value for name, value in scores.items()},
            "protocol": {"samples": settings(overrides).get("evaluate.samples"), "metrics": {}},
        }
        (folder / "summary.json").write_text(json.dumps(summary))
        return result


@pytest.fixture
def search(tmp_path, monkeypatch):
    """Search with an objective; returns the launcher and the study."""

    def run(objective, *overrides, arguments=(LR,), folder="search", composed=False):
        launcher = Launcher(tmp_path, objective)
        launcher.folder = tmp_path / f"runs{len(list(tmp_path.iterdir()))}"
        launcher.folder.mkdir()
        monkeypatch.setattr(Plugins.instance(), "instantiate_launcher", lambda **named: launcher)
        given = ["hydra/sweeper=optuna", f"hydra.sweep.dir={tmp_path / folder}", *overrides]
        if not any(override.startswith("hydra.sweeper.storage=") for override in overrides):
            given.append(f"hydra.sweeper.storage={tmp_path / folder}.journal")  # quicker than SQLite
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            config = compose("config", overrides=given, return_hydra_config=True)
            context = HydraContext(config_loader=GlobalHydra.instance().config_loader(), callbacks=None)
            sweeper = Plugins.instance().instantiate_sweeper(hydra_context=context, task_function=None, config=config)
            if not composed:  # it takes longer than all the rest
                sweeper.validate_batch_is_legal = lambda batch: None
            try:
                sweeper.sweep(list(arguments))
            finally:
                if (tmp_path / folder).exists():
                    launcher.study = open_study(config.hydra.sweeper, tmp_path / folder).study
        return launcher

    return run


def states(launcher):
    return [trial.state.name for trial in launcher.study.trials]


def distance(settings):
    """Best at a learning rate of 1e-3."""
    return abs(math.log10(float(settings["optimizer.generator.lr"])) + 3)


def parse(*overrides):
    return split(OverridesParser.create().parse_overrides(list(overrides)))


def test_a_space_is_written_like_any_sweep():
    space, fixed = parse(
        "model=mlp", "a=interval(0.0,1.0)", "b=int(interval(1,4))", LR, "c=range(1,6)", "d=range(0.0,1.0,0.25)",
        "s=[],[ema],[ema,k_step]", "e=choice(x,y)",
    )  # fmt: skip
    assert fixed == ["model=mlp"]
    assert space == {
        "a": optuna.distributions.FloatDistribution(0.0, 1.0),
        "b": optuna.distributions.IntDistribution(1, 4),
        "optimizer.generator.lr": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True),
        "c": optuna.distributions.IntDistribution(1, 5),
        "d": optuna.distributions.FloatDistribution(0.0, 0.75, step=0.25),
        "s": optuna.distributions.CategoricalDistribution(("[]", "[ema]", "[ema,k_step]")),
        "e": optuna.distributions.CategoricalDistribution(("x", "y")),
    }
    with pytest.raises(ConfigError, match="nothing to search"):
        parse("model=mlp")


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes"])
def test_each_sampler_searches_and_tpe_finds_the_best_region(search, sampler):
    found = search(distance, "hydra.sweeper.n_trials=25", f"hydra.sweeper.sampler={sampler}")
    assert states(found) == ["COMPLETE"] * 25
    assert len(found.done) == 25
    tried = {float(job["optimizer.generator.lr"]) for job in found.done}
    assert len(tried) == 25 and all(1e-5 <= lr <= 1e-1 for lr in tried)
    assert [job["sweep.trial"] for job in found.done] == [str(number) for number in range(25)]
    if sampler == "tpe":
        assert found.study.best_value < 0.2
        assert sum(map(distance, found.done[15:])) < sum(map(distance, found.done[:10]))


def test_several_objectives_have_a_front(search):
    def objective(settings):
        x = math.log10(float(settings["optimizer.generator.lr"]))
        return {"fid_classifier": (x + 4) ** 2, "is_classifier": -((x + 2) ** 2)}

    found = search(
        objective,
        "hydra.sweeper.n_trials=20",
        "hydra.sweeper.n_jobs=5",
        "hydra.sweeper.sampler=nsga2",
        "hydra.sweeper.objectives={fid_classifier: minimize, is_classifier: maximize}",
    )
    front = found.study.best_trials
    assert len(front) > 1
    # What lies between the two optima is on the front, and nothing else.
    assert all(1e-4 * 0.5 <= trial.params["optimizer.generator.lr"] <= 1e-2 * 2 for trial in front)


@pytest.mark.parametrize("storage", ["null", "sqlite:///{}/s.db", "{}/journal.log"])
def test_the_same_command_tops_a_study_up_and_proposes_other_settings(search, tmp_path, storage):
    given = [f"hydra.sweeper.storage={storage.format(tmp_path)}", "hydra.sweeper.sampler=random"]
    first = search(distance, "hydra.sweeper.n_trials=3", *given)
    second = search(distance, "hydra.sweeper.n_trials=5", *given)
    assert (len(first.done), len(second.done)) == (3, 2)
    assert states(second) == ["COMPLETE"] * 5
    assert len({trial.params["optimizer.generator.lr"] for trial in second.study.trials}) == 5
    assert search(distance, "hydra.sweeper.n_trials=5", *given).done == []


def test_two_sweeps_share_a_study(search, tmp_path):
    given = [f"hydra.sweeper.storage=sqlite:///{tmp_path}/s.db", "hydra.sweeper.study_name=shared"]
    search(distance, "hydra.sweeper.n_trials=3", *given, folder="one")
    other = search(distance, "hydra.sweeper.n_trials=5", *given, folder="two")
    assert len(other.done) == 2
    assert len({trial.user_attrs["sweep"] for trial in other.study.trials}) == 2


@pytest.mark.slow
def test_a_search_over_how_runs_are_scored_is_warned_of(search, caplog):
    """The FID of few samples is greater than that of many, whatever the model."""
    search(distance, "hydra.sweeper.n_trials=2", arguments=(LR, "evaluate.samples=100"))
    assert "measured otherwise" not in caplog.text
    found = search(lambda _: 1.0, "hydra.sweeper.n_trials=8", arguments=("evaluate.samples=100,200",), folder="other")
    assert len({job["evaluate.samples"] for job in found.done}) == 2
    assert caplog.text.count("were measured otherwise than those before it (samples), and do not compare") == 1


def test_a_study_that_goes_on_with_other_settings_says_so(search, caplog):
    search(distance, "hydra.sweeper.n_trials=1", arguments=(LR, "model=mlp"))
    search(distance, "hydra.sweeper.n_trials=2", arguments=(LR, "model=mlp", "tracker=[]", "train.device=cpu"))
    assert "was begun with" not in caplog.text
    search(distance, "hydra.sweeper.n_trials=3", arguments=(LR, "model=dcgan", "tracker=[]"))
    assert "search was begun with [model=mlp], and this sweep sets [model=dcgan]" in caplog.text


def test_failed_trials_are_recorded_and_retried_only_if_asked(search):
    def objective(settings):
        return RunFailed("out of memory") if float(settings["optimizer.generator.lr"]) > 1e-3 else 1.0

    with pytest.raises(RunFailed, match="of 6 runs failed"):
        search(objective, "hydra.sweeper.n_trials=6", "hydra.sweeper.sampler=random")
    again = search(distance, "hydra.sweeper.n_trials=6")
    failed = [trial for trial in again.study.trials if trial.state.name == "FAIL"]
    assert failed and {trial.user_attrs["error"] for trial in failed} == {"out of memory"}
    assert again.done == []
    retried = search(distance, "hydra.sweeper.n_trials=6", "sweep.retry_failed=true")
    assert [float(job["optimizer.generator.lr"]) for job in retried.done] == [
        trial.params["optimizer.generator.lr"] for trial in failed
    ]


def test_only_what_still_fails_is_retried_again(search):
    def failing(*names):
        return lambda settings: RunFailed("no folder") if settings["loss"] in names else 1.0

    given = ["hydra.sweeper.n_trials=8", "hydra.sweeper.sampler=random"]
    space = {"arguments": ["loss=nonsaturating,hinge"]}
    with pytest.raises(RunFailed):
        search(failing("hinge", "nonsaturating"), *given, **space)
    with pytest.raises(RunFailed):
        search(failing("hinge"), *given, "sweep.retry_failed=true", **space)
    once_more = search(failing(), *given, "sweep.retry_failed=true", **space)
    assert [job["loss"] for job in once_more.done] == ["hinge"]
    assert search(failing(), *given, "sweep.retry_failed=true", **space).done == []
    assert "WAITING" not in states(once_more)


def test_interrupted_trials_go_on_under_their_numbers(search):
    def interrupted(settings):
        return RunStopped("stopped by SIGTERM") if settings["sweep.trial"] == "1" else 1.0

    with pytest.raises(RunStopped):
        search(interrupted, "hydra.sweeper.n_trials=3")
    resumed = search(distance, "hydra.sweeper.n_trials=3")
    assert [job["sweep.trial"] for job in resumed.done] == ["1"]
    assert states(resumed) == ["COMPLETE"] * 3
    trial = resumed.study.trials[1]
    assert trial.value == distance({key: str(value) for key, value in trial.params.items()})


def test_a_namesake_on_another_machine_leaves_trials_alone_that_are_not_its_own(search, tmp_path):
    def interrupted(settings):
        return RunStopped("stopped by SIGTERM") if settings["sweep.trial"] == "1" else 1.0

    with pytest.raises(RunStopped):
        search(interrupted, "hydra.sweeper.n_trials=2")
    (tmp_path / "search" / ".sweep_id").unlink()  # the same path, on another disk
    other = search(distance, "hydra.sweeper.n_trials=3")
    assert [job["sweep.trial"] for job in other.done] == ["2"]
    assert states(other) == ["COMPLETE", "RUNNING", "COMPLETE"]


def test_trials_of_earlier_versions_are_known_by_their_folder_and_those_of_others_are_left_to_them(search, tmp_path):
    sweeper = OmegaConf.load(config_folder() / "hydra" / "sweeper" / "optuna.yaml")
    sweeper.storage = f"{tmp_path}/search.journal"
    study = open_study(sweeper, tmp_path / "search").study
    for folder in ("search", "elsewhere"):
        study.ask(parse(LR)[0]).set_user_attr("sweep", str((tmp_path / folder).resolve()))
    found = search(distance, "hydra.sweeper.n_trials=2")
    assert [job["sweep.trial"] for job in found.done] == ["0"]
    assert states(found) == ["COMPLETE", "RUNNING"]


def test_a_sweep_to_which_others_leave_nothing_ends_well(search, tmp_path):
    sweeper = OmegaConf.load(config_folder() / "hydra" / "sweeper" / "optuna.yaml")
    sweeper.storage = f"{tmp_path}/search.journal"
    open_study(sweeper, tmp_path / "search").study.ask(parse(LR)[0])
    found = search(distance, "hydra.sweeper.n_trials=1")
    assert found.done == [] and states(found) == ["RUNNING"]


def test_equal_proposals_are_one_run(search):
    found = search(
        lambda settings: 1.0,
        "hydra.sweeper.n_trials=8",
        "hydra.sweeper.n_jobs=8",
        "hydra.sweeper.sampler=random",
        arguments=["loss=nonsaturating,hinge"],
    )
    assert sorted(job["loss"] for job in found.done) == ["hinge", "nonsaturating"]
    assert states(found) == ["COMPLETE"] * 8


def test_pruned_trials_are_told_so(search):
    found = search(lambda settings: "pruned" if settings["sweep.trial"] == "2" else 1.0, "hydra.sweeper.n_trials=3")
    assert states(found) == ["COMPLETE", "COMPLETE", "PRUNED"]


@pytest.mark.parametrize(
    ("overrides", "arguments", "why"),
    [
        (["hydra.sweeper.sampler=grid"], [LR], "hydra.sweeper.sampler=grid: choose one of tpe, random"),
        (["hydra.sweeper.pruner=median"], [LR], "evaluate.every=N"),
        (["hydra.sweeper.n_jobs=0"], [LR], "hydra.sweeper.n_jobs=0 must be a whole number, 1 or more"),
        (["metrics=[]"], [LR], "metrics=\\[\\] gives none"),
        (["hydra.sweeper.n_trials=x"], [LR], "hydra.sweeper.n_trials=x must be a whole number"),
        (["hydra.sweeper.direction=maximize"], [LR], "ranked by fid_classifier, which asks for minimize"),
        (
            ["hydra.sweeper.objectives={fid: minimize, kid: minimize}"],
            [LR],
            "there are fid_classifier",
        ),
        ([], ["model=mlp"], "nothing to search"),
        ([], ["optimizer.generator.lr=interval(1.0,0.0)"], "interval"),
        (["hydra.sweeper.storage=nothing://x"], [LR], "storage|dialect|database"),
    ],
)
def test_wrong_requests_are_explained(search, overrides, arguments, why):
    with pytest.raises(ConfigError, match=why):
        search(distance, *overrides, arguments=arguments)


def test_a_choice_that_does_not_exist_is_found_before_any_run(search):
    from hydra.errors import MissingConfigException

    done = []
    with pytest.raises(MissingConfigException, match="no_such_loss"):
        search(done.append, arguments=["loss=nonsaturating,no_such_loss"], composed=True)
    assert done == []


@pytest.mark.parametrize("name", ["dcgan", "wgan_gp", "strategies"])
def test_every_proposal_of_the_search_spaces_composes(search, name):
    found = search(lambda settings: 1.0, f"search={name}", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=3",
                   "hydra.sweeper.sampler=random", arguments=[f"search={name}"], composed=True)  # fmt: skip
    assert states(found) == ["COMPLETE"] * 3


def test_the_median_pruner_stops_what_is_worse_than_the_others(tmp_path):
    sweeper = OmegaConf.load(config_folder() / "hydra" / "sweeper" / "optuna.yaml")
    sweeper.pruner, sweeper.pruners.median.n_startup_trials = "median", 2
    opened = open_study(sweeper, tmp_path)
    for scores in ([5.0, 3.0], [4.0, 2.0]):
        number = opened.study.ask().number
        prune = pruner_of(sweeper, tmp_path, number)
        assert [prune(step, score) for step, score in zip((10, 20), scores, strict=True)] == [False, False]
        opened.study.tell(number, scores[-1])
    worse, better = (pruner_of(sweeper, tmp_path, opened.study.ask().number) for _ in range(2))
    assert worse(10, 4.6)  # the median of 5 and 4 is 4.5
    assert not better(10, 4.4)
    assert not better(15, math.nan)
    assert opened.study.trials[3].intermediate_values == {10: 4.4}


def test_settings_that_do_not_go_together_fail_their_trial_only(search):
    space = ["loss=wasserstein_gp,hinge", "terms.gradient_penalty.weight=1.0,1.0"]
    with pytest.raises(RunFailed, match="1 of 2 runs failed"):
        search(
            lambda settings: 1.0,
            "hydra.sweeper.n_trials=8",
            "hydra.sweeper.n_jobs=8",
            "hydra.sweeper.sampler=random",
            arguments=space,
            composed=True,
        )
    failed = [trial for trial in search(distance, "hydra.sweeper.n_trials=8").study.trials if trial.value is None]
    assert {trial.params["loss"] for trial in failed} == {"hinge"}
    assert all("gradient_penalty" in trial.user_attrs["error"] for trial in failed)
