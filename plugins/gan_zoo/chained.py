"""Generators that are other networks of their game, one after another."""

from __future__ import annotations

from torch import nn

from gan_framework.api import Generator


class Chained(Generator):
    """The base of a generator without parameters of its own, which a game makes of its networks to sample from.

    Attributes:
        links: the networks, in a tuple, because the game has registered them already.

    Args:
        links: the networks.
    """

    links: tuple[nn.Module, ...]

    def __init__(self, *links: nn.Module) -> None:
        super().__init__()
        self.links = links
