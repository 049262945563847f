"""The steps of optimizers as functions of gradients, through which a gradient flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn, optim

from gan_framework.api import ConfigError

Key = Any
"""Names a parameter."""

Steps = Callable[[Mapping[Key, Tensor]], dict[Key, Tensor]]
"""Maps gradients by parameter's name to what is to be added to the parameters, and remembers it for the next step."""


class GradientSteps:
    """Steps of gradient descent.

    Args:
        lr: the learning rate.
    """

    def __init__(self, lr: float) -> None:
        self.lr = lr

    def __call__(self, gradients: Mapping[Key, Tensor]) -> dict[Key, Tensor]:
        """Return -lr times the gradients."""
        return {name: -self.lr * gradient for name, gradient in gradients.items()}


class AdamSteps:
    """The steps that Adam would take from where it stands (Kingma & Ba 2015, arXiv 1412.6980, Algorithm 1).

    Args:
        optimizer: is left as it is.
        parameters: what it updates, by name.
    """

    def __init__(self, optimizer: optim.Adam, parameters: Mapping[Key, nn.Parameter]) -> None:
        self.group = optimizer.param_groups[0]
        states = {name: optimizer.state.get(parameter) for name, parameter in parameters.items()}
        self.taken = {name: int(state["step"]) if state else 0 for name, state in states.items()}
        self.first: dict[Key, Tensor | float] = {n: state["exp_avg"] if state else 0.0 for n, state in states.items()}
        self.second: dict[Key, Tensor | float] = {
            n: state["exp_avg_sq"] if state else 0.0 for n, state in states.items()
        }

    def __call__(self, gradients: Mapping[Key, Tensor]) -> dict[Key, Tensor]:
        """Return Adam's updates, and move on its moments."""
        lr, eps = self.group["lr"], self.group["eps"]
        beta1, beta2 = self.group["betas"]
        updates = {}
        for name, gradient in gradients.items():
            self.taken[name] += 1
            self.first[name] = first = beta1 * self.first[name] + (1 - beta1) * gradient
            self.second[name] = second = beta2 * self.second[name] + (1 - beta2) * gradient.square()
            mean = first / (1 - beta1 ** self.taken[name])
            # Where all gradients have been zero, the root has no derivative.
            square = second / (1 - beta2 ** self.taken[name]) + torch.finfo(gradient.dtype).tiny
            updates[name] = -lr * mean / (square.sqrt() + eps)
        return updates


def steps_of(optimizer: optim.Optimizer, parameters: Mapping[Key, nn.Parameter]) -> Steps:
    """Return the steps that an optimizer would take from where it stands.

    Raises:
        ConfigError: it is neither Adam nor gradient descent, or has momentum or weight decay beside.
    """
    settings = optimizer.defaults
    plain = not settings.get("weight_decay") and not settings.get("amsgrad") and not settings.get("maximize")
    # No others that derive from these, as optimistic ones: their steps are not the same.
    if type(optimizer) in (optim.Adam, optim.AdamW) and plain:
        return AdamSteps(cast(optim.Adam, optimizer), parameters)
    if type(optimizer) is optim.SGD and plain and not settings["momentum"]:
        return GradientSteps(optimizer.param_groups[0]["lr"])
    raise ConfigError(
        "strategy.unrolled.lr=null looks ahead by the steps of the discriminator's own optimizer, which can be adam "
        "or sgd without momentum and weight decay; choose one of them, or give strategy.unrolled.lr a learning rate"
    )
