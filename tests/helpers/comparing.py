"""Run folders with scores of our choosing."""

import json

import yaml
from PIL import Image

PROTOCOL = {"extractor": "classifier", "extractor_hash": "abc", "samples": 100, "metrics": {"fid_classifier": {}}}


def make_run(
    folder,
    loss,
    seed,
    scores,
    status="finished",
    protocol=PROTOCOL,
    steps=10,
    grid=False,
    strategy=None,
    metric="fid_classifier",
    **settings,
):
    """Write a run whose score at each evaluation is given, with further settings of its configuration."""
    folder.mkdir(parents=True)
    config = {
        "seed": seed,
        "loss": {"name": loss},
        "train": {"steps": steps, "resume": "auto", "device": "cpu"},
        "strategy": strategy or {},
        **settings,
        "tracker": {"wandb": {"name": "wandb", "project": "digits", "entity": None, "tags": [f"seed {seed}"]}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    lines = [
        {
            "step": step,
            "images_seen": 64 * step,
            "updates": {"discriminator": step, "generator": step},
            "seconds": float(step),
            "metrics": {"train/generator/adversarial": 1 / step} | ({f"eval/{metric}": score} if score else {}),
        }
        for step, score in zip(range(1, steps + 1), [None] * (steps - len(scores)) + list(scores), strict=True)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    last = {f"eval/{metric}": scores[-1]} if scores else {}
    summary = {
        "status": status,
        "error": None if status == "finished" else "at step 3 the adversarial loss is not finite",
        "step": steps,
        "images_seen": 64 * steps,
        "updates": {"discriminator": steps, "generator": steps},
        "seconds": float(steps),
        "metrics": last,
        "best": {"metric": metric, "step": steps, "value": min(scores)} if scores else None,
        "protocol": protocol,
        "higher_is_better": {metric: False},
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    if grid:
        (folder / "samples").mkdir()
        for step in range(1, 4):
            Image.new("L", (16, 16), 80 * step).save(folder / "samples" / f"step_{step:07d}.png")
    return folder
