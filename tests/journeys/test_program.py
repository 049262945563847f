"""The real program in a process of its own: what it leaves behind, and how it ends."""

import json
import sys

import pytest
import yaml
from PIL import Image

from gan_framework.cli.train import train
from gan_framework.runs.checkpoint import load

TINY = ["model=mlp", "debug=smoke", "extractor.epochs=1"]


@pytest.fixture(scope="module")
def folder(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    program(*TINY, "tracker=[wandb]", f"hydra.run.dir={folder}", "train.sample_every=2", cwd=folder, check=0)
    return folder


def test_the_folder_holds_what_the_interface_promises(folder):
    assert (folder / "run.log").stat().st_size > 0
    assert Image.open(folder / "samples" / "step_0000002.png").size == (8 * 34 + 2, 2 * 34 + 2)
    assert {p.name for p in (folder / "checkpoints").iterdir()} == {
        "step_0000001.pt", "step_0000002.pt", "last.pt", "best.pt",
    }  # fmt: skip
    assert list((folder / "wandb").glob("offline-run-*/run-*.wandb"))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["networks"]["generator"]["image_size"] == 32
    assert config == load(folder / "checkpoints" / "last.pt")["config"]


def test_the_log_says_what_the_run_is_and_what_came_of_it(folder):
    said = [line.partition("[INFO] - ")[2] for line in (folder / "run.log").read_text().splitlines()]
    for beginning in (
        "data: 1,442 training samples of digits",
        "networks: generator ",
        "plan: 2 steps ",
        "finished 2 ",
    ):
        assert any(line.startswith(beginning) for line in said), (beginning, said)
    # Only what W&B says at its own end, which keeps the log until here, may follow.
    last = f"run folder: {folder}; next: gan-framework sample {folder}, gan-framework evaluate {folder}"
    assert last in said
    assert all(line.startswith("W&B") for line in said[said.index(last) + 1 :])


def test_each_metric_line_has_every_axis(folder):
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [1, 2]
    assert [record["images_seen"] for record in records] == [8, 16]
    assert records[-1]["updates"] == {"discriminator": 2, "generator": 2}
    assert records[0]["seconds"] < records[1]["seconds"]
    assert {"train/generator/adversarial", "health/d_real", "eval/fid_classifier"} <= records[1]["metrics"].keys()


def test_the_summary_has_scores_with_their_protocol(folder):
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "finished"
    assert summary["error"] is None
    assert (summary["step"], summary["images_seen"], summary["seed"]) == (2, 16, 0)
    assert summary["overrides"][:2] == ["model=mlp", "debug=smoke"]
    assert summary["best"]["metric"] == "fid_classifier"
    assert summary["best"]["value"] == summary["metrics"]["eval/fid_classifier"]
    assert summary["protocol"]["extractor"] == "classifier"
    assert summary["protocol"]["samples"] == 64
    assert "torch" in summary["versions"]


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["model=nothing"], "nothing"),
        (["train.stepz=3"], "stepz"),
        (["train.steps=many"], "many"),
        (["train.steps=0"], "train.steps=0"),
        (["loss.name=nonsaturatin"], "nonsaturating (gan-framework)"),
        (["networks.generator.width=0"], "width=0"),
        (["strategy=[one_sided_label_smoothing]", "loss=wasserstein"], "one_sided_label_smoothing has no effect"),
        (["data.image_size=4"], "image_size=4"),
        (["train.device=cuda:99"], "train.device=cuda:99"),
        (["evaluate.best=fid_inception"], "evaluate.best=fid_inception"),
        (["train.batch_size=100000"], "train.batch_size=100000"),
    ],
)
def test_a_wrong_request_ends_with_code_2_and_one_line(cache, tmp_path, monkeypatch, capsys, overrides, reason):
    command = ["run.py", "debug=smoke", "extractor.epochs=1", f"hydra.run.dir={tmp_path}", *overrides]
    monkeypatch.setattr(sys, "argv", command)
    assert train() == 2
    output = capsys.readouterr()
    assert "Traceback" not in output.out + output.err
    assert reason in output.err.strip().splitlines()[-1]


def test_a_failing_run_ends_with_code_1_and_says_so(program, tmp_path):
    done = program(*TINY, f"hydra.run.dir={tmp_path}", "optimizer.discriminator.lr=1e38", "train.steps=20")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "is not finite" in last and "at step" in last and "Traceback" not in done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["status"] == "failed"
    assert summary["error"] in last


def test_a_sweep_runs_every_combination_in_a_folder_of_its_own(program, tmp_path):
    program("-m", *TINY, f"hydra.sweep.dir={tmp_path}", "loss=nonsaturating,wasserstein", "seed=0,1", check=0)
    summaries = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*/summary.json"))]
    assert [s["status"] for s in summaries] == ["finished"] * 4
    assert [s["seed"] for s in summaries] == [0, 1, 0, 1]
    assert len({json.dumps(s["metrics"]) for s in summaries}) == 4
