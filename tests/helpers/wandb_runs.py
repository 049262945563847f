"""Plays runs with a W&B tracker and reads the record back."""

import logging
from pathlib import Path

from omegaconf import OmegaConf
from PIL import Image

from gan_framework.runs.tracker import RunInfo
from gan_framework.runs.tracking import build_trackers
from gan_framework.wandb_io.offline import read_entries

KEY = "0123456789abcdef0123456789abcdef01234567"
SETTINGS = Path(__file__).parents[2] / "conf" / "tracker" / "wandb.yaml"
CONFIG = {
    "seed": 3,
    "loss": {"name": "nonsaturating"},
    "networks": {"generator": {"name": "dcgan", "width": 32}},
    "strategy": {"k_step": {"name": "k_step", "k": 2}, "ema": {"name": "ema", "decay": 0.999}},
    "metrics": {},
}
SUMMARY = {
    "status": "finished",
    "step": 20,
    "seconds": 99.5,
    "metrics": {"eval/fid_classifier": 9.0},
    "best": {"metric": "fid_classifier", "step": 10, "value": 7.5},
    "protocol": {"fid_classifier": {"samples": 1000}},
    "overrides": ["loss=nonsaturating"],
}


def settings(**changed):
    return {**OmegaConf.to_container(OmegaConf.load(SETTINGS), resolve=True), **changed}


def record(step):
    return {
        "step": step,
        "images_seen": 64 * step,
        "updates": {"discriminator": 2 * step, "generator": step},
        "seconds": 0.5 * step,
        "metrics": {"train/generator/adversarial": 1.0 / (step + 1), "health/diversity": 0.5},
    }


def play(folder, steps=(0, 10, 20), config=CONFIG, summary=SUMMARY, run=None, **changed):
    """Do what a training run does with its trackers."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    for name, weights in (("last", b"weights"), ("best", b"better weights"), ("step_0000020", b"weights")):
        (folder / "checkpoints" / f"{name}.pt").write_bytes(weights)
    grid = folder / "grid.png"
    Image.new("RGB", (8, 4), "red").save(grid)
    trackers = build_trackers({"wandb": settings(**changed)})
    trackers.start(RunInfo(folder, config, **(run or {})))
    for step in steps[:-1]:
        trackers.log(record(step))
    trackers.image("samples", grid, record(steps[-1]))
    trackers.log(record(steps[-1]))
    trackers.log({**record(steps[-1]), "metrics": {"eval/fid_classifier": 9.0}})
    trackers.finish(summary)


def read_back(folder):
    """Return the records of the newest W&B record in a run folder, by type."""
    return read_entries(max(folder.glob("wandb/*run-*/*.wandb"), key=lambda path: path.stat().st_mtime))


def history(found):
    return [{k: v for k, v in row["item"].items() if not k.startswith("_")} for row in found["history"]]


def said(caplog, level=logging.INFO):
    """Return what the framework logged; W&B's own log goes to a file."""
    ours = (entry for entry in caplog.records if entry.name.startswith("gan_"))
    return [entry.getMessage() for entry in ours if entry.levelno >= level]


def warnings(caplog):
    return said(caplog, logging.WARNING)
