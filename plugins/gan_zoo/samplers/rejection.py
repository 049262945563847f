"""Discriminator rejection sampling (Azadi et al. 2019, arXiv 1810.06758)."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Game, Latent, RunFailed
from gan_zoo.ranges import require_above_zero
from gan_zoo.samplers.calibration import CalibratedSampler
from gan_zoo.samplers.judging import again, at_rows, coins

TRIES = 10_000
"""How often a sample is drawn again before it counts as impossible."""

CHUNK = 500
"""Samples at a time while the greatest logit is looked for."""


class Rejection(CalibratedSampler):
    """Keeps of the generated samples those that the discriminator would have drawn from the data (section 3.2).

    An optimal discriminator's logit is f(x) = log p_data(x) / p_g(x), so a sample kept with the probability
    exp(f(x) - max f) is one of p_data. It is kept with the probability sigmoid(F(x) - γ) instead, where
    F(x) = f(x) - max f - log(1 - exp(f(x) - max f - ε)), and γ trades exactness for speed: with γ = 0 the two are the
    same but for ε. Samples that are not kept are drawn again with the same labels.

    A trained discriminator is sure of too much, so f is its logit as calibrated on held-out samples, by logistic
    regression, where the paper trains D on beside a fixed G.

    Max f is estimated from samples before the first is kept, and raised when a sample exceeds it. γ is a percentile of
    F over the samples before the first, where the paper takes one of each batch, so that what is kept does not depend
    on the batch.

    Args:
        burn_in: from how many samples max f and γ are estimated (the paper: 10,000).
        percentile: the percentile of F that γ is (the paper: 95 on the 25 Gaussians, 80 on images); null for γ = 0.
        epsilon: ε, which keeps F finite.
        calibrate: `logistic`, `isotonic`, or null to take D's logit as it is.
    """

    name = "rejection"

    def __init__(self, burn_in: int, percentile: float | None, epsilon: float, calibrate: str | None = None) -> None:
        if burn_in < 2:
            raise ValueError(f"burn_in={burn_in}: it must be at least 2")
        if percentile is not None and not 0 <= percentile <= 100:
            raise ValueError(f"percentile={percentile}: it must be between 0 and 100, or null")
        require_above_zero(epsilon=epsilon)
        super().__init__(calibrate)
        self.burn_in = burn_in
        self.percentile = percentile
        self.epsilon = epsilon
        self._burned = torch.empty(0)
        self._greatest = self._shift = 0.0

    def prepare(self, game: Game, latent: Latent, random: torch.Generator) -> None:
        """Estimate max f and γ from samples with the labels of the latents."""
        rows = torch.arange(self.burn_in) % len(latent.z)
        found = [self.judged(game, again(game, at_rows(latent, chunk), random))[1] for chunk in rows.split(CHUNK)]
        self._burned = torch.cat(found)
        self._set_greatest(float(self._burned.max()))

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return a kept sample for each latent; latents whose sample is not kept are drawn again.

        Raises:
            RunFailed: hardly any sample is kept.
        """
        samples, logits = self.judged(game, latent)
        samples = samples.clone()
        left = torch.arange(len(samples))[~self._keeps(logits, random)]
        for _ in range(TRIES):
            if not len(left):
                return samples
            # As many tries for each as fill the batch: of these the first that is kept counts.
            tries = len(samples) // len(left)
            rows = left.repeat(tries)
            drawn, logits = self.judged(game, again(game, at_rows(latent, rows), random))
            kept = self._keeps(logits, random).view(tries, -1)
            first, found = kept.int().argmax(0), kept.any(0)
            chosen = (first * len(left) + torch.arange(len(left)))[found]
            samples[left[found].to(samples.device)] = drawn[chosen.to(samples.device)]
            left = left[~found]
        advice = (
            "set sampler.percentile=80" if self.percentile is None else f"lower sampler.percentile={self.percentile:g}"
        )
        raise RunFailed(
            f"sampler=rejection keeps none of more than {TRIES:,} samples: the best of sampler.burn_in={self.burn_in} "
            f"are taken for real so much more often; {advice} to keep more"
        )

    def _keeps(self, logits: Tensor, random: torch.Generator) -> Tensor:
        if (greatest := float(logits.max())) > self._greatest:
            self._set_greatest(greatest)
        chance = (self._margin(logits) - self._shift).sigmoid()
        return coins(len(logits), random) < chance

    def _set_greatest(self, logit: float) -> None:
        """Take up max f, and γ with it."""
        self._greatest = logit
        if self.percentile is not None:
            self._shift = float(torch.quantile(self._margin(self._burned), self.percentile / 100))

    def _margin(self, logits: Tensor) -> Tensor:
        """Return F, by section 3.2, equation 8."""
        below = logits - self._greatest
        return below - torch.log(-torch.expm1(below - self.epsilon))
