"""What real samples and noise score, as a run says it."""

import json
import logging

from gan_framework.config.compose import compose
from gan_framework.runs import checkpoint
from gan_framework.runs.launch import launch

SMALL = [
    "model=mlp",
    "debug=smoke",
    "data.image_size=8",
    "extractor=raw",
    "metrics=[fid,kid]",
    "tracker=[]",
    "train.steps=4",
    "evaluate.every=2",
]


def run(folder, *overrides):
    launch(compose([*SMALL, *overrides]), folder, [])
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return json.loads((folder / "summary.json").read_text()), [(line["step"], line["metrics"]) for line in lines]


def test_they_stand_beside_the_first_scores_and_in_the_summary_and_change_nothing(tmp_path, cache, caplog):
    caplog.set_level(logging.INFO)
    summary, lines = run(tmp_path / "with")
    said = [record.getMessage() for record in caplog.records]
    first, second = (text for text in said if "fid_raw" in text and text.startswith("step "))
    baseline = summary["baselines"]["fid_raw"]
    assert baseline["real"] < summary["metrics"]["eval/fid_raw"]
    assert first.startswith("step 2: fid_raw ") and "(real held-out " in first and ", noise " in first
    assert second.startswith("step 4: fid_raw ") and "noise" not in second
    (told,) = (text for text in said if text.startswith("compared with "))
    assert baseline["samples"] in told
    assert summary["baselines"].keys() == {"fid_raw", "kid_raw", "kid_std_raw"}

    without, same = run(tmp_path / "without", "evaluate.baselines=false")
    assert without["baselines"] is None
    assert same == lines
    assert without["best"] == summary["best"]


def test_a_resumed_run_still_knows_them(tmp_path, cache, caplog):
    summary, _ = run(tmp_path)
    assert checkpoint.load(tmp_path / "checkpoints" / "last.pt")["baselines"] == summary["baselines"]
    caplog.set_level(logging.INFO)
    caplog.clear()
    again, _ = run(tmp_path)  # it is finished, and nothing is scored
    assert again["baselines"] == summary["baselines"]
    assert not any("compared with" in record.getMessage() for record in caplog.records)
