"""A generator whose last biases start from the data's mean."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gan_framework.api import BeforeFirstStep, ConfigError, Game, NextBatch, Strategy, distributed
from gan_zoo.layers import SigmoidImage
from gan_zoo.ranges import require_positive

NEAREST = 1e-7
"""How near the ends of [0, 1] a mean is taken to be at most, as in the authors' program."""


def _atanh(mean: Tensor) -> Tensor:
    return mean.clamp(2 * NEAREST - 1, 1 - 2 * NEAREST).atanh()


INVERSES: dict[type[nn.Module], Callable[[Tensor], Tensor]] = {
    SigmoidImage: lambda mean: 2 * _atanh(mean),  # the logit of (mean + 1) / 2
    nn.Tanh: _atanh,
    nn.Identity: lambda mean: mean,
    nn.Linear: lambda mean: mean,
}
"""By what a generator ends in, the number that it maps to a mean."""


class StartFromMean(BeforeFirstStep):
    """The biases become what the output would need to be the mean of the first real samples drawn.

    Args:
        layer: whose parameter `bias` has a number for each of a sample's entries.
        inverse: of what comes after it.
        samples: how many are drawn, or a few more, as batches are drawn whole.
    """

    def __init__(self, layer: nn.Module, inverse: Callable[[Tensor], Tensor], samples: int) -> None:
        super().__init__()
        # Kept in a tuple: the layer belongs to the game, and must not be registered twice.
        self._layer = (layer,)
        self.inverse = inverse
        self.samples = samples

    @torch.no_grad()
    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Draw batches and set the biases."""
        drawn, total = 0, torch.zeros(())
        while drawn < self.samples:
            samples = next_batch().samples
            total = total.to(samples.device, torch.float64) + samples.double().sum(0)
            drawn += len(samples)
        mean = distributed.mean(total / drawn)
        bias = self._layer[0].get_parameter("bias")
        bias.copy_(self.inverse(mean).reshape(bias.shape).to(bias.dtype))


def _biases(layer: nn.Module) -> int:
    """Return how many numbers a layer's own bias has; 0 without one."""
    bias = dict(layer.named_parameters(recurse=False)).get("bias")
    return 0 if bias is None else bias.numel()


class MarginalBias(Strategy):
    """G's last biases start where the biases alone give the data's mean (Goodfellow et al. 2014, arXiv 1406.2661).

    So does the authors' program for MNIST: pixels that are black in all images are so from the first step.

    Args:
        samples: real samples whose mean is taken; all, in one pass, where there are fewer.
    """

    def __init__(self, samples: int) -> None:
        require_positive(samples=samples)
        self.samples = samples

    def apply(self, game: Game) -> None:
        """Have the generators' biases set before the first step.

        Raises:
            ConfigError: a generator does not end in a bias for each of a sample's entries, or there is none.
        """
        if not game.generators:
            raise ConfigError(
                f"marginal_bias has no effect on {type(game).__name__}, where no player updates a generator"
            )
        shape, size = game.data.sample, game.data.size
        samples = min(self.samples, size) if size else self.samples
        for name in game.generators:
            game.claim(f"first biases of networks.{name}", "marginal_bias")
            network = game.network(name)
            layers = [layer for layer in network.modules() if not any(layer.children())]
            inverse = INVERSES.get(type(layers[-1]))
            having = (layer for layer in (network, *reversed(layers[-2:])) if _biases(layer) == math.prod(shape))
            last = next(having, None)
            if last is None or inverse is None:
                raise ConfigError(
                    f"marginal_bias has no effect on networks.{name}: {type(network).__name__} does not end in a bias "
                    "for each of a sample's entries; it goes with generators of fully connected layers (mlp, cgan_mlp, "
                    "cgan_maxout) and ali"
                )
            game.openings.append(StartFromMean(last, inverse, samples))
