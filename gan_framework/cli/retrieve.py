"""Finds the samples of a run's data that are nearest to an image, by its game's code and by pixels."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from gan_framework.cli.other_data import refuse_other_shape
from gan_framework.config.compose import plain
from gan_framework.config.scoring import parse, rescored
from gan_framework.core.checks import evaluation_mode
from gan_framework.core.game import Game
from gan_framework.data import Data, Sources, encoded, images
from gan_framework.data.pixels import fit_as
from gan_framework.errors import ConfigError
from gan_framework.evaluation.folder import read_images, shapes_of
from gan_framework.evaluation.inversion import Encodes
from gan_framework.evaluation.reference import SPLITS
from gan_framework.runs.device import choose_device
from gan_framework.runs.restore import load_game
from gan_framework.storage import pictures
from gan_framework.storage.layout import run_folder

BATCH = 256
"""Samples at a time, so that no more are held."""


class Found(NamedTuple):
    """What was found.

    Attributes:
        by_code: the indices in the split of the samples with the nearest codes, nearest first.
        by_pixels: those of the nearest samples themselves.
        path: where the picture was written.
        changes: in words, what was done to an image of another shape than the data's.
    """

    by_code: list[int]
    by_pixels: list[int]
    path: Path
    changes: tuple[str, ...] = ()


def retrieve(run: Path, image: Path, n: int, split: str, overrides: list[str], device: str, out: Path | None) -> Found:
    """Find the n samples nearest to an image, and draw them beside it, the upper row by code, the lower by pixels.

    Distances are Euclidean.

    Args:
        run: a run's folder or a checkpoint.
        image: the file of an image, which is cropped and resized as the data are.
        n: how many samples.
        split: of the data, `train` or `test`.
        overrides: of `data`, where the data lie elsewhere than they did.
        device: where codes are computed.
        out: the file to write; by default `retrieval.png` in the run's folder.

    Raises:
        ConfigError: the game has no encoder, the data are no 8-bit images or too few, or the image cannot be read.
    """
    if split not in SPLITS:
        raise ConfigError(f"--split {split}: choose {' or '.join(SPLITS)}")
    parse(overrides, "a retrieval", ("data",))
    game, saved = load_game(run, choose_device(device))
    if not isinstance(game, Encodes):
        raise ConfigError(
            f"{run}: the model has no encoder, so samples have no codes; choose a run of an auto-encoder "
            "(model=autoencoder, model=vae)"
        )
    shape = game.data.sample
    if not (game.data.is_image and game.data.is_8_bit and shape[0] in pictures.COLOURS):
        raise ConfigError(f"{run}: its samples are of shape {shape} and no 8-bit images of 1 or 3 channels")
    settings = plain(rescored(saved, overrides))["data"]
    fit = fit_as(settings, shape)
    query = next(read_images([image], shape, 1, fit))
    source = Sources(settings, {}).first
    refuse_other_shape(run, game.data, source, settings)
    data = source.load(split)
    if n > len(data):
        raise ConfigError(f"--n {n} is more than the {len(data)} samples of the {split} split")
    by_code, by_pixels = (distances.sort(stable=True).indices[:n] for distances in _distances(game, data, query))
    rows = torch.cat([query, data.read(by_code), query, data.read(by_pixels)])
    path = out or run_folder(run) / "retrieval.png"
    pictures.write(path, pictures.Picture(pictures.tiled(rows, n + 1)))
    return Found(by_code.tolist(), by_pixels.tolist(), path, fit.changes(shapes_of([image])))


def _distances(game: Game, data: Data, query: Tensor) -> tuple[Tensor, Tensor]:
    """Return the squared distances (N,) of all samples to one image, of their codes and of their pixels."""
    assert isinstance(game, Encodes)

    def code(samples: Tensor) -> Tensor:
        return game.code_of(encoded(samples.to(game.device))).flatten(1).double().cpu()

    codes, pixels = [], []
    with torch.no_grad(), evaluation_mode(game):
        own = code(query)
        for samples in images(data, BATCH):
            codes.append((code(samples) - own).square().sum(1))
            pixels.append((samples.int() - query.int()).square().flatten(1).sum(1))
    return torch.cat(codes), torch.cat(pixels)
