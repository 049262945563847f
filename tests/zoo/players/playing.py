"""Games of the zoo as they are composed, played some steps on the digits or on noise of the data's shape."""

import torch

from gan_framework.build import build_game
from gan_framework.core import seeding
from gan_framework.core.records import Batch, DataShape

CPU = torch.device("cpu")
DIGITS = DataShape((1, 8, 8), 10, size=100)
PLANE = DataShape((2,), 8, size=100)


def batch(shape, n, step=0):
    """Return noise of a shape, always the same for a step."""
    random = torch.Generator().manual_seed(1000 + step)
    samples = torch.rand(n, *shape.sample, generator=random) * 2 - 1
    labels = torch.randint(shape.num_classes, (n,), generator=random) if shape.num_classes else None
    extra = {name: torch.rand(n, *size, generator=random) * 2 - 1 for name, size in shape.extra.items()}
    others = {name: batch(other, n, step + 77) for name, other in shape.others.items()}
    return Batch(samples, labels, extra, torch.arange(n), others)


def built(compose, shape, *overrides):
    return build_game(compose("debug=smoke", "metrics=[]", *overrides), shape, CPU)


def play(game, steps, n=8):
    """Play steps; what is random in a step follows from its number."""
    measured = []
    for step in steps:
        seeding.reseed(0, "step", step)
        draws = iter(range(100 * step, 100 * (step + 1)))
        measured.append(game.step(lambda draws=draws: batch(game.data, n, next(draws))))
    return measured


def weights(game):
    """Return all parameters of the networks, each once, in their order."""
    return [parameter.detach().clone() for parameter in game.networks.parameters()]


def assert_same_game(first, second, steps=3, n=8):
    """Play both and see that they have the same weights throughout, to the bit."""
    for step in range(steps):
        before, after = weights(first), weights(second)
        assert [tuple(w.shape) for w in before] == [tuple(w.shape) for w in after]
        assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
        play(first, [step], n)
        play(second, [step], n)
        assert not all(torch.equal(one, other) for one, other in zip(before, weights(first), strict=True))
    assert all(torch.equal(one, other) for one, other in zip(weights(first), weights(second), strict=True))


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())
