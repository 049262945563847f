"""The contract of a sampler: another way of drawing samples from a trained game."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from gan_framework.core.checks import blank, evaluation_mode
from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.core.pair import Meeting
from gan_framework.core.records import Batch, Latent

if TYPE_CHECKING:
    from gan_framework.core.game import Game

AVERAGED = "_ema"
"""How the name of a network ends that is another with averaged weights."""


class Sampler(ABC):
    """Makes samples of latents with a trained game: by rejection, by a walk in the latents, by truncation.

    It is asked under `torch.no_grad`, with all networks in evaluation mode, and may ask the game's judges. It does so
    through `pairs_of`, so that a judge of (x, z) is given both. Its public attributes are its settings and part of
    the protocol.

    Attributes:
        name: what it is called in protocols.
    """

    name: ClassVar[str]

    def check(self, game: Game) -> None:  # noqa: B027 (some fit every game)
        """Raise ConfigError, naming both parts, if the sampler cannot draw from such a game."""

    @property
    def held_out(self) -> int:
        """How many held-out real samples `see_held_out` is to be shown at most; 0 for none."""
        return 0

    def see_held_out(self, game: Game, real: Iterable[Batch]) -> None:  # noqa: B027 (most need nothing)
        """Find out how far what the judges say can be trusted, once for a trained game, before `prepare`.

        Args:
            game: the trained game.
            real: held-out samples of its data, `held_out` of them at most.
        """

    def prepare(self, game: Game, latent: Latent, random: torch.Generator) -> None:  # noqa: B027 (most need nothing)
        """Find out what drawing needs to know of the game, once before samples of it are drawn.

        Args:
            game: the trained game.
            latent: the first of the latents that samples are to be drawn for.
            random: as for `draw`.
        """

    @abstractmethod
    def draw(self, game: Game, latent: Latent, random: torch.Generator) -> Tensor:
        """Return samples (N, ...) for N latents.

        Args:
            game: the trained game.
            latent: where to begin; labels and what is given stay as they are.
            random: where all random numbers come from; it may live on the CPU whatever the game's device.
        """

    def settings(self) -> dict[str, Any]:
        """Return the settings, for the protocol."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


@contextmanager
def as_promised(game: Game) -> Iterator[None]:
    """Have a game inside the context as samplers are promised it."""
    with torch.no_grad(), evaluation_mode(game.networks):
        yield


def pairs_of(game: Game, latent: Latent, real: Batch | None = None) -> Meeting:
    """Return the pairs of what is made of latents, before their judges, by name.

    It is made by the network that the game's samples come from, with averaged weights where they do.

    Args:
        game: the trained game.
        latent: what the generated side is made of.
        real: the real side; None leaves it blank, but for what the latents are given.
    """
    if real is None:
        nothing = blank(game.data, len(latent.z), game.device)
        given = {name: latent.given.get(name, tensor) for name, tensor in nothing.extra.items()}
        samples = latent.given.get(SAMPLES, nothing.samples)
        real = replace(nothing, samples=samples, labels=latent.labels, extra=given)
    with _averages_in_place(game):
        return game.pair_up(real, latent)


@contextmanager
def _averages_in_place(game: Game) -> Iterator[None]:
    """Have networks with averaged weights stand where their originals do, if samples come from one of them."""
    if not game.sampling_network.endswith(AVERAGED):
        yield
        return
    originals = {name: network for name, network in game.networks.items() if f"{name}{AVERAGED}" in game.networks}
    try:
        for name in originals:
            game.networks[name] = game.networks[f"{name}{AVERAGED}"]
        yield
    finally:
        game.networks.update(originals)
