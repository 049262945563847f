"""Samples with standing statistics of batch norm."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_framework.api import ConfigError, Game, Latent, Sampler
from gan_zoo.ranges import require_positive
from gan_zoo.samplers.judging import again, at_rows


class StandingStatistics(Sampler):
    """Batch norm has its statistics from many batches of the trained weights (Brock et al. 2019, 1809.11096, app. C.1).

    Running statistics are averages over training, in which the weights were others; of averaged weights they are those
    of the weights that were not averaged. Here they are the plain means over batches of samples that are made for
    nothing else, with the classes of those that are asked for. `evaluate.batch_norm=standing` is the same for scores.

    Args:
        batches: from how many batches.
        batch_size: samples of each.
    """

    name = "standing_statistics"

    def __init__(self, batches: int, batch_size: int) -> None:
        require_positive(batches=batches)
        if batch_size < 2:
            raise ValueError(f"batch_size={batch_size}: it must be at least 2, a single sample has no statistics")
        self.batches = batches
        self.batch_size = batch_size
        self._network: tuple[nn.Module, ...] = ()

    def check(self, game: Game) -> None:
        """Raise ConfigError unless samples come from a network with batch norm that is given latents and classes."""
        if not _norms(game.networks[game.sampling_network]):
            raise ConfigError(
                f"sampler=standing_statistics has no effect: networks.{game.sampling_network} has no batch norm"
            )
        if game.generates_from is not None:
            raise ConfigError(
                f"sampler=standing_statistics draws latents, and {type(game).__name__} makes samples of samples"
            )

    def prepare(self, game: Game, latent: Latent, random: torch.Generator) -> None:
        """Estimate the statistics in a copy of the network."""
        network = copy.deepcopy(game.networks[game.sampling_network])
        network.eval()
        for layer in _norms(network):
            layer.reset_running_stats()
            layer.momentum = None  # a plain average over all batches
            layer.train()
        for batch in range(self.batches):
            rows = (torch.arange(self.batch_size) + batch * self.batch_size) % len(latent.z)
            drawn = again(game, at_rows(latent, rows), random)
            with _in_place(game, network):
                game.generate(drawn, game.sampling_network)
        network.eval()
        self._network = (network,)

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return the samples of latents by the copy."""
        with _in_place(game, *self._network):
            return game.sample(latent)


def _norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


@contextmanager
def _in_place(game: Game, network: nn.Module) -> Iterator[None]:
    """Have another network stand where the game's samples come from."""
    original = game.networks[game.sampling_network]
    game.networks[game.sampling_network] = network
    try:
        yield
    finally:
        game.networks[game.sampling_network] = original
