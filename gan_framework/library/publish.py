"""Publishes a trained model: as a folder, on the Hugging Face Hub."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from gan_framework import __version__
from gan_framework.config.plugins import plugins_of
from gan_framework.core import seeding
from gan_framework.errors import ConfigError
from gan_framework.evaluation import drawing, latents
from gan_framework.evaluation.sampler import AVERAGED
from gan_framework.library import card, deployed
from gan_framework.library.inline import newest_samples
from gan_framework.library.model import Model, about, load
from gan_framework.library.shown import COLUMNS
from gan_framework.registry import registry
from gan_framework.runs import exported, restore
from gan_framework.runs.exported import ABOUT, FORMAT, REST, sha256
from gan_framework.runs.summary import versions
from gan_framework.storage import files, foreign, hub, pictures, tensors
from gan_framework.storage.layout import RunFolder

SAFETENSORS = "safetensors"

DEPLOYED: dict[str, Callable[[Model, Path], None]] = {"onnx": deployed.onnx, "torchscript": deployed.torchscript}
"""The forms of a generator that are written beside its weights, where they are asked for."""

FORMATS = (SAFETENSORS, *DEPLOYED)

TEXTS = ("README.md", card.GRID)
"""What is shown of a model: its card, and its samples."""

PUBLISHED = (*TEXTS, exported.CONFIG, ABOUT, f"*{tensors.SUFFIX}", *(f"generator.{form}" for form in DEPLOYED))
"""The files that a published model consists of: nothing else of a repository, whoever wrote it, is downloaded."""

GRID_OF = 64
"""Samples in the grid."""

TRIED = 4
"""Samples that are drawn of the model and of what was written, to see that they are the same."""


def export(
    run: Path,
    out: Path,
    discriminator: bool = False,
    formats: Sequence[str] = (SAFETENSORS,),
    repository: str | None = None,
) -> Path:
    """Write a trained model into a folder that `load` reads, and return it.

    It holds weights, configuration, class names, sampler, protocol and scores, a grid of samples and a model card.
    Nothing in it tells where the run lay, or who tracked it.

    Args:
        run: the run's folder (its newest checkpoint), or a checkpoint.
        out: the folder to write; a new one, or that of an earlier export.
        discriminator: whether the discriminator's side is written too.
        formats: further forms of the generator: `onnx`, `torchscript`.
        repository: where it is to be published, for the model card; None for the folder.

    Raises:
        ConfigError: there is no such run, the folder is not free, or the model cannot be written in a form.
    """
    _check(out, formats)
    if run.is_dir() and exported.is_exported(run):
        raise ConfigError(f"{run} is an exported model already")
    game, state = restore.load(run)
    config = without_places(state["config"])
    known = about(state)
    model = Model(game, state["config"], known, str(run))
    out.mkdir(parents=True, exist_ok=True)
    (out / ABOUT).unlink(missing_ok=True)  # until all is written, the folder is no model
    networks, plain = _write_networks(model, discriminator, out)
    _write_rest(model, out / REST)
    written = [form for form in DEPLOYED if form in formats]
    for form in written:
        DEPLOYED[form](model, out / f"generator.{form}")
    files.write_text(out / exported.CONFIG, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    grid = _draw_grid(model, run, out / card.GRID)
    weights = [*networks.values(), *(f"generator.{form}" for form in written)]
    present = [name for name in (*weights, REST) if (out / name).exists()]
    files.write_text(out / "README.md", card.write(model, weights, repository or out.name, grid, versions()))
    content = {
        "format": FORMAT,
        "gan_framework": __version__,
        "shape": game.data.plain(),
        "networks": networks,
        "plain": plain,
        "sampling_network": game.sampling_network,
        "conditional": game.conditional,
        "classes": model.classes,
        "sampler": config.get("sampler") or None,
        **known,
        "sha256": {name: sha256(out / name) for name in present},
    }
    files.write_json(out / ABOUT, content)
    _try(model, out)
    return out


def push(
    run: Path,
    repository: str,
    discriminator: bool = False,
    formats: Sequence[str] = (SAFETENSORS,),
    private: bool = False,
    message: str | None = None,
) -> str:
    """Publish a run, or what was exported of one, on the Hugging Face Hub; return the address of the commit.

    Args:
        run: the run's folder, a checkpoint, or an exported model's folder, which is published as it is.
        repository: `hf:OWNER/NAME`; it is made if there is none.
        discriminator: as for `export`.
        formats: as for `export`.
        private: whether a repository that is made is private.
        message: of the commit.

    Raises:
        ConfigError: as for `export`, or the repository cannot be written.
    """
    name = str(hub.repository(repository))
    if run.is_dir() and exported.is_exported(run):
        if discriminator or [*formats] != [SAFETENSORS]:
            raise ConfigError(f"{run} is published as it was exported: --discriminator and --format go with a run")
        return hub.upload(run, name, message or f"Published by gan-framework {__version__}", private)
    with tempfile.TemporaryDirectory() as folder:
        out = export(run, Path(folder) / "model", discriminator, formats, name)
        return hub.upload(out, name, message or f"Published by gan-framework {__version__}", private)


def pull(repository: str, out: Path | None = None) -> Path:
    """Download a published model into a folder, see that it is whole, and return the folder.

    Args:
        repository: `hf:OWNER/NAME`, or `hf:OWNER/NAME@REVISION`.
        out: the folder; None for one that is called like the repository.

    Raises:
        ConfigError: there is none, it is no model of this framework, or it is damaged: then nothing is written.
    """
    wanted = hub.repository(repository)
    folder = out if out is not None else Path(wanted.name.rpartition("/")[2])
    _check(folder, ())
    with files.unfinished_folder(folder) as place:
        hub.fetch(repository, place, only=PUBLISHED)
        if not exported.is_exported(place):
            raise ConfigError(f"{wanted} is no model that gan-framework has published: it holds no {ABOUT}")
        found = exported.Exported.read(place, str(wanted))
        found.check()
        _put(place, [*TEXTS, *found.about["sha256"], exported.CONFIG, ABOUT], folder)
    return folder


def _put(place: Path, names: Sequence[str], folder: Path) -> None:
    """Move the files of a whole model into a folder, in which an older one may lie."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)  # until all is there, the folder is no model
    for name in names:
        if (place / name).is_file():
            os.replace(place / name, folder / name)


def without_places(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without what is of one machine or one account: trackers, folders of data, sources."""
    shown: dict[str, Any] = {**config, "tracker": {}, "train": {**config["train"], "resume": "auto"}}
    for place, kind, settings in plugins_of(config):
        if kind == "trackers":
            continue
        own = dict(settings)
        if kind in ("datasets", "extractors", "metrics"):
            own |= {key: path.name for key, path in registry.file_settings(kind, settings).items()}
        if own.get("from") and not hub.is_on_hub(str(own["from"])):
            own["from"] = Path(own["from"]).name
        section, _, name = place.partition(".")
        shown[section] = {**shown[section], name: own} if name else own
    return shown


def _check(out: Path, formats: Sequence[str]) -> None:
    for form in formats:
        if form not in FORMATS:
            raise ConfigError(f"--format {form}: choose {', '.join(FORMATS)}")
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file: name a folder")
    if out.is_dir() and any(out.iterdir()) and not exported.is_exported(out):
        raise ConfigError(f"{out} is not empty and no exported model: name a new folder")


def _file_name(network: str, all_of_them: Sequence[str]) -> str:
    plain = network.removesuffix(AVERAGED)
    return network if plain != network and plain in all_of_them else plain


def _write_networks(model: Model, discriminator: bool, out: Path) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Write what samples, and the discriminator's side if it is asked for or needed to sample.

    Returns:
        The name of each network's file, and what its state holds beside tensors, where it holds such.
    """
    game = model.game
    names = [game.sampling_network]
    if discriminator or model.sampler is not None:
        names += [name for name in game.critics if name not in names]
    networks = {name: f"{_file_name(name, names)}{tensors.SUFFIX}" for name in names}
    plain: dict[str, dict[str, Any]] = {}
    for name, file in networks.items():
        held, rest = _split(game.networks[name])
        tensors.write(out / file, held, {"format": "pt", "network": name})
        if rest:
            plain[name] = rest
    return networks, plain


def _split(network: nn.Module) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of a network's state, and what else is in it."""
    state = network.state_dict()
    held = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    return held, {name: value for name, value in state.items() if name not in held}


def _write_rest(model: Model, path: Path) -> None:
    game = model.game
    rest: dict[str, Tensor] = {"conditions": game.conditions} if game.data.condition_dim else {}
    if game.prior is not None:
        rest |= {f"prior.{name}": value for name, value in game.prior.state_dict().items()}
    path.unlink(missing_ok=True)
    if rest:
        tensors.write(path, rest, {"format": "pt"})


def _draw_grid(model: Model, run: Path, path: Path) -> bool:
    """Draw samples of fixed latents, or take the run's newest grid where a model makes samples of samples."""
    game = model.game
    if game.generates_from is None:
        symbols = model.config["data"].get("symbols") or ()
        latent = latents.fixed_latent(game, GRID_OF, 0)
        random = seeding.generator(0, "sampler")
        picture = drawing.draw(game, latent, COLUMNS, sampler=model.ready_sampler(), random=random, symbols=symbols)
        pictures.write(path, picture)
        return True
    newest = newest_samples(RunFolder(run)) if run.is_dir() else None
    if newest is not None:
        content = foreign.read_png(newest, run)
        with files.atomic(path) as file:
            file.write(content)
    return newest is not None


def _try(model: Model, out: Path) -> None:
    """Raise ConfigError if what was written does not make the model's samples."""
    again = load(out, "cpu")
    game = model.game
    if game.generates_from is not None:
        return
    latent = latents.fixed_latent(game, TRIED, 0)
    torch.manual_seed(0)
    wanted = game.sample(latent)
    torch.manual_seed(0)
    if not torch.equal(wanted, again.game.sample(latent)):
        (out / ABOUT).unlink()
        raise ConfigError(
            f"{type(game).__name__} cannot be exported: its samples depend on more than the network "
            f"{game.sampling_network} and its prior"
        )
