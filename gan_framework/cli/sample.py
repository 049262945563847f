"""Draws samples of a trained model: grids, single images, walks, translations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gan_framework.cli.other_data import refuse_other_shape
from gan_framework.config.compose import plain
from gan_framework.config.scoring import parse, rescored
from gan_framework.core import seeding
from gan_framework.core.checks import blank
from gan_framework.core.contracts.networks import SAMPLES
from gan_framework.core.game import Game
from gan_framework.core.records import Batch, DataShape, Latent
from gan_framework.data import DataSource, build_source
from gan_framework.data.pixels import fit_as
from gan_framework.errors import ConfigError, GanFrameworkError
from gan_framework.evaluation import decoding, drawing, latents, sampling
from gan_framework.evaluation.classes import class_numbers
from gan_framework.evaluation.folder import image_files, read_images
from gan_framework.evaluation.held_out import show_held_out
from gan_framework.evaluation.inputs import batch_of, given_to, source_of_inputs, targets_of
from gan_framework.evaluation.reference import SPLITS
from gan_framework.evaluation.sampler import Sampler
from gan_framework.registry import registry
from gan_framework.runs.device import choose_device
from gan_framework.runs.restore import load_game
from gan_framework.storage import arrays, files, pictures
from gan_framework.storage.layout import run_folder

ROOTS = ("sampler", "data")
"""What the overrides of a sampling may change."""

BATCH = 100
"""Samples at a time."""


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn.

    Attributes:
        n: how many samples.
        columns: of the grid.
        seed: what the latents follow from.
        classes: the classes to go through in turn, by name or, where they have none, by number; None for all.
        interpolate: whether each row walks between two latents.
        traverse: the code that has another value in each row.
        singles: whether each sample has a file of its own.
        source: the split or the folder of images that samples are made of.
    """

    n: int
    columns: int
    seed: int
    classes: list[str] | None = None
    interpolate: bool = False
    traverse: str | None = None
    singles: bool = False
    source: str | None = None


def sample(run: Path, wanted: Wanted, overrides: list[str], device: str, out: Path | None) -> Path:
    """Draw samples of a run's folder or of a checkpoint, and return where they were written.

    Raises:
        ConfigError: there is no intact checkpoint, the model cannot draw what is wanted, or the folder `sample` in the
            run's is a link to another one.
    """
    parse(overrides, "a sampling", ROOTS)
    game, saved = load_game(run, choose_device(device))
    config = plain(rescored(saved, overrides))
    sampler = _sampler(config, game)
    if sampler is not None and (wanted.interpolate or wanted.traverse is not None):
        raise ConfigError(
            f"sampler={config['sampler']['name']} draws samples of its own and has no effect on --interpolate and "
            "--traverse, which show what the network makes; leave it out"
        )
    show_held_out(sampler, game, lambda split: _fitting(run, game.data, config["data"]).load(split))
    symbols = saved["data"].get("symbols") or ()
    folder = run_folder(run)
    if wanted.traverse is not None:
        path = out or folder / f"traversal_{wanted.traverse}.png"
        with latents.drawing_from(wanted.seed, game.device):
            varied = latents.traverse(game, wanted.traverse, wanted.columns, wanted.seed)
        return pictures.write(path, drawing.drawn(game, varied, wanted.columns, symbols), numbers=True)
    if wanted.interpolate:
        path = out or folder / "interpolation.png"
        walk = latents.interpolate(game, -(-wanted.n // wanted.columns), wanted.columns, wanted.seed)
        with latents.drawing_from(wanted.seed, game.device):
            picture = drawing.draw(game, walk, wanted.columns, symbols=symbols)
        return pictures.write(path, picture, numbers=True)
    names = saved["data"].get("classes") or ()
    classes = None if wanted.classes is None else class_numbers(wanted.classes, names)
    latent, targets = _latent(run, game, wanted, classes, config)
    random = seeding.generator(wanted.seed, "sampler")
    if wanted.singles:
        path = out or folder / "sample"
        if out is None:
            files.refuse_link(path)
        _leave_out_earlier(path, len(latent.z), ours=out is None)
        with latents.drawing_from(wanted.seed, game.device):
            drawing.write_singles(path, game, latent, sampler=sampler, random=random)
        return path
    path = out or folder / "sample.png"
    with latents.drawing_from(wanted.seed, game.device):
        picture = drawing.draw(game, latent, wanted.columns, targets, sampler=sampler, random=random, symbols=symbols)
    again = seeding.generator(wanted.seed, "sampler")
    with latents.drawing_from(wanted.seed, game.device):
        known = _written(path, game, latent, saved["data"], sampler, again, tabled=picture.numbers is not None)
    return pictures.write(path, picture, numbers=not known)


def _leave_out_earlier(folder: Path, count: int, ours: bool) -> None:
    """Delete the images in a folder that an earlier time has left after the first `count`, if it is the run's own.

    Raises:
        ConfigError: it is a user's, who would take them for samples of this time.
    """
    left = pictures.singles_after(folder, count)
    if left and not ours:
        raise ConfigError(
            f"--out {folder} holds {len(left)} images more than the {count} that are drawn, {left[0].name} and so on: "
            "name another folder, or delete them"
        )
    for path in left:
        path.unlink(missing_ok=True)


def _written(
    path: Path,
    game: Game,
    latent: Latent,
    data: dict[str, Any],
    sampler: Sampler | None,
    random: torch.Generator,
    tabled: bool,
) -> list[Path]:
    """Write samples in the form that users of such data know, beside their picture: a table, waves, arrays.

    What is no image of 8 bits, no token and, unless it is `tabled`, written as a table with its picture, is an array in
    an `.npz` file, where the dataset knows no other form.
    """
    shape = decoding.shape_seen(game)
    if shape.vocabulary or (shape.is_image and shape.is_8_bit):
        return []
    samples = torch.cat([part.cpu() for part in sampling.batches(game, latent, BATCH, sampler, random)])
    plugin: Any = registry.find("datasets", data["name"]).load()
    try:
        found: list[Path] = plugin.write(path, samples, data)
    except (GanFrameworkError, OSError):
        raise
    except Exception as error:  # the settings of a checkpoint may be anybody's
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ConfigError(f"the samples cannot be written as those of data={data['name']}: {reason}") from error
    if not found and not tabled:
        found = [arrays.write_npz(path.with_suffix(".npz"), samples)]
    return found


def _sampler(config: dict[str, Any], game: Game) -> Sampler | None:
    if not config.get("sampler"):
        return None
    sampler: Sampler = registry.build("samplers", config["sampler"])
    sampler.check(game)
    return sampler


def _fitting(run: Path, wanted: DataShape, settings: dict[str, Any]) -> DataSource:
    """Return the data of settings, of which samples have the shape that a run was trained on.

    Raises:
        ConfigError: they have another.
    """
    source = build_source(settings)
    refuse_other_shape(run, wanted, source, settings)
    return source


def _latent(
    run: Path, game: Game, wanted: Wanted, classes: list[int] | None, config: dict[str, Any]
) -> tuple[Latent, torch.Tensor | None]:
    """Return what samples are made of, and what they should be where that is known."""
    inputs = targets = None
    if wanted.source is not None:
        if game.generates_from is None:
            raise ConfigError(f"--from {wanted.source}: this model draws samples from its prior alone; leave it out")
        inputs, targets = _inputs(run, game, wanted.source, wanted.n, config)
    elif game.generates_from is not None:
        raise ConfigError(
            "this model makes samples of samples: name them by --from test, --from train or --from FOLDER"
        )
    n = wanted.n if inputs is None else len(inputs.samples)
    return latents.fixed_latent(game, n, wanted.seed, classes, inputs), targets


def _inputs(run: Path, game: Game, source: str, n: int, config: dict[str, Any]) -> tuple[Batch, torch.Tensor | None]:
    """Return at most n samples of a split or a folder, and what is to be made of them if that is known."""
    further = source_of_inputs(game)
    settings = config["data"] if further is None else config["sources"][further]
    if source in SPLITS:
        data = _fitting(run, game.data if further is None else game.data.others[further], settings).load(source)
        indices = torch.arange(min(n, len(data)))
        batch = batch_of(data, indices, game.device)
        return given_to(game, batch), targets_of(game, data, indices, game.device)
    folder = Path(source)
    if not folder.is_dir():
        raise ConfigError(f"--from {source}: it is neither a split ({', '.join(SPLITS)}) nor a folder of images")
    images = _images(game, folder, n, settings)
    name = game.generates_from
    assert name is not None
    if further is not None:
        return given_to(game, Batch(images, _labels_for(game.data.others[further], images))), None
    nothing = blank(game.data, len(images), game.device)
    if name == SAMPLES:
        return Batch(images, nothing.labels, nothing.extra, None, nothing.others), None
    return Batch(nothing.samples, nothing.labels, {**nothing.extra, name: images}, None, nothing.others), None


def _images(game: Game, folder: Path, n: int, settings: dict[str, Any]) -> torch.Tensor:
    """Return the first n images of a folder as the game is given them, brought to their shape as the data were."""
    name, further = game.generates_from, source_of_inputs(game)
    of_data = game.data if further is None else game.data.others[further]
    shape = of_data.sample if name == SAMPLES or further is not None else tuple(of_data.extra[str(name)])
    if len(shape) != 3 or shape[0] not in pictures.COLOURS:
        found = _of_other_files(folder, n, tuple(shape), settings)
        if found is None:
            raise ConfigError(f"--from {folder}: the model is given {name} of shape {shape}, which no image file holds")
        return found.to(game.device)
    paths = image_files(folder)[:n]
    fit = fit_as(settings, shape) if "crop" in settings else None
    pixels = torch.cat(list(read_images(paths, shape, len(paths), fit)))
    return pixels.to(game.device).float().div(127.5).sub(1.0)


def _of_other_files(folder: Path, n: int, shape: tuple[int, ...], settings: dict[str, Any]) -> torch.Tensor | None:
    """Return the first n inputs that the dataset's plugin reads of a folder; None where it reads none."""
    plugin: Any = registry.find("datasets", settings["name"]).load()
    try:
        found: torch.Tensor | None = plugin.read_folder(folder, n, shape, settings)
    except (GanFrameworkError, OSError):
        raise
    except Exception as error:  # the settings of a checkpoint may be anybody's
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ConfigError(f"--from {folder}: data={settings['name']} cannot read it: {reason}") from error
    return found


def _labels_for(shape: DataShape, images: torch.Tensor) -> torch.Tensor | None:
    return blank(shape, len(images), images.device).labels
