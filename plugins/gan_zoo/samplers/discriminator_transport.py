"""Discriminator optimal transport in the latents."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Latent, Sampler
from gan_zoo.priors.normal import Normal
from gan_zoo.priors.uniform import Uniform
from gan_zoo.ranges import require_above_zero, require_positive
from gan_zoo.samplers.judging import again, at_rows, check_judged, judged, latent_gradient

PAIRS = 100
"""Pairs of latents from which the steepness k of the discriminator is estimated, as in the authors' program."""

APART = 1e-3
"""What keeps the gradient of the distance from the start defined at the start."""


class DiscriminatorTransport(Sampler):
    """Latents go where D says more for the way they have come (DOT, Tanaka 2019, arXiv 1910.06832, Algorithm 2).

    Each z minimises ‖z - z₀ + δ‖ - f(G(z)) / k by gradient steps, where k is the greatest slope of f over pairs of
    latents. With a uniform prior z stays in its cube; with a normal one the step along z is left out.

    Args:
        steps: of gradient descent.
        lr: its learning rate.
    """

    name = "discriminator_transport"

    def __init__(self, steps: int, lr: float) -> None:
        require_positive(steps=steps)
        require_above_zero(lr=lr)
        self.steps = steps
        self.lr = lr
        self._steepness = 1.0

    def check(self, game: Game) -> None:
        """Raise ConfigError unless z is normal or uniform and a logit is trained to be log p_data / p_g."""
        check_judged(self.name, game)
        if not isinstance(game.prior, Normal | Uniform):
            raise ConfigError(
                f"sampler={self.name} keeps latents where a normal or uniform prior has them, and the prior is "
                f"{type(game.prior).__name__}"
            )

    def prepare(self, game: Game, latent: Latent, random: torch.Generator) -> None:
        """Estimate how steep the discriminator is."""
        one = at_rows(latent, torch.arange(PAIRS) % len(latent.z))
        first, second = again(game, one, random), again(game, one, random)
        (_, f), (_, g) = judged(self.name, game, first), judged(self.name, game, second)
        apart = (first.z - second.z).flatten(1).norm(dim=1).double().cpu()
        self._steepness = max(float(((f - g).abs() / apart).detach().max()), 1e-12)

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return the samples of where each latent has gone."""
        z = latent.z
        for _ in range(self.steps):
            uphill = latent_gradient(self.name, game, latent._replace(z=z))
            back = z - latent.z + APART
            downhill = back / back.flatten(1).norm(dim=1).view(-1, *[1] * (z.ndim - 1)) - uphill / self._steepness
            if isinstance(game.prior, Uniform):
                z = (z - self.lr * downhill).clamp(game.prior.low, game.prior.high)
            else:
                along = (downhill * z).flatten(1).sum(1) / z.square().flatten(1).sum(1)
                z = z - self.lr * (downhill - along.view(-1, *[1] * (z.ndim - 1)) * z)
        return game.sample(latent._replace(z=z))
