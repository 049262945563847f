"""What the tests of adaptation share: small games of experiments."""

import torch

from gan_framework.build import build_game
from gan_framework.data import Sources

CPU = torch.device("cpu")


def small(compose, experiment, *overrides, batch=8):
    """Return the game of an experiment and what draws its batches."""
    config = compose(f"experiment={experiment}", "debug=smoke", *overrides)
    sources = Sources(config["data"], config["sources"])
    game = build_game(config, sources.shape, CPU)
    return game, sources.batches(batch, 0, CPU)


def changed(game, act):
    """Return the names of networks whose parameters an action changes."""
    before = {name: parameter.detach().clone() for name, parameter in game.networks.named_parameters()}
    act()
    return {
        name.split(".")[0]
        for name, parameter in game.networks.named_parameters()
        if not torch.equal(parameter, before[name])
    }
