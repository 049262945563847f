"""The Metropolis-Hastings sampler of MH-GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Game, Latent, Sampler
from gan_zoo.samplers.judging import again, check_judged, judged


class MetropolisHastings(Sampler):
    """Walks from generated sample to generated sample, towards the data (Turner et al. 2019, arXiv 1811.11357).

    A sample x' that is drawn anew takes the place of x with the probability min(1, exp(f(x') - f(x))), f the
    discriminator's logit; of an optimal one, log p_data(x) / p_g(x), the walk's samples become those of the data. It
    begins at a generated sample, where the paper's begins at a real one, and D is not calibrated.

    Args:
        proposals: the length of the walk behind each sample (the paper: 640).
    """

    name = "metropolis_hastings"

    def __init__(self, proposals: int) -> None:
        if proposals < 1:
            raise ValueError(f"proposals={proposals}: it must be at least 1")
        self.proposals = proposals

    def check(self, game: Game) -> None:
        """Raise ConfigError unless latents can be drawn again and a logit is trained to be log p_data / p_g."""
        check_judged(self.name, game)

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return where the walk of each latent ends."""
        samples, logits = judged(self.name, game, latent)
        samples = samples.clone()
        for _ in range(self.proposals):
            proposed, of_proposed = judged(self.name, game, again(game, latent, random))
            coins = torch.rand(len(logits), generator=random, device=random.device, dtype=torch.float64).cpu()
            taken = coins < (of_proposed - logits).exp()
            on_device = taken.to(samples.device)
            samples[on_device] = proposed[on_device]
            logits = torch.where(taken, of_proposed, logits)
        return samples
