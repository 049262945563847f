"""Networks as they were, beside the game's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan_framework.api import Game, Judge, Meeting, Pair

State = dict[str, dict[str, Tensor]]
"""Parameters and buffers by network and name."""


def state_of(network: nn.Module) -> dict[str, Tensor]:
    """Return copies of a network's parameters and buffers."""
    return cloned(dict(network.named_parameters()) | dict(network.named_buffers()))


def cloned(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of tensors."""
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def moved(state: State, device: torch.device) -> State:
    """Return a state on a device."""
    return {name: {key: value.to(device) for key, value in of.items()} for name, of in state.items()}


def judged_in(state: State, pair: Pair) -> Pair:
    """Return the same samples before a discriminator of another state; passes change copies of its buffers."""
    judge = pair.judge
    if not isinstance(judge, Judge) or judge.name not in state:
        return pair.judged_by(judge)
    return pair.judged_by(judge.with_state(cloned(state[judge.name])))


def meeting_in(state: State, meeting: Meeting) -> Meeting:
    """Return the same samples before discriminators of another state."""
    return Meeting({name: judged_in(state, pair) for name, pair in meeting.items()})


class Standing(nn.Module):
    """Has a game's networks stand in other states while something is made by them.

    Args:
        game: the game.
    """

    def __init__(self, game: Game) -> None:
        super().__init__()
        self.networks = game.networks

    def forward(self, make: Callable[[], Pair]) -> Pair:
        """Return what is made."""
        return make()


def made_in(state: State, game: Game, make: Callable[[], Pair]) -> Pair:
    """Return a pair that is made while networks of the game stand in another state; what changes are its copies."""
    tensors = {f"networks.{name}.{key}": value for name, of in state.items() for key, value in cloned(of).items()}
    pair: Pair = functional_call(Standing(game), tensors, (make,))
    return pair
