"""Discriminator-driven Langevin sampling."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Latent, Sampler
from gan_zoo.priors.normal import Normal
from gan_zoo.ranges import require_above_zero, require_not_negative, require_positive
from gan_zoo.samplers.judging import check_judged, latent_gradient


class Langevin(Sampler):
    """Latents walk downhill in the energy ½ ‖z‖² - f(G(z)), with noise (DDLS, Che et al. 2020, arXiv 2003.06060).

    For an optimal discriminator, with the logit f, latents of that energy make samples of the data. A noise below 1
    samples a colder law than that, as the authors' program does.

    Args:
        steps: of each walk.
        size: ε, of a step: z ← z - ½ ε ∇ energy + sqrt(ε) noise.
        noise: the deviation of the noise.
    """

    name = "langevin"

    def __init__(self, steps: int, size: float, noise: float) -> None:
        require_positive(steps=steps)
        require_above_zero(size=size)
        require_not_negative(noise=noise)
        self.steps = steps
        self.size = size
        self.noise = noise

    def check(self, game: Game) -> None:
        """Raise ConfigError unless z is normal and a logit is trained to be log p_data / p_g."""
        check_judged(self.name, game)
        if not isinstance(game.prior, Normal):
            raise ConfigError(
                "sampler=langevin walks in the energy of a normal latent, and the prior is "
                f"{type(game.prior).__name__}: choose sampler=discriminator_transport"
            )

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return the samples of where the walk of each latent ends."""
        z = latent.z
        for _ in range(self.steps):
            uphill = latent_gradient(self.name, game, latent._replace(z=z))
            drawn = torch.randn(z.shape, generator=random, device=random.device, dtype=z.dtype).to(z.device)
            z = z - self.size / 2 * (z - uphill) + sqrt(self.size) * self.noise * drawn
        return game.sample(latent._replace(z=z))
