"""Pictures of what a game makes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gan_framework.core.records import Latent
from gan_framework.errors import ConfigError
from gan_framework.evaluation import decoding, sampling
from gan_framework.evaluation.sampler import Sampler
from gan_framework.storage import pictures
from gan_framework.storage.pictures import COLOURS, Picture

if TYPE_CHECKING:
    from gan_framework.core.game import Game

IN_8_BITS = (-1.0, 1.0)
"""The range in which games are trained on samples of 256 levels."""


def draw(
    game: Game,
    latent: Latent,
    columns: int,
    targets: Tensor | None = None,
    sampler: Sampler | None = None,
    random: torch.Generator | None = None,
    symbols: Sequence[str] = (),
) -> Picture:
    """Draw what a game makes of latents, in its own way or by the shape.

    Where classes are gone through in turn, and they are few, each has columns of its own.

    Images that are made of images are each drawn behind the one that it is made of, if that is of the same size or of
    an integer part of it; so are sequences of tokens.

    Args:
        game: what makes the samples.
        latent: what they are made of.
        columns: samples side by side, or as many more as the classes need.
        targets: what the samples should be, to be drawn behind each, for games that make samples of samples.
        sampler: draws the samples; None takes what the network makes.
        random: the random numbers of the sampler.
        symbols: what each symbol is written as where samples are tokens.
    """
    columns = by_class(latent.labels if game.conditional else None, columns)
    own = game.picture(latent, columns) if sampler is None else None
    if own is not None:
        return Picture(own)
    samples = torch.cat(list(sampling.batches(game, latent, len(latent.z), sampler, random)))
    given = latent.given.get(game.generates_from) if game.generates_from is not None else None
    given = None if given is None else _enlarged(given, samples)
    row = [images for images in (given, samples, targets) if images is not None]
    if game.data.vocabulary and len(row) > 1 and all(_are_tokens(one, game) for one in row):
        return pictures.written([one.argmax(2) if one.ndim == 3 else one for one in row], symbols)
    row = [images for images in row if _beside(images, samples)]  # no text, and no map of other channels
    if len(row) > 1:
        return Picture(_side_by_side(row, columns, value_range_of(game)))
    return drawn(game, samples, columns, symbols)


def by_class(labels: Tensor | None, columns: int) -> int:
    """Return the number of columns, at least as many as wanted, in which each column has samples of one class.

    Args:
        labels: classes (N,) that are gone through in turn, or whatever else, which needs no other columns.
        columns: how many are wanted; not more than twice as many are returned.
    """
    if labels is None or labels.ndim != 1:
        return columns
    turns = next((turn for turn in range(1, 2 * columns + 1) if bool((labels[turn:] == labels[:-turn]).all())), 1)
    wider = -(-columns // turns) * turns
    return wider if wider <= 2 * columns and turns < len(labels) else columns


def drawn(game: Game, samples: Tensor, columns: int, symbols: Sequence[str] = ()) -> Picture:
    """Draw samples that a game has made, as they are seen, by their shape."""
    return pictures.draw(samples, columns, value_range_of(game), game.data.vocabulary, symbols)


def write_singles(
    folder: Path,
    game: Game,
    latent: Latent,
    batch_size: int = 100,
    sampler: Sampler | None = None,
    random: torch.Generator | None = None,
) -> None:
    """Write the samples of latents as PNGs of their own, `000000.png` and so on.

    Args:
        folder: where they are written.
        game: what makes them.
        latent: what they are made of.
        batch_size: samples at a time.
        sampler: draws them; None takes what the network makes.
        random: the random numbers of the sampler.

    Raises:
        ConfigError: the samples are no grey or colour images, or it is not known which values are black and white.
    """
    shape, value_range = decoding.shape_seen(game).sample, value_range_of(game)
    if len(shape) != 3 or shape[0] not in COLOURS:
        raise ConfigError(f"samples of shape {shape} are not images of 1 or 3 channels and make no single files")
    if value_range is None or not all(map(math.isfinite, value_range)):
        raise ConfigError(f"samples between {value_range} have no black and no white and make no single files")
    for number, samples in enumerate(sampling.batches(game, latent, batch_size, sampler, random)):
        pictures.write_singles(folder, samples, number * batch_size, value_range)


def value_range_of(game: Game) -> tuple[float, float] | None:
    """Return the values that are black and white in samples of a game; None where they are not known."""
    shape = decoding.shape_seen(game)
    return IN_8_BITS if shape.is_8_bit else shape.value_range


def _are_tokens(given: Tensor, game: Game) -> bool:
    """Return whether what is given are tokens (N, T) or one-hot ones (N, T, V) of a game's vocabulary."""
    vocabulary = game.data.vocabulary
    if given.ndim == 3:
        return given.shape[2] == vocabulary
    return given.ndim == 2 and not given.is_floating_point() and bool((given < vocabulary).all())


def _enlarged(images: Tensor, samples: Tensor) -> Tensor:
    """Return images as large as samples, in squares for pixels, where these are so many times as large."""
    if images.ndim != 4 or samples.ndim != 4:
        return images
    times, rest = divmod(samples.shape[2], images.shape[2])
    if times < 2 or rest or samples.shape[3] != times * images.shape[3]:
        return images
    return images.repeat_interleave(times, 2).repeat_interleave(times, 3)


def _beside(images: Tensor, samples: Tensor) -> bool:
    """Return whether images can stand beside samples."""
    of_one_size = images.ndim == 4 and images.shape[2:] == samples.shape[2:] and len(images) == len(samples)
    return of_one_size and images.shape[1] in COLOURS


def _side_by_side(row: list[Tensor], columns: int, value_range: tuple[float, float] | None) -> Tensor:
    """Return images that belong together, (N, 1 or 3, H, W) each, beside each other as one picture (3, H', W')."""
    shades = [pictures.to_shades(images, value_range) for images in row]
    coloured = torch.stack([shade.expand(-1, 3, -1, -1) for shade in shades], 1)
    return pictures.tiled(coloured.flatten(0, 1), max(columns // len(row), 1) * len(row))
