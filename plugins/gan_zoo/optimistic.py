"""Optimizers for games: those that look at the last step too, and momentum of either sign."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn, optim

from gan_zoo.optimizers import two_betas

Parameters = Iterable[nn.Parameter]


class Optimistic(optim.Optimizer):
    """Takes each of an optimizer's steps twice and its last one back: θ - 2 η u_t + η u_{t-1}.

    Optimistic mirror descent with that optimizer's steps η u (Daskalakis et al. 2018, arXiv 1711.00141, equation 4 and
    Algorithm 1); the step before the first is 0. To be derived from before the optimizer.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take one step."""
        updated = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        before = [p.detach().clone() for p in updated]
        last = [self.state[p].pop("last", None) if p in self.state else None for p in updated]
        loss = super().step(closure)
        for parameter, start, previous in zip(updated, before, last, strict=True):
            step = parameter - start
            parameter.add_(step if previous is None else step - previous)
            self.state[parameter]["last"] = step
        return loss


class OptimisticAdam(Optimistic, optim.Adam):
    """Adam, optimistic."""


class OptimisticSGD(Optimistic, optim.SGD):
    """Gradient descent, optimistic."""


class HeavyBall(optim.Optimizer):
    """θ - η g + β (θ_t - θ_{t-1}), where β may be negative, which damps the rotation of alternating updates.

    Gidel et al. 2019, arXiv 1807.04740, equation 6; torch's own momentum cannot be negative.

    Args:
        parameters: what is updated.
        lr: η.
        momentum: β, in (-1, 1).
    """

    def __init__(self, parameters: Parameters, lr: float, momentum: float) -> None:
        if not -1 < momentum < 1:
            raise ValueError(f"momentum={momentum}: it must lie between -1 and 1")
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                step: Tensor = -group["lr"] * parameter.grad
                if "last" in self.state[parameter]:
                    step.add_(self.state[parameter]["last"], alpha=group["momentum"])
                parameter.add_(step)
                self.state[parameter]["last"] = step


def optimistic_adam(
    parameters: Parameters, lr: float, betas: Sequence[float], eps: float, weight_decay: float
) -> optim.Optimizer:
    """Return optimistic Adam (Daskalakis et al. 2018, arXiv 1711.00141, Algorithm 1)."""
    return OptimisticAdam(parameters, lr, two_betas(betas), eps, weight_decay)


def optimistic_sgd(parameters: Parameters, lr: float) -> optim.Optimizer:
    """Return optimistic gradient descent (Daskalakis et al. 2018, arXiv 1711.00141, equation 4)."""
    return OptimisticSGD(parameters, lr)


def heavy_ball(parameters: Parameters, lr: float, momentum: float) -> optim.Optimizer:
    """Return gradient descent with momentum of either sign (Gidel et al. 2019, arXiv 1807.04740)."""
    return HeavyBall(parameters, lr, momentum)
