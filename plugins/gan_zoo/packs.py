"""A discriminator's first layer, that takes several samples at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from gan_framework.api import ConfigError, Game

CONVOLUTIONS = {nn.Conv1d: nn.Conv1d, nn.Conv2d: nn.Conv2d, nn.Conv3d: nn.Conv3d}


class OnPacks(nn.Module):
    """Packs samples that lie beside each other in a batch, and hands each pack to a layer as one sample.

    What is left over of a batch is dropped, and a batch smaller than two packs fills two with repetitions: so it is
    where shapes are tried, while in training batches are multiples of packs.

    Args:
        layer: takes m times the channels, or features, of a sample.
        m: samples in a pack.
    """

    def __init__(self, layer: nn.Module, m: int) -> None:
        super().__init__()
        self.layer = layer
        self.m = m

    def forward(self, x: Tensor) -> Tensor:
        """Map samples (N, C, ...) to what the layer makes of their packs (N / m, m · C, ...)."""
        least = 2 * self.m
        if len(x) < least:
            x = x.repeat(-(-least // len(x)), *[1] * (x.ndim - 1))[:least]
        packs = len(x) // self.m
        packed: Tensor = self.layer(x[: packs * self.m].unflatten(0, (packs, self.m)).flatten(1, 2))
        return packed


def is_packed(network: nn.Module) -> bool:
    """Return whether a network takes several samples at once."""
    return any(isinstance(layer, OnPacks) for layer in network.modules())


def refuse_packs(game: Game, network: str, what: str) -> None:
    """See that a network judges single samples.

    Raises:
        ConfigError: the strategy `pack` lets it judge several at once; names what asks for it.
    """
    if is_packed(game.network(network)):
        raise ConfigError(
            f"{what} asks what is said of each single sample, and pack lets networks.{network} judge several at once: "
            "choose one of them"
        )


def widened(layer: nn.Module, m: int) -> nn.Module:
    """Return a linear or convolution layer that takes m times the channels, the first of them as the layer does.

    Weights for the others are drawn from a normal distribution of the present ones' deviation. A spectral norm goes
    over to the whole.

    Raises:
        TypeError: it is another layer, has groups, or is parametrised in another way.
    """
    power_iterations = 0
    if parametrize.is_parametrized(layer, "weight"):
        found = layer.parametrizations.weight  # type: ignore[union-attr]
        if len(found) != 1 or not isinstance(found[0], parametrizations._SpectralNorm):  # type: ignore[index, arg-type]
            raise TypeError("its weights are parametrised")
        power_iterations = found[0].n_power_iterations  # type: ignore[index]
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    wide = _like(layer, m)
    assert isinstance(layer.weight, Tensor) and isinstance(wide.weight, Tensor)
    with torch.no_grad():
        channels = layer.weight.shape[1]
        wide.weight.normal_(0.0, float(layer.weight.std()))
        wide.weight[:, :channels] = layer.weight
        if isinstance(layer.bias, Tensor) and isinstance(wide.bias, Tensor):
            wide.bias.copy_(layer.bias)
    if power_iterations:
        parametrizations.spectral_norm(wide, n_power_iterations=power_iterations)
    return wide


def _like(layer: nn.Module, m: int) -> nn.Module:
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return nn.Linear(m * layer.in_features, layer.out_features, bias)
    if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d)) and layer.groups == 1:
        kind = next(kind for kind in CONVOLUTIONS if isinstance(layer, kind))
        return kind(
            m * layer.in_channels,
            layer.out_channels,
            layer.kernel_size,  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
            layer.dilation,  # type: ignore[arg-type]
            bias=bias,
            padding_mode=layer.padding_mode,
        )
    raise TypeError(f"it is {type(layer).__name__}")
