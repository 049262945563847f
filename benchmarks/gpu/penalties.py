"""Steps of every penalty in every precision, on small networks: none may end in a NaN."""

from __future__ import annotations

import time

import torch
from overhead import random_images
from torch import Tensor

from gan_framework.build import build_game
from gan_framework.core.records import DataShape
from gan_framework.data import Batches, InMemory
from gpu.part import Part
from gpu.systems import compose

SIZE = 16
PENALTIES = {
    "gradient_penalty": ("loss=wasserstein_gp",),
    "dragan": ("term=dragan",),
    "r1": ("term=r1",),
    "r2": ("term=r2",),
    "r3gan": ("loss=r3gan",),
}
NETWORKS = {
    "mlp": (
        "model=mlp",
        "networks.generator.hidden=[32]",
        "networks.discriminator.hidden=[32]",
        "networks.discriminator.activation=leaky_relu",
        "optimizer.discriminator.lr=0.01",  # large, because a NaN is what is looked for
        "optimizer.generator.lr=0.01",
    ),
    "dcgan": (
        "model=dcgan",
        "networks.generator.width=8",
        "networks.discriminator.width=8",
        "networks.discriminator.norm=none",
        "optimizer.discriminator.lr=0.001",
        "optimizer.generator.lr=0.001",
    ),
}
COMMON = (
    f"data.image_size={SIZE}",
    "data.channels=3",
)
BATCH = 16


def measure(part: Part) -> None:
    """Take the steps on one kind of networks; gradients that fp16's scaler leaves out are no fault, and are counted."""
    (network,) = part.arguments
    sizes, model = part.sizes, NETWORKS[network]
    images = random_images((3, SIZE, SIZE), 256)
    images[::2] = 255  # the flattest and the steepest that a discriminator can meet
    for precision in reversed(sizes.precisions):  # what is most likely to fail comes first
        for penalty, overrides in PENALTIES.items():
            start = time.monotonic()
            config = compose(*model, *overrides, *COMMON, f"train.precision={precision}")
            game = build_game(config, DataShape((3, SIZE, SIZE)), torch.device(sizes.device))
            draw = Batches(InMemory(images), BATCH, 0, sizes.device)
            losses: list[Tensor] = []
            norms: list[Tensor] = []
            for _ in range(sizes.penalty_steps):
                losses += [value.float() for value in game.step(draw).values() if value.ndim == 0]
                norms += [game.player(name).gradient_norm() for name in game.players]
            bad = int((~torch.stack(norms).isfinite()).sum())
            fine = bool(torch.stack(losses).isfinite().all()) and (bad == 0 or precision == "fp16")
            fine = fine and all(bool(parameter.isfinite().all()) for parameter in game.parameters())
            part.add(
                network=network,
                penalty=penalty,
                precision=precision,
                steps=sizes.penalty_steps,
                finite=fine,
                gradients_left_out=bad,
                seconds=round(time.monotonic() - start, 2),
            )
