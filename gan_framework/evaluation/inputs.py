"""What games that translate are given to be scored: samples of a split."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.checks import forked_random_numbers
from gan_framework.core.game import Game
from gan_framework.core.records import Batch, Latent
from gan_framework.data import Data, encoded
from gan_framework.evaluation.reference import evenly_spaced


class Inputs:
    """Samples of a split, evenly spaced and in their order, from the first on again where there are too few.

    They are read a batch at a time, so that no more than one is held.

    Args:
        data: the split.
        count: how many samples are to be made.
        device: where they are wanted.
    """

    def __init__(self, data: Data, count: int, device: torch.device) -> None:
        chosen = evenly_spaced(len(data), min(count, len(data)))
        self.index = chosen.repeat(-(-count // len(chosen)))[:count]
        self._data = data
        self._device = device

    @property
    def labels(self) -> Tensor | None:
        """The labels of the samples, or None."""
        return None if self._data.labels is None else self._data.labels[self.index].to(self._device)

    def batch(self, of: slice) -> Batch:
        """Return some of the samples, with all that belongs to them."""
        return batch_of(self._data, self.index[of], self._device)

    def give(self, game: Game, latent: Latent, of: slice) -> Latent:
        """Return a part of the latents to be scored with what the game gives its generator of the samples.

        Args:
            game: what is scored.
            latent: the part; its z stays as it is.
            of: which part it is.
        """
        with forked_random_numbers(game.device):
            seeding.reseed(0, "inputs", of.start)  # for games that give noise of their own
            given = game.latent_for(self.batch(of))
        return latent._replace(labels=given.labels, given=given.given)


def batch_of(data: Data, indices: Tensor, device: torch.device) -> Batch:
    """Return samples of a split as networks see them, with all that belongs to them."""
    return Batch(
        encoded(data.read(indices).to(device), data.vocabulary),
        None if data.labels is None else data.labels[indices].to(device),
        {name: encoded(tensor.to(device)) for name, tensor in data.read_extra(indices).items()},
        indices.to(device),
    )
