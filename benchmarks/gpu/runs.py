"""Short runs of the real program on real images: trained for some seconds, stopped, and their newest grid kept."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gpu.part import Part

RUNS = {
    "dcgan": ("experiment=dcgan", "train.precision=bf16"),
    "sngan": ("experiment=resnet", "train.precision=bf16"),
    "dcgan_graph": ("experiment=dcgan", "train.precision=bf16", "train.cuda_graph=true"),
    "sngan_graph": ("experiment=resnet", "train.precision=bf16", "train.cuda_graph=true"),
}
"""What follows `python run.py`."""

OFTEN = ("train.steps=10000000", "train.log_every=100", "train.sample_every=200", "train.checkpoint_every=0")
SMALL = ("networks.generator.width=8", "networks.discriminator.width=8", "train.batch_size=8")
SMALL_OFTEN = ("train.log_every=1", "train.sample_every=1")


def measure(part: Part) -> None:
    """Train one system; its first line of figures starts the clock."""
    name, data, out = part.arguments
    dry = part.sizes.device == "cpu"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        own = ("data=npz", f"data.path={data}", "data.image_size=32", "data.channels=3", "data.test_share=0")
        command = [
            *(word for word in RUNS[name] if not (dry and "cuda_graph" in word)),
            *own,
            *OFTEN,
            *((*SMALL, *SMALL_OFTEN) if dry else ()),
        ]
        where = ("tracker=[]", "metrics=[]", f"train.device={part.sizes.device}", f"hydra.run.dir={folder}")
        begun = time.monotonic()
        run = subprocess.Popen([sys.executable, "run.py", *command, *where], stderr=subprocess.STDOUT)
        try:
            lines = folder / "metrics.jsonl"
            while run.poll() is None and part.left() > 15 and not (lines.exists() and lines.stat().st_size):
                time.sleep(0.05)
            started = time.monotonic()
            while run.poll() is None and part.left() > 10 and time.monotonic() - started < part.sizes.run_seconds:
                time.sleep(0.05)
            run.send_signal(signal.SIGTERM)
            code = run.wait(max(part.left() - 2, 1))
        finally:
            run.kill()
        summary = json.loads((folder / "summary.json").read_text())
        grids = sorted((folder / "samples").glob("step_*.png"))
        if grids:
            shutil.copyfile(grids[-1], Path(out) / f"{name}.png")
        part.add(
            run=name,
            command=" ".join([*RUNS[name], "data=npz"]),
            code=code,
            status=summary["status"],
            error=summary["error"],
            step=summary.get("step"),
            seconds=summary.get("seconds"),
            images_per_second=summary.get("images_per_second"),
            start_seconds=round(started - begun, 1),
            metrics=summary.get("metrics"),
            warnings=summary.get("warnings"),
            picture=f"{name}.png, step {int(grids[-1].stem[5:])}" if grids else None,
        )
