"""Shows samplers the held-out samples that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch

from gan_framework.core import seeding
from gan_framework.core.checks import forked_random_numbers
from gan_framework.core.game import Game
from gan_framework.core.records import Batch
from gan_framework.data import Data
from gan_framework.errors import ConfigError
from gan_framework.evaluation.inputs import batch_of
from gan_framework.evaluation.sampler import Sampler, as_promised
from gan_framework.evaluation.spacing import evenly_spaced

HELD_OUT = "test"
"""The split whose samples no network has been trained on."""

BATCH = 100
"""Samples at a time."""


def show_held_out(sampler: Sampler | None, game: Game, load: Callable[[str], Data]) -> None:
    """Show a sampler as many samples of the held-out split, evenly spaced, as it asks for.

    Args:
        sampler: what will draw the samples; None where the game's network does.
        game: the trained game.
        load: returns a split of the game's data by name.

    Raises:
        ConfigError: the data have no held-out split; names the sampler.
    """
    if sampler is None or not sampler.held_out:
        return
    try:
        data = load(HELD_OUT)
    except ConfigError as error:
        raise ConfigError(f"sampler={sampler.name} needs the {HELD_OUT} split of the data: {error}") from error
    show(sampler, game, _batches(data, sampler.held_out, game.device))


def show(sampler: Sampler, game: Game, batches: Iterable[Batch]) -> None:
    """Show a sampler batches of real samples; what is drawn for it is always the same and leaves no trace."""
    with as_promised(game), forked_random_numbers(game.device):
        seeding.reseed(0, "held_out")
        sampler.see_held_out(game, batches)


def _batches(data: Data, most: int, device: torch.device) -> Iterator[Batch]:
    for indices in evenly_spaced(len(data), min(most, len(data))).split(BATCH):
        yield batch_of(data, indices, device)
