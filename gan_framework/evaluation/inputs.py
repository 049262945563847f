"""What games that translate are given to be scored: samples of a split."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gan_framework.core import seeding
from gan_framework.core.checks import forked_random_numbers
from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.core.game import Game
from gan_framework.core.records import EMPTY, Batch, Latent
from gan_framework.data import Data, encoded
from gan_framework.data.source import CHUNK
from gan_framework.evaluation.metric import PairedSamples
from gan_framework.evaluation.spacing import evenly_spaced


def source_of_inputs(game: Game) -> str | None:
    """Return the name of the further source that a game makes samples of; None for games that make them otherwise."""
    return game.generates_from if game.generates_from in game.data.others else None


def given_to(game: Game, batch: Batch) -> Batch:
    """Return a batch of what a game makes samples of as the game finds it: among those of further sources, if there."""
    name = source_of_inputs(game)
    return batch if name is None else Batch(batch.samples, batch.labels, EMPTY, None, {name: batch})


class Inputs:
    """Samples of a split, evenly spaced and in their order, from the first on again where there are too few.

    They are read a batch at a time, so that no more than one is held. Where the first samples alone are kept for
    metrics that read some, the order is a random one, the same each time: data are often in the order of their classes.

    Args:
        data: the split.
        count: how many samples are to be made.
        device: where they are wanted.
        seed: what the noise follows from that a game gives beside them.
        kept: how many of the samples are kept.
    """

    def __init__(self, data: Data, count: int, device: torch.device, seed: int = 0, kept: int = 0) -> None:
        chosen = evenly_spaced(len(data), min(count, len(data)))
        if 0 < kept < len(chosen):
            chosen = chosen[torch.randperm(len(chosen), generator=seeding.generator(0, "inputs"))]
        self.distinct = len(chosen)
        self.index = chosen.repeat(-(-count // len(chosen)))[:count]
        self._data = data
        self._device = device
        self._seed = seed
        self._asked: dict[int, Tensor] = {}

    @property
    def asked(self) -> Tensor | None:
        """The labels that the game asked for, of all that it was given so far; None where it asked for none."""
        return torch.cat([self._asked[start] for start in sorted(self._asked)]) if self._asked else None

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
            seeding.reseed(self._seed, "inputs", of.start)  # for games that give noise of their own
            given = game.latent_for(given_to(game, self.batch(of)))
        if given.labels is not None:
            self._asked[of.start] = given.labels
        return latent._replace(labels=given.labels, given=given.given)

    def know_targets(self, game: Game) -> bool:
        """Return whether it is known what a game should make of the samples."""
        return _is_extra(game) or self._data.read_truth(self.index[:1]) is not None

    def beside(self, game: Game, generated: Tensor) -> Iterator[PairedSamples]:
        """Yield what was made of the first samples, each once, beside the samples and what they should be."""
        for start in range(0, min(len(generated), self.distinct), CHUNK):
            part = generated[start : start + CHUNK]
            part = part[: self.distinct - start]
            index = self.index[start : start + len(part)]
            extra = dict(self._data.read_extra(index))
            if _is_extra(game):
                inputs, target = extra.pop(str(game.generates_from)), self._data.read(index)
            else:
                truth = self._data.read_truth(index)
                assert truth is not None
                inputs, target = self._data.read(index), truth
            yield PairedSamples(inputs, part, target, extra)


def _is_extra(game: Game) -> bool:
    """Return whether samples are made of an extra of the data, so that the data are what they should be."""
    return game.generates_from != SAMPLES and source_of_inputs(game) is None


def targets_of(game: Game, data: Data, indices: Tensor, device: torch.device) -> Tensor | None:
    """Return what a game should make of samples of a split, as networks see it; None where nobody knows."""
    found = data.read(indices) if _is_extra(game) else data.read_truth(indices)
    return None if found is None else encoded(found.to(device), data.vocabulary)


def batch_of(data: Data, indices: Tensor, device: torch.device) -> Batch:
    """Return samples of a split as networks see them, with all that belongs to them."""
    return Batch(
        encoded(data.read(indices).to(device), data.vocabulary),
        None if data.labels is None else data.labels[indices].to(device),
        {name: encoded(tensor.to(device)) for name, tensor in data.read_extra(indices).items()},
        indices.to(device),
    )
