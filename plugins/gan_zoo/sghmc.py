"""Stochastic-gradient Hamiltonian Monte Carlo: an optimizer whose steps are samples of a posterior."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn, optim

from gan_framework.api import seeding
from gan_zoo.ranges import require_not_negative, require_positive, require_share


class SGHMC(optim.Optimizer):
    """v <- (1 - α) v - η ∇U + N(0, 2 α η), θ <- θ + v (Chen, Fox & Guestrin 2014, arXiv 1402.4102, equation 15).

    U is the negative logarithm of the posterior given all samples of the data, of which the loss is a mean: ∇U = N g.
    The setting `lr` is η N, so that it is an ordinary learning rate of the mean, and the noise has the variance 2 α lr
    / N (Saatci & Wilson 2017, arXiv 1705.09558, Algorithm 1). Without noise it is gradient descent with momentum 1 - α.
    The noise follows from the run's seed, and is the same in all processes.

    Args:
        parameters: what is updated.
        lr: η N.
        alpha: α, the friction, above 0 and at most 1.
        samples: N, the number of samples of the data.
        noise: what the noise's deviation is multiplied by; 1 for the posterior, 0 for none.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, alpha: float, samples: int, noise: float) -> None:
        require_share(alpha=alpha)
        require_positive(samples=samples)
        require_not_negative(noise=noise)
        super().__init__(parameters, {"lr": lr, "alpha": alpha, "samples": samples, "noise": noise})
        for group in self.param_groups:
            for parameter in group["params"]:
                # In the state, which a resumed run takes up, where settings are those of its configuration.
                self.state[parameter]["seed"] = int(torch.randint(2**62, ()))

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        for group in self.param_groups:
            lr, alpha = group["lr"], group["alpha"]
            deviation = group["noise"] * math.sqrt(2 * alpha * lr / group["samples"])
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                steps = state["steps"] = state.get("steps", 0) + 1
                velocity: Tensor = state.setdefault("velocity", torch.zeros_like(parameter))
                velocity.mul_(1 - alpha).add_(parameter.grad, alpha=-lr)
                if deviation:
                    velocity.add_(_noise(parameter, state["seed"], steps), alpha=deviation)
                parameter.add_(velocity)


def _noise(like: Tensor, seed: int, step: int) -> Tensor:
    """Return standard normal noise that follows from a parameter's seed and the step it is for."""
    random = torch.Generator(like.device).manual_seed(seeding.derive(seed, step))
    return torch.randn(like.shape, generator=random, device=like.device, dtype=like.dtype)


def sghmc(parameters: Iterable[nn.Parameter], lr: float, alpha: float, samples: int, noise: float) -> optim.Optimizer:
    """Return stochastic-gradient Hamiltonian Monte Carlo (Saatci & Wilson 2017, arXiv 1705.09558)."""
    return SGHMC(parameters, lr, alpha, samples, noise)
