"""LOGAN's latent steps at test time."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Latent, Sampler
from gan_zoo.samplers.judging import check_asked, latent_gradient
from gan_zoo.strategies.latent_optimisation import latent_step, require_steps


class LatentOptimisation(Sampler):
    """Latents take steps towards what D approves of, as in training (LOGAN, Wu et al. 2019, arXiv 1912.00953).

    z ← clip(z + m ⊙ Δz) with Δz = α g / (‖g‖² + β) and g = ∇_z D(G(z)), or Δz = α g as of CS-GAN. Any loss will do, for
    nothing is asked of D but where it says more. That more steps than in training are made is from another person's
    program, ten of them; which entries of z are moved (m) is drawn once for each latent.

    Args:
        alpha: α, the length of a step.
        beta: β, the damping.
        natural: whether gradients are divided by ‖g‖² + β.
        share: of the entries of z that are moved.
        bound: entries are clipped to [-bound, bound], as of a uniform prior; null for none.
        steps: how many.
    """

    name = "latent_optimisation"

    def __init__(self, alpha: float, beta: float, natural: bool, share: float, bound: float | None, steps: int) -> None:
        require_steps(alpha, beta, share, bound, steps)
        self.alpha = alpha
        self.beta = beta
        self.natural = natural
        self.share = share
        self.bound = bound
        self.steps = steps

    def check(self, game: Game) -> None:
        """Raise ConfigError unless latents without codes are drawn, and a judge says what it thinks of each sample."""
        check_asked(self.name, game)
        if game.prior is not None and game.prior.draw(1, game.device).code:
            raise ConfigError(
                "sampler=latent_optimisation would move codes, which say what a sample is: choose another prior"
            )

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return the samples of where each latent has gone."""
        z = latent.z
        drawn = torch.rand(z.shape, generator=random, device=random.device).to(z.device)
        chosen = (drawn < self.share).to(z.dtype)
        for _ in range(self.steps):
            gradient = latent_gradient(self.name, game, latent._replace(z=z))
            z = z + chosen * latent_step(gradient, self.alpha, self.beta, self.natural)
            if self.bound is not None:
                z = z.clamp(-self.bound, self.bound)
        return game.sample(latent._replace(z=z))
