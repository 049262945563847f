"""Draws digits.png: real digits beside those of a finished run. `python docs/figures/digits.py RUN`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from torchvision.utils import make_grid

from gan_framework.data import build_source
from gan_framework.evaluation.latents import fixed_latent, load_game
from gan_framework.storage.images import to_uint8

COUNT = 64


def main(run: Path) -> None:
    """Draw the two grids with a title over each."""
    game, config = load_game(run)
    real = build_source(config["data"]).load("train").read(torch.arange(COUNT))
    made = to_uint8(game.sample(fixed_latent(game, COUNT, config["seed"])))
    figure, places = plt.subplots(1, 2, figsize=(8, 4.3), dpi=90)
    for place, title, images in zip(places, ("real", "generated"), (real, made), strict=True):
        place.imshow(make_grid(images, nrow=8, padding=2, pad_value=128).permute(1, 2, 0))
        place.set_title(title)
        place.axis("off")
    figure.tight_layout()
    figure.savefig(Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
