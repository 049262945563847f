"""A line for each score of an experiment that ranks, and a row of its first one."""

import csv
import json

import experiments
from evidence.experiments_page import page
from evidence.job import Outcome
from PIL import Image

from docs.sitepages.gallery import made_by

FOUND = {
    "on": "one CPU thread",
    "of": 2000,
    "trained": {"fid_raw": 12.5, "is_std_raw": 0.5, "is_raw": 3.0},
    "untrained": {"fid_raw": 1250.0, "is_std_raw": 0.1, "is_raw": 1.0},
    "baselines": {"fid_raw": (0.25, 400.0)},
    "higher_is_better": {"fid_raw": False, "is_raw": True},
}


def run(folder, found=FOUND, status="stopped"):
    folder.mkdir(exist_ok=True)
    (folder / "summary.json").write_text(json.dumps({"step": 300}))
    return Outcome(status, found, 20.0, folder, "what it printed")


def test_scores_that_rank_have_lines_and_the_first_one_a_row(tmp_path):
    record = tmp_path / "docs" / "experiments.csv"
    for seed, fid in enumerate((12.5, 13.5)):
        found = {**FOUND, "trained": {**FOUND["trained"], "fid_raw": fid}}
        experiments.take(record, None, "mlp", seed, 20.0, run(tmp_path / "run", found))
    experiments.take(record, None, "autoencoder", 0, 20.0, run(tmp_path / "run", {"on": "one CPU thread", "of": 700}))
    lines = [*csv.DictReader(record.open())]
    assert [(line["run"], line["seed"], line["score"]) for line in lines] == [
        *(("mlp", seed, score) for seed in "01" for score in ("fid_raw", "is_raw")),
        ("autoencoder", "0", ""),
    ]
    text = page(experiments.read(record))
    assert "| `mlp` | 300 | 2,000 | fid_raw ↓ | 1.25e+03 ± 0 | 13 ± 0.71 | 0.25 ± 0 | 400 ± 0 | 2 |" in text
    assert "| `autoencoder` | 300 | 700 |  |" in text and "stopped after 20 s, its start included" in text
    planned = experiments.jobs(record, range(2), ["mlp", "autoencoder"], 20.0, None)
    assert [job.name for job in planned] == ["autoencoder, seed 1"] and planned[0].train_for == 20.0


def test_a_run_that_failed_has_no_line_and_is_named(tmp_path, capsys):
    experiments.take(tmp_path / "record.csv", None, "mlp", 0, 20.0, run(tmp_path / "run", {}, "failed"))
    assert not (tmp_path / "record.csv").exists()
    assert "mlp, seed 0: failed, without scores\nwhat it printed" in capsys.readouterr().out


def test_what_has_no_picture_in_the_gallery_gets_one(tmp_path):
    folder, gallery = tmp_path / "run", tmp_path / "gallery"
    for colour in (0, 255):
        outcome = run(folder)
        Image.new("L", (8, 8), colour).save(folder / experiments.DRAWN)
        experiments.take(tmp_path / "record.csv", gallery, "mlp", colour, 20.0, outcome)
    with Image.open(gallery / "mlp.png") as kept:
        assert kept.getpixel((0, 0)) == 0
    record = json.loads((gallery / "gallery.json").read_text())["mlp"]
    assert record["command"] == "python run.py experiment=mlp" and record["scores"] == FOUND["trained"]
    assert made_by(record).startswith("300 steps of 2,000, less than a minute, one CPU thread. fid_raw 12.5")
