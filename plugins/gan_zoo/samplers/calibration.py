"""Turns what a discriminator says into log p_data / p_g, by samples that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from scipy import optimize
from scipy.special import expit
from torch import Tensor

from gan_framework.api import MAIN, Batch, ConfigError, Game, Latent, RunFailed, Sampler, pairs_of
from gan_zoo.samplers.judging import check_judged, finite, judged

HELD_OUT = 2000
"""Held-out samples that a calibration uses at most, beside as many generated ones."""

Calibration = Callable[[Tensor], Tensor]
"""Takes logits (N,) in float64 to log p_data / p_g."""


def logistic(real: Tensor, generated: Tensor) -> Calibration:
    """Return a f + b, a and b those of the logistic regression of real or generated on the logit f.

    Its targets are Platt's, (n + 1) / (n + 2) and 1 / (m + 2) for n real and m generated samples, so that a and b are
    finite even where the logits separate the two (Platt 1999, "Probabilistic outputs for support vector machines").

    Args:
        real: logits (n,) of held-out samples.
        generated: logits (m,) of generated ones.
    """
    n, m = len(real), len(generated)
    logits = torch.cat([real, generated]).double().numpy()
    targets = np.concatenate([np.full(n, (n + 1) / (n + 2)), np.full(m, 1 / (m + 2))])
    center, spread = logits.mean(), logits.std() or 1.0
    scaled = (logits - center) / spread

    def cross_entropy(line: np.ndarray) -> tuple[float, np.ndarray]:
        found = line[0] * scaled + line[1]
        gap = (expit(found) - targets) / len(found)
        return float(np.mean(np.logaddexp(0, found) - targets * found)), np.array([gap @ scaled, gap.sum()])

    slope, level = optimize.minimize(cross_entropy, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    prior = np.log(n / m)
    return lambda f: slope / spread * (f - center) + level - prior


def isotonic(real: Tensor, generated: Tensor) -> Calibration:
    """Return the log odds of the increasing function of f that fits best which samples are real, by least squares.

    Its values are kept half a sample away from 0 and 1, so that the log odds are finite; between the logits that it was
    fitted to it goes straight (Zadrozny and Elkan 2002, "Transforming classifier scores into accurate multiclass
    probability estimates").

    Args:
        real: logits (n,) of held-out samples.
        generated: logits (m,) of generated ones.
    """
    n, m = len(real), len(generated)
    logits, place = torch.cat([real, generated]).double().unique(return_inverse=True)
    of_each = place.bincount().double()
    share = place[:n].bincount(minlength=len(logits)).double() / of_each
    fitted = optimize.isotonic_regression(share.numpy(), weights=of_each.numpy()).x
    margin = 0.5 / (n + m)
    chance = np.clip(fitted, margin, 1 - margin)
    odds = np.log(chance) - np.log1p(-chance) - np.log(n / m)
    return lambda f: torch.from_numpy(np.interp(f.numpy(), logits.numpy(), odds))


KINDS: dict[str, Callable[[Tensor, Tensor], Calibration]] = {"logistic": logistic, "isotonic": isotonic}


class HeldOut(NamedTuple):
    """What the judge says of held-out samples.

    Attributes:
        logits: log p_data / p_g (N,) as calibrated.
        labels: their labels (N, ...) on the CPU, or None.
    """

    logits: Tensor
    labels: Tensor | None


class CalibratedSampler(Sampler):
    """A sampler that asks the judge for log p_data / p_g, which it corrects by held-out samples.

    Args:
        calibrate: `logistic`, `isotonic`, or null to take the judge's logit as it is.
    """

    def __init__(self, calibrate: str | None = None) -> None:
        if calibrate is not None and calibrate not in KINDS:
            raise ValueError(f"calibrate={calibrate}: choose one of {', '.join(KINDS)}, or null")
        self.calibrate = calibrate
        self._calibrated: Calibration | None = None
        self._held_out: HeldOut | None = None

    @property
    def held_out(self) -> int:
        """How many held-out samples are wanted."""
        return HELD_OUT if self.calibrate is not None else 0

    def check(self, game: Game) -> None:
        """Raise ConfigError unless latents can be drawn again and a logit is trained to be log p_data / p_g."""
        check_judged(self.name, game)
        if self.held_out and game.data.others:
            raise ConfigError(
                f"sampler.calibrate={self.calibrate} compares with held-out samples of data alone, and "
                f"{type(game).__name__} has further sources ({', '.join(game.data.others)}); set it to null"
            )

    def see_held_out(self, game: Game, real: Iterable[Batch]) -> None:
        """Fit the calibration to held-out samples and to generated ones with their labels."""
        of_real, of_generated, labels = [], [], []
        for batch in real:
            latent = game.latent_for(batch)
            pair = pairs_of(game, latent, batch)[MAIN]
            of_real.append(finite(self.name, pair.real_output.scores))
            of_generated.append(finite(self.name, pair.fake_output.scores))
            labels.append(batch.labels)
        logits, generated = torch.cat(of_real), torch.cat(of_generated)
        assert self.calibrate is not None
        self._calibrated = KINDS[self.calibrate](logits, generated)
        known = [label.cpu() for label in labels if label is not None]
        self._held_out = HeldOut(self._calibrated(logits), torch.cat(known) if known else None)

    def judged(self, game: Game, latent: Latent) -> tuple[Tensor, Tensor]:
        """Return the samples of latents and log p_data / p_g of each, float64 (N,) on the CPU.

        Raises:
            RunFailed: what the judge says is not finite, or the sampler was not calibrated.
        """
        samples, logits = judged(self.name, game, latent)
        if self.calibrate is None:
            return samples, logits
        if self._calibrated is None:
            raise RunFailed(f"sampler={self.name} was shown no held-out samples to calibrate on")
        return samples, self._calibrated(logits)
