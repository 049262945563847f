"""What a sweep says at its end."""

import json
import shlex

from hydra.core.utils import JobReturn
from omegaconf import OmegaConf

from gan_framework.sweeps.ending import command, ranking


def job(folder, value, metric="fid_raw", higher_is_better=False, protocol=None):
    folder.mkdir()
    best = {"metric": metric, "step": 1200, "value": value, "higher_is_better": higher_is_better}
    summary = {"best": None if value is None else best, "protocol": protocol}
    (folder / "summary.json").write_text(json.dumps(summary))
    return JobReturn(hydra_cfg=OmegaConf.create({"hydra": {"runtime": {"output_dir": str(folder)}}}))


def test_the_three_best_runs_are_named_in_order(tmp_path):
    values = {"a": 5.0, "b": 1.25, "c": None, "d": 3.0, "e": 4.0}
    jobs = [job(tmp_path / name, value) for name, value in values.items()]
    first, *rest = ranking([*jobs, JobReturn()])
    assert first == "best of 4 runs by fid_raw, each at its best step:"
    assert [" ".join(line.split()) for line in rest] == [
        "1. 1.250 b (step 1,200)", "2. 3 d (step 1,200)", "3. 4 e (step 1,200)",
    ]  # fmt: skip


def test_higher_may_be_better_and_unlike_scores_are_not_ranked(tmp_path):
    jobs = [job(tmp_path / str(value), value, "is_raw", True) for value in (1.0, 2.0)]
    assert [line.split()[1] for line in ranking(jobs)][1:] == ["2", "1"]
    assert [*ranking([*jobs, job(tmp_path / "other", 3.0)])] == []
    assert [*ranking(jobs[:1])] == []


def test_scores_that_were_measured_in_different_ways_are_not_ranked(tmp_path):
    """The FID of twenty samples is not to be compared with that of two hundred."""
    protocols = [{"dataset": "digits", "samples": count, "metrics": {"fid_raw": {}}} for count in (20, 200, 20)]
    jobs = [job(tmp_path / str(i), 1.0 + i, protocol=protocol) for i, protocol in enumerate(protocols)]
    assert [*ranking(jobs)] == ["fid_raw was measured in different ways (samples): the 3 runs are not ranked"]
    assert len([*ranking([jobs[0], jobs[2]])]) == 3


def test_the_command_that_goes_on_is_whole_and_can_be_pasted(tmp_path, monkeypatch):
    typed = ["run.py", "-m", "strategy=[],[ema]", "seed=0,1", "sweep.resume=old", "sweep.retry_failed=false"]
    said = command(typed, tmp_path / "a b", "sweep.retry_failed=true")
    assert shlex.split(said) == [
        "python", "run.py", "-m", "strategy=[],[ema]", "seed=0,1", f"sweep.resume={tmp_path / 'a b'}",
        "sweep.retry_failed=true",
    ]  # fmt: skip
    assert "'strategy=[],[ema]'" in said
    assert (
        command(["gan-framework train", "-m", "hydra.sweep.dir=x"], "x") == "gan-framework train -m hydra.sweep.dir=x"
    )
    monkeypatch.setenv("WANDB_API_KEY", "5ecret-5ecret")
    assert "5ecret" not in command(["run.py", "tracker.wandb.notes=5ecret-5ecret"], tmp_path)
