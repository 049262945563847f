"""What the tests of editing share: games of experiments in float64, and batches of noise."""

import torch

from gan_framework.api import Batch, DataShape
from gan_framework.build import build_game

CPU = torch.device("cpu")
GREY = DataShape((1, 16, 16), 4)


def started(compose, experiment, *overrides, shape=GREY, double=True):
    """Return the game of an experiment, ready for its first step."""
    size = shape.sample[1]
    game = build_game(compose(f"experiment={experiment}", f"data.image_size={size}", *overrides), shape, CPU)
    game.start(CPU)
    if not double:
        return game
    drawn = game.latent
    game.latent = lambda *arguments, **keywords: _doubled(drawn(*arguments, **keywords))
    return game.double()


def _doubled(latent):
    return latent._replace(z=latent.z.double(), code={name: code.double() for name, code in latent.code.items()})


def noise(n, size=16, seed=0, channels=1, double=True):
    """Return noise as images in [-1, 1]."""
    x = torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return x.double() if double else x


def batch_of(labels, size=16, double=True, others=None, **extra):
    """Return a batch of noise with labels and extras."""
    return Batch(noise(len(labels), size, double=double), torch.tensor(labels), extra, others=others or {})
