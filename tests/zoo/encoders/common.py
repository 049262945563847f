"""What the tests of encoders share: small games of experiments, counts of parameters, and who is updated."""

import torch

from gan_framework.build import build_game
from gan_framework.core.records import Batch, DataShape

CPU = torch.device("cpu")


def count(*networks):
    """Return the number of parameters of modules."""
    return sum(parameter.numel() for network in networks for parameter in network.parameters())


def on_meta(make, *arguments):
    """Return a network without memory."""
    with torch.device("meta"):
        return make(*arguments)


def images(n=8, size=8, seed=0):
    """Return a batch of noise as images in [-1, 1] with labels."""
    x = torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return Batch(x, torch.arange(n) % 10)


def small(compose, experiment, *overrides, size=8):
    """Return the game of an experiment on images of a few pixels, or on vectors with size None."""
    shape = DataShape((1, size, size), 10) if size else DataShape((2,), 0)
    sized = [f"data.image_size={size}"] if size else []
    return build_game(compose(f"experiment={experiment}", *sized, "debug=smoke", *overrides), shape, CPU)


def changed(game, act):
    """Return the names of networks whose parameters an action changes."""
    before = {name: parameter.detach().clone() for name, parameter in game.networks.named_parameters()}
    act()
    return {
        name.split(".")[0]
        for name, parameter in game.networks.named_parameters(remove_duplicate=False)
        if not torch.equal(parameter, before.get(name, parameter))
    }


def reached(loss, game):
    """Return the names of networks that a gradient of a loss reaches."""
    named = dict(game.networks.named_parameters())
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True, retain_graph=True)
    return {name.split(".")[0] for name, g in zip(named, found, strict=True) if g is not None and bool((g != 0).any())}
