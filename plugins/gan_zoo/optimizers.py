"""The optimizers of torch, with the settings that GAN papers change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn, optim

Parameters = Iterable[nn.Parameter]


def two_betas(betas: Sequence[float]) -> tuple[float, float]:
    """Return Adam's two decays as floats; ValueError if there are not two."""
    if len(betas) != 2:
        raise ValueError(f"betas={list(betas)}: two numbers are needed, as in [0.5,0.999]")
    # A YAML `0` is an int, which newer versions of torch refuse.
    first, second = betas
    return float(first), float(second)


def adam(
    parameters: Parameters, lr: float, betas: Sequence[float], eps: float, weight_decay: float, fused: bool
) -> optim.Optimizer:
    """Return Adam (Kingma & Ba 2015, arXiv 1412.6980)."""
    return optim.Adam(parameters, lr, two_betas(betas), eps, weight_decay, fused=fused)


def adamw(
    parameters: Parameters, lr: float, betas: Sequence[float], eps: float, weight_decay: float, fused: bool
) -> optim.Optimizer:
    """Return AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101)."""
    return optim.AdamW(parameters, lr, two_betas(betas), eps, weight_decay, fused=fused)


def rmsprop(parameters: Parameters, lr: float, alpha: float, eps: float, momentum: float) -> optim.Optimizer:
    """Return RMSprop (Hinton's lecture 6e), `alpha` being the decay of the squared gradient's average."""
    return optim.RMSprop(parameters, lr, alpha, eps, momentum=momentum)


def sgd(parameters: Parameters, lr: float, momentum: float, nesterov: bool, weight_decay: float) -> optim.Optimizer:
    """Return stochastic gradient descent with momentum."""
    return optim.SGD(parameters, lr, momentum, nesterov=nesterov, weight_decay=weight_decay)


def adamax(
    parameters: Parameters, lr: float, betas: Sequence[float], eps: float, weight_decay: float
) -> optim.Optimizer:
    """Return Adamax (Kingma & Ba 2015, arXiv 1412.6980, section 7.1)."""
    return optim.Adamax(parameters, lr, two_betas(betas), eps, weight_decay)
