"""One-dimensional Gaussians: the game whose truth is known."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_framework.api import Components, ConfigError, Game, Latent, NextBatch, evaluation_mode, panels, rendered
from gan_zoo import theory
from gan_zoo.generators.gaussian import GaussianGenerator
from gan_zoo.priors.normal import Normal

POINTS = 1001
"""Points of the integrals around each of the two densities."""

REACH = 10.0
"""Deviations around the means that the integrals cover."""


class Gaussian1D(Game):
    """p_data and p_g are Gaussians on a line, so D* and V(D*, G) are known (Goodfellow et al. 2014, figure 1).

    Every step measures, by numerical integration: `value`, V(D, G); `value_optimal`, V(D*, G), which is
    -log 4 + 2 JSD(p_data || p_g); `jsd`; and `d_error`, the mean of |D - D*|.

    Args:
        components: what the game is made of.
        mean: of the data.
        std: of the data.
    """

    def __init__(self, components: Components, mean: float, std: float) -> None:
        super().__init__(components)
        self.mean, self.std = mean, std

    def check(self) -> None:
        """Raise ConfigError unless both densities are Gaussians on a line."""
        super().check()
        if not isinstance(self.networks["generator"], GaussianGenerator) or not isinstance(self.prior, Normal):
            raise ConfigError(
                "gaussian_1d knows the generated density only with generator=gaussian prior=normal, not with "
                f"{type(self.networks['generator']).__name__} and {type(self.prior).__name__}"
            )
        if self.data.sample != (1,) or not self.std > 0:
            raise ConfigError(f"gaussian_1d plays on a line with std > 0: data.channels=1, not {self.data.sample}")

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and measure how far the players are from the truth."""
        measured = super().step(next_batch)
        data, generated = self._around(self.mean, self.std), self._around(*self._generated())
        jsd = theory.jensen_shannon(data, generated)
        truth = {
            "value": theory.value(self._logit, data, generated),
            "value_optimal": 2 * jsd - math.log(4),
            "jsd": jsd,
            "d_error": theory.discriminator_error(self._logit, data, generated),
        }
        return measured | {name: value.float().to(self.device) for name, value in truth.items()}

    def picture(self, latent: Latent, columns: int) -> Tensor:
        """Draw p_data, p_g, D and D* on one axis."""
        x = torch.linspace(self.mean - 8 * self.std, self.mean + 8 * self.std, 500, dtype=torch.float64)
        log_p, log_g = self._log_p(x), self._log_g(x)
        figure, (axes,) = panels(5.0)
        curves = {
            "p_data": (log_p.exp(), "k:"),
            "p_g": (log_g.exp(), "g-"),
            "D": (self._logit(x).sigmoid(), "b-"),
            "D*": (theory.optimal_logit(log_p, log_g).sigmoid(), "b--"),
        }
        for label, (values, style) in curves.items():
            axes.plot(x, values, style, label=label, linewidth=1)
        axes.set(xlabel="x", ylim=(0, 1.2 * max(1.0, float(log_p.exp().max()))))
        axes.legend(loc="upper right")
        return rendered(figure)

    @torch.no_grad()
    def _logit(self, x: Tensor) -> Tensor:
        """Return what the discriminator says of points (M,), in float64 on the CPU, as all integrals are."""
        with evaluation_mode(self.discriminator):
            return self.discriminator(x[:, None].float().to(self.device)).logits.cpu().double()  # type: ignore[no-any-return]

    def _log_p(self, x: Tensor) -> Tensor:
        return theory.normal_log_density(x, self.mean, self.std)

    def _log_g(self, x: Tensor) -> Tensor:
        return theory.normal_log_density(x, *self._generated())

    def _generated(self) -> tuple[Tensor, Tensor]:
        generator = self.networks["generator"]
        assert isinstance(generator, GaussianGenerator)
        return generator.mean.detach().cpu().double(), generator.std.detach().cpu().double().abs()

    def _around(self, mean: Tensor | float, std: Tensor | float) -> theory.Points:
        """Return points around a density with this mean and deviation."""
        x = mean + std * torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
        return theory.Points(x, self._log_p(x), self._log_g(x))
