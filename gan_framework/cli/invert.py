"""Finds latents of images with a trained model, and draws each image beside what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch

from gan_framework.cli.other_data import refuse_other_labels, refuse_other_shape
from gan_framework.config.compose import plain
from gan_framework.config.scoring import parse, rescored
from gan_framework.data import Sources, encoded
from gan_framework.data.pixels import fit_as
from gan_framework.errors import ConfigError
from gan_framework.evaluation import inversion, latents
from gan_framework.evaluation.classes import class_numbers
from gan_framework.evaluation.folder import image_files, read_images, shapes_of
from gan_framework.evaluation.reference import SPLITS
from gan_framework.runs.device import choose_device
from gan_framework.runs.restore import load_game
from gan_framework.storage import pictures
from gan_framework.storage.layout import run_folder


class Found(NamedTuple):
    """What was found.

    Attributes:
        error: the mean square error, of pixels in [-1, 1].
        how: by what latents were found.
        path: where the picture was written.
        changes: in words, what was done to images of another shape than the run's.
    """

    error: float
    how: str
    path: Path
    changes: tuple[str, ...] = ()


def invert(
    run: Path,
    images: str,
    n: int,
    steps: int | None,
    seed: int,
    columns: int,
    overrides: list[str],
    device: str,
    out: Path | None,
    classes: list[str] | None = None,
) -> Found:
    """Find latents of images and draw pairs (image, reconstruction) side by side.

    Args:
        run: a run's folder or a checkpoint.
        images: an image file, a folder of them, or a split of the run's data, `train` or `test`.
        n: at most so many images.
        steps: of an optimisation; see `inversion.invert`.
        seed: what the first latents follow from.
        columns: pairs side by side.
        overrides: of `data`, where the data lie elsewhere than they did.
        device: where it is computed.
        out: the file to write; by default `inversion.png` in the run's folder.
        classes: of image files in turn, by name, for a conditional model; the data know those of a split.

    Raises:
        ConfigError: there are no such images or classes, the data are no 8-bit images, or the game has no latents to be
            found.
    """
    parse(overrides, "an inversion", ("data",))
    game, saved = load_game(run, choose_device(device))
    shape = game.data.sample
    if not (game.data.is_image and game.data.is_8_bit and shape[0] in pictures.COLOURS):
        raise ConfigError(f"{run}: its samples are of shape {shape} and no 8-bit images of 1 or 3 channels")
    settings = plain(rescored(saved, overrides))["data"]
    if images in SPLITS and not Path(images).exists():
        if classes is not None:
            raise ConfigError(f"--classes goes with image files: those of the split {images} are known")
        source, changes = Sources(settings, {}).first, tuple[str, ...]()
        refuse_other_shape(run, game.data, source, settings)
        if game.conditional:
            refuse_other_labels(run, game.data, source, settings["name"])
        data = source.load(images)
        chosen = torch.arange(min(n, len(data)))
        pixels, labels = data.read(chosen), None if data.labels is None else data.labels[chosen].to(game.device)
    else:
        paths, fit = _files(Path(images), n), fit_as(settings, shape)
        pixels, changes = torch.cat([*read_images(paths, shape, len(paths), fit)]), fit.changes(shapes_of(paths))
        numbers = None if classes is None else class_numbers(classes, saved["data"].get("classes") or ())
        labels = None if numbers is None else latents.fixed_latent(game, len(paths), seed, numbers).labels
    x = encoded(pixels.to(game.device))
    found = inversion.invert(game, x, steps, seed=seed, labels=labels if game.conditional else None)
    pairs = torch.stack([x, found.reconstructed.to(x.dtype)], 1).flatten(0, 1)
    path = out or run_folder(run) / "inversion.png"
    pictures.write(path, pictures.Picture(pictures.grid(pairs, 2 * min(columns, len(x)))))
    return Found(float(found.errors.mean()), found.how, path, changes)


def _files(path: Path, n: int) -> list[Path]:
    if not path.exists():
        raise ConfigError(f"{path}: there is no such image, no such folder, and the splits are {', '.join(SPLITS)}")
    return image_files(path)[:n] if path.is_dir() else [path]
