"""Whether a network can make values as the data have: one that ends in tanh makes none beyond -1 and 1."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gan_framework.core.checks import blank, without_a_trace
from gan_framework.core.game import Game
from gan_framework.data import Data
from gan_framework.evaluation.spacing import evenly_spaced

LOOKED_AT = 1000
"""Samples at most whose values are looked at."""

MARGIN, SHARE = 0.05, 0.01
"""What lies further out than this part of the range, and this share of all values, is out of reach."""

FAR = 1e4
"""An input of a layer that is as good as none."""

Range = tuple[float, float]


def out_of_reach(game: Game, data: Data) -> tuple[str, Range, Range] | None:
    """Return the last layer, its range and that of the data, if a game's samples cannot have the values of the data.

    8-bit samples, which are in [-1, 1], and tokens are not looked at, and nothing is said of a network whose samples do
    not come from a layer with a range.

    Args:
        game: what is trained.
        data: what it is trained on.
    """
    if game.data.is_8_bit or game.data.vocabulary or not game.generates:
        return None
    found = reach(game)
    if found is None:
        return None
    layer, (low, high) = found
    samples = data.read(evenly_spaced(len(data), min(LOOKED_AT, len(data)))).float()
    margin = MARGIN * (high - low)
    beyond = (samples < low - margin) | (samples > high + margin)
    if float(beyond.float().mean()) <= SHARE:
        return None
    least, greatest = samples.aminmax()
    return layer, (low, high), (float(least), float(greatest))


def reach(game: Game) -> tuple[str, Range] | None:
    """Return the layer that a game's samples come from and the least and greatest value that it lets out.

    None where they come from no layer, from one without such values, or from a compiled network.
    """
    calls: list[tuple[nn.Module, Any, Any]] = []
    network = game.networks[game.sampling_network]
    if getattr(network, "_compiled_call_impl", None) is not None:
        return None  # its layers are not called one by one
    leaves = [layer for layer in network.modules() if layer is not network and not [*layer.children()]]
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output: calls.append((layer, inputs, output)))
        for layer in leaves
    ]
    try:
        with without_a_trace(game):
            made = game.sample(game.latent_for(blank(game.data, 2, game.device)))
    finally:
        for hook in hooks:
            hook.remove()
    if not calls:
        return None
    layer, inputs, output = calls[-1]
    if len(inputs) != 1 or not isinstance(inputs[0], Tensor) or not isinstance(output, Tensor) or _has_state(layer):
        return None
    if output.numel() != made.numel() or not torch.equal(output.float().flatten(), made.flatten()):
        return None  # something comes after it
    ends = _ends(layer, inputs[0].float())
    return None if ends is None else (type(layer).__name__, ends)


def _has_state(layer: nn.Module) -> bool:
    return any(True for _ in (*layer.parameters(), *layer.buffers()))


@torch.no_grad()
def _ends(layer: nn.Module, like: Tensor) -> Range | None:
    """Return what a layer makes of very small and of very great values, if greater ones change nothing."""
    low, high = (layer(torch.full_like(like, value)) for value in (-FAR, FAR))
    further = [layer(torch.full_like(like, 10 * value)) for value in (-FAR, FAR)]
    if not (torch.equal(low, further[0]) and torch.equal(high, further[1])):
        return None
    ends = float(low.min()), float(high.max())
    return ends if ends[0] < ends[1] else None
