"""A discriminator of few images, with and without what is to keep it from knowing them by heart."""

from __future__ import annotations

import os
from pathlib import Path

from evidence.job import ROOT

DATA = Path(os.environ.get("SMALL_DATA", ROOT / "outputs" / "small_data"))
"""Holds `few.npz` (the training images), `held_out.npz`, and `features.npz`, of which the scores' features are."""

STEPS = 1600
LOOKS = tuple(range(200, STEPS + 1, 200))
"""The steps at which the discriminator is asked about training images and held-out ones."""

SETTING = (
    *("model=dcgan", "data=npz", f"data.path={DATA / 'few.npz'}", f"data.test_path={DATA / 'held_out.npz'}"),
    *("data.image_size=16", "networks.generator.width=32", "networks.discriminator.width=32"),
    *("networks.discriminator.norm=layer", f"train.steps={STEPS}", "train.batch_size=32", "train.threads=1"),
    *(f"train.checkpoint_every={LOOKS[0]}", f"train.keep={len(LOOKS)}", "train.log_every=200", "train.sample_every=0"),
    *("metrics=[]", "tracker=[]"),
)

ROWS: dict[str, tuple[str, ...]] = {
    "none": (),
    "diff_augment": ("strategy=[diff_augment]",),
    "ada": ("strategy=[ada]", "strategy.ada.images=100000"),
    "instance_noise": ("strategy=[instance_noise]",),
    "apa": ("strategy=[apa]", "strategy.apa.images=100000"),
    "consistency": ("term=[consistency]", "terms.consistency.fake=1"),
    "lecam": ("term=[lecam]", "terms.lecam.start=200"),
}
CONTROL = "none"

QUALITY = ("fid_classifier", "kid_classifier")
SIDES = ("train", "held_out")
SCORES = (*QUALITY, *(f"{side}_{step}" for side in SIDES for step in LOOKS))


def measure(run: Path) -> dict[str, float]:
    """Return the shares of training and held-out images that D takes for real, look by look, and the last scores.

    The scores compare samples with the held-out images, by the features of a classifier of many more images.
    """
    from gan_framework.cli.evaluate import evaluate
    from gan_framework.storage.layout import RunFolder

    evaluation, _ = evaluate(
        run,
        [
            *(f"data.path={DATA / 'features.npz'}", "extractor=classifier", "metrics=[fid,kid]"),
            *("metrics.kid.subsets=20", "evaluate.split=test", "evaluate.samples=2000", "evaluate.baselines=false"),
        ],
    )
    found = {score: evaluation.scores[score] for score in QUALITY}
    for path in sorted(RunFolder(run).checkpoints.glob("step_*.pt")):
        found |= accuracies(path)
    return {name: value for name, value in found.items() if name in SCORES}


def accuracies(checkpoint: Path) -> dict[str, float]:
    """Return the shares of training and of held-out images that a checkpoint's D takes for real."""
    import torch

    from gan_framework.data import build_source, encoded
    from gan_framework.runs.restore import load_game

    game, config = load_game(checkpoint)
    game.networks.eval()
    source = build_source(config["data"])
    step = int(checkpoint.stem.rpartition("_")[2])
    found = {}
    for side, split in zip(SIDES, ("train", "test"), strict=True):
        images = source.load(split)
        with torch.no_grad():
            logits = game.networks["discriminator"](encoded(images.read(torch.arange(len(images))), 0), None).logits
        found[f"{side}_{step}"] = float((logits > 0).float().mean())
    return found
