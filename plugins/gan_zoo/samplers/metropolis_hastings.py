"""The Metropolis-Hastings sampler of MH-GAN."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import Game, Latent
from gan_zoo.ranges import require_positive
from gan_zoo.samplers.calibration import CalibratedSampler
from gan_zoo.samplers.judging import again, at_rows, coins


class MetropolisHastings(CalibratedSampler):
    """Walks from generated sample to generated sample, towards the data (Turner et al. 2019, arXiv 1811.11357).

    A sample x' that is drawn anew takes the place of x with the probability min(1, exp(f(x') - f(x))), f the
    discriminator's logit as calibrated on held-out samples; of an optimal one, log p_data(x) / p_g(x), the walk's
    samples become those of the data. It begins at a held-out sample of the same label, and a walk that never leaves it
    is walked again from a generated one. It begins at a generated one where D is not calibrated, where no
    held-out sample has the label, and where samples are made of samples.

    Args:
        proposals: the length of the walk behind each sample (the paper: 640).
        calibrate: `logistic`, `isotonic`, or null to take D's logit as it is.
    """

    name = "metropolis_hastings"

    def __init__(self, proposals: int, calibrate: str | None = None) -> None:
        super().__init__(calibrate)
        require_positive(proposals=proposals)
        self.proposals = proposals

    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return where the walk of each latent ends."""
        generated, logits = self.judged(game, latent)
        samples = generated.clone()
        begun = self._held_out_logits(latent, random)
        left = self._walk(game, latent, samples, torch.where(begun.isnan(), logits, begun), random)
        stuck = torch.nonzero(~left & ~begun.isnan()).flatten()
        if len(stuck):
            rows = stuck.to(samples.device)
            walked = generated[rows]
            self._walk(game, at_rows(latent, stuck), walked, logits[stuck], random)
            samples[rows] = walked
        return samples

    def _walk(self, game: Game, latent: Latent, samples: Tensor, logits: Tensor, random: torch.Generator) -> Tensor:
        """Put the ends of walks in the place of samples, and return which walks left their beginning, bool (N,)."""
        left = torch.zeros(len(samples), dtype=torch.bool)
        for _ in range(self.proposals):
            proposed, of_proposed = self.judged(game, again(game, latent, random))
            taken = coins(len(logits), random) < (of_proposed - logits).exp()
            on_device = taken.to(samples.device)
            samples[on_device] = proposed[on_device]
            logits = torch.where(taken, of_proposed, logits)
            left |= taken
        return left

    def _held_out_logits(self, latent: Latent, random: torch.Generator) -> Tensor:
        """Return log p_data / p_g (N,) of held-out samples with the latents' labels, drawn at random; NaN for none."""
        found = torch.full((len(latent.z),), torch.nan, dtype=torch.float64)
        if self._held_out is None or latent.given:
            return found
        places = coins(len(found), random)
        if latent.labels is None or self._held_out.labels is None:
            groups = [(torch.ones(len(found), dtype=torch.bool), self._held_out.logits)]
        else:
            wanted, known = latent.labels.cpu(), self._held_out.labels
            groups = [
                ((wanted == label).reshape(len(wanted), -1).all(1), self._held_out.logits[same])
                for label in wanted.unique(dim=0)
                if (same := (known == label).reshape(len(known), -1).all(1)).any()
            ]
        for rows, logits in groups:
            found[rows] = logits[(places[rows] * len(logits)).long()]
        return found
