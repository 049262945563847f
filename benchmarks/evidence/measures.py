"""Further figures of a run that has finished, from its folder."""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

SAMPLES = 4000

OUTSIDE = 3.0
"""How far from the middle of the ring of eight Gaussians, whose radius is 2, its outliers begin."""

STARTS, REACH = 8, 3.0
"""How often the game of two means is played, and how far from 0 it begins at most."""


def mode_shares(run: Path) -> dict[str, float]:
    """Return how far the shares of the mixture's modes are from equal: half the sum of differences, 0 to 1.

    Samples count for the mode that they are nearest to, wherever they lie.
    """
    import torch

    from gan_framework.runs.restore import load_game
    from gan_zoo.datasets.mixture import centres

    game, config = load_game(run)
    modes = centres(config["data"]["arrangement"])
    with torch.no_grad():
        points = game.generate(game.latent(SAMPLES, None, generator=torch.Generator().manual_seed(0)))
    shares = torch.cdist(points.float(), modes.float()).argmin(dim=1).bincount(minlength=len(modes)) / SAMPLES
    return {"unequal_shares": float((shares - 1 / len(modes)).abs().sum() / 2)}


def gaussian(run: Path) -> dict[str, float]:
    """Return the deviation of a generator that makes a Gaussian."""
    from gan_framework.runs.restore import load_game

    generator: Any = load_game(run)[0].networks["generator"]
    return {"deviation": float(generator.std.abs())}


def distance_to_zero(run: Path) -> dict[str, float]:
    """Return how far the parameters of all networks are from zero, the solution of a game of two numbers."""
    from gan_framework.runs.restore import load_game

    parameters = load_game(run)[0].networks.parameters()
    return {"distance": sum(float(p.detach().square().sum()) for p in parameters) ** 0.5}


def distance_to_data(run: Path) -> dict[str, float]:
    """Return how far mean and deviation of a generator that makes a Gaussian are from those of the data."""
    from gan_framework.runs.restore import load_game

    game, config = load_game(run)
    generator: Any = game.networks["generator"]
    data = config["data"]
    off = float(generator.mean) - data["mean"], float(generator.std.abs()) - data["std"]
    return {"distance": math.hypot(*off)}


def total_variation(run: Path) -> dict[str, float]:
    """Return how far G's mixture is from the real one where two means play two intervals, from `STARTS` places each.

    Means and intervals begin anywhere within `REACH`, by the run's seed, and play as many steps as the run's.
    """
    import torch

    from gan_framework.build import build_game
    from gan_framework.core.records import Batch, DataShape
    from gan_framework.runs.restore import load_game

    _, config = load_game(run)
    random = torch.Generator().manual_seed(config["seed"])
    found = []
    for _ in range(STARTS):
        game: Any = build_game(config, DataShape((2,)), torch.device("cpu"))
        means, *ends = torch.empty(3, 2).uniform_(-REACH, REACH, generator=random)
        left, right = torch.stack(ends).sort(dim=0).values
        with torch.no_grad():
            game.networks["generator"].point.copy_(means)
            game.networks["discriminator"].left.copy_(left)
            game.networks["discriminator"].right.copy_(right)
        for _ in range(config["train"]["steps"]):
            measured = game.step(lambda: Batch(torch.zeros(1, 2)))
        found.append(float(measured["value_optimal"]) - 1)
    return {"total_variation": fmean(found)}


def roughness(run: Path) -> dict[str, float]:
    """Return the deviation of the discriminator's logged loss over the second half of a run."""
    lines = [json.loads(line)["metrics"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    losses = [line["train/discriminator/adversarial"] for line in lines if "train/discriminator/adversarial" in line]
    return {"loss_deviation": pstdev(losses[len(losses) // 2 :])}


def last_logged(run: Path) -> dict[str, float]:
    """Return what the last step logged of the generator's gradient, the samples' diversity and D's accuracy."""
    metrics = json.loads((run / "summary.json").read_text())["metrics"]
    wanted = ("gradient_norm_generator", "diversity", "accuracy_real", "accuracy_fake")
    return {name: metrics[f"health/{name}"] for name in wanted if f"health/{name}" in metrics}


def outliers(run: Path) -> dict[str, float]:
    """Return the share of samples of a generator of the plane that lie well outside of the ring."""
    import torch

    from gan_framework.runs.restore import load_game

    game, _ = load_game(run)
    with torch.no_grad():
        points = game.generate(game.latent(SAMPLES, None, generator=torch.Generator().manual_seed(0)))
    return {"outliers": float((points.norm(dim=1) > OUTSIDE).float().mean())}
