"""Scores a finished run, a checkpoint or a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_framework.cli.other_data import (
    refuse_other_labels,
    refuse_other_meaning,
    refuse_other_scale,
    refuse_other_shape,
)
from gan_framework.cli.shown import shown
from gan_framework.config.compose import compose, plain
from gan_framework.config.scoring import parse, rescored
from gan_framework.core.game import Game
from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, build_source, check_classes, identity
from gan_framework.data.pixels import Fit, fit_as
from gan_framework.data.sources import training_data
from gan_framework.errors import ConfigError
from gan_framework.evaluation import decoding
from gan_framework.evaluation.evaluator import Evaluation, Evaluator
from gan_framework.evaluation.extractor import Extractor
from gan_framework.evaluation.folder import LOSSY, are_coloured, find_images, read_images, shapes_of
from gan_framework.registry import registry
from gan_framework.registry.listing import better
from gan_framework.runs.device import choose_device
from gan_framework.runs.exported import is_exported
from gan_framework.runs.restore import load
from gan_framework.runs.resuming import other_data
from gan_framework.storage import files, no_run
from gan_framework.storage.images import save_png
from gan_framework.storage.layout import INSIDE, RunFolder, is_run, run_folder
from gan_framework.storage.numbers import score
from gan_framework.storage.secrets import mask

SAMPLING = ("samples", "seed", "seeds", "truncation", "ema", "batch_norm")
"""Settings of `evaluate` that say how a model is sampled."""

SHOWN = 10
"""How many entries of a list are printed; the file has all."""


def evaluate(
    what: Path, overrides: list[str], out: Path | None = None, against: Path | None = None
) -> tuple[Evaluation, Path]:
    """Score what a path holds, write the scores with their protocol, and return both.

    Args:
        what: a run's folder, a checkpoint, or a folder of images.
        overrides: changes of `data`, `extractor`, `metrics`, `evaluate` and `train.device`, as on the
            command line of a run.
        out: the file to write; by default `evaluation.json` in the run's folder or the folder of images.
            Pictures lie beside it, as `evaluation_NAME.png`; they are not scored with a folder's images.
        against: a folder of images, all of which are the reference; None for the data that are chosen.

    Returns:
        The scores, and the file they were written to.

    Raises:
        ConfigError: there is nothing to score, or an override is wrong.
        RunFailed: the samples cannot be scored, or weights cannot be downloaded.
    """
    if not what.exists():
        raise ConfigError(f"there is no run, checkpoint or folder of images {what}")
    overrides = [*_reference_folder(against, overrides), *overrides]
    out = out or RunFolder(run_folder(what)).evaluation
    files.require_writable(out)
    if what.is_file() or RunFolder(what).checkpoints.is_dir() or is_exported(what):
        evaluation, details = _score_model(what, overrides)
    elif any(no_run.runs_below(what)) or _holds_grids(what):  # grids of samples are images too
        raise ConfigError(no_run.said(what))
    else:
        evaluation, details = _score_folder(what, overrides)
    files.write_json(out, content(what, evaluation, details, overrides))
    for name, picture in evaluation.pictures.items():
        save_png(out.with_name(f"{out.stem}_{name}.png"), picture)
    return evaluation, out


def _holds_grids(what: Path) -> bool:
    run = no_run.owner(what)
    return run is not None and what.absolute().relative_to(run.absolute()).parts[0] in INSIDE


def content(what: Path, evaluation: Evaluation, details: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Return what is written of an evaluation."""
    return {
        "evaluated": str(what.absolute()),
        **details,
        "scores": evaluation.scores,
        "deviations": evaluation.deviations,
        "baselines": {name: baseline.plain() for name, baseline in evaluation.baselines.items()},
        "higher_is_better": evaluation.higher_is_better,
        "protocol": evaluation.protocol,
        "warnings": evaluation.warnings,
        "overrides": overrides,
    }


def _reference_folder(against: Path | None, overrides: list[str]) -> list[str]:
    """Return the overrides that make all images of a folder the reference; none without a folder."""
    if against is None:
        return []
    typed = [o.input_line for o in parse(overrides) if o.key_or_group in ("data", "data.path", "data.test_share")]
    if typed:
        raise ConfigError(f"--against {against} and {typed[0]} exclude each other: either is the reference")
    if not against.is_dir():
        raise ConfigError(f"--against {against}: there is no such folder of images")
    if is_run(entry.name for entry in against.iterdir()) or _holds_grids(against):
        raise ConfigError(
            f"--against {against}: this is of a run, whose pictures are grids of many samples; `gan-framework sample "
            "RUN --singles --n 1000 --out FOLDER` writes a folder of single ones; `gan-framework compare` ranks runs"
        )
    path = str(against.absolute()).replace("'", r"\'")
    return ["data=folder", f"data.path='{path}'", "data.test_share=0"]


def _score_model(what: Path, overrides: list[str]) -> tuple[Evaluation, dict[str, Any]]:
    device = choose_device(asked_device(overrides))
    game, state = load(what, device)
    evaluator, source, config = evaluator_for(what, game, state, overrides, device)
    evaluation = evaluator(game)
    evaluation.warnings.extend(of_other_data(state, identity(training_data(source, config["data"]))))
    return evaluation, details_of(game)


def of_other_data(state: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return in words that data are not those that a model was trained on, if they are not.

    Args:
        state: the model's checkpoint.
        now: the `identity` of what would be trained on of the data that `evaluator_for` returns.
    """
    others = other_data(state.get("data", {}), {"": now})
    return [f"scored against other data than the model was trained on: {what}" for what in others]


def details_of(game: Game) -> dict[str, Any]:
    """Return what is written of a model beside its scores."""
    return {"updates": {name: game.player(name).updates for name in game.players}}


def evaluator_for(
    what: Path, game: Game, state: dict[str, Any], overrides: list[str], device: torch.device
) -> tuple[Evaluator, DataSource, dict[str, Any]]:
    """Return what scores a model, having checked that it can, with the data, not decoded, and the configuration.

    Args:
        what: where the model is from, for errors.
        game: the model.
        state: its checkpoint.
        overrides: changes of the configuration in it.
        device: where features are computed.

    Raises:
        ConfigError: an override is wrong, or the model, the data, the extractor and the metrics do not go together.
        RunFailed: weights cannot be downloaded.
    """
    config = plain(rescored(state["config"], overrides))
    classes = state["config"]["data"].get("classes")
    data = source = build_source({**config["data"], "classes": None})
    if source.shape.sample == game.data.sample:
        source = decoding.decoded(source, decoding.of(game))
    elif source.shape.sample != decoding.shape_seen(game).sample:  # else it holds the images themselves
        refuse_other_shape(what, game.data, source, config["data"])
    refuse_other_scale(f"the samples of {what}", decoding.shape_seen(game), source, config["data"]["name"])
    refuse_other_meaning(what, state["config"]["data"], data, config["data"]["name"])
    if game.conditional:
        refuse_other_labels(what, game.data, source, config["data"]["name"])
    if game.conditional and classes and source.classes:
        check_classes(classes, source.classes, f"the classes that {what} was trained on")
    evaluator = Evaluator.from_config(config, source, device)
    evaluator.check(game)
    return evaluator, data, config


def _score_folder(what: Path, overrides: list[str]) -> tuple[Evaluation, dict[str, Any]]:
    paths, left_out = find_images(what)
    keys = {override.key_or_group for override in parse(overrides)}
    if "data" not in keys:
        raise ConfigError(
            f"{what} is a folder of images: name the dataset to score it against by data=NAME, or another "
            "folder by --against FOLDER"
        )
    without_effect = [f"evaluate.{name}" for name in SAMPLING if f"evaluate.{name}" in keys]
    if without_effect:
        raise ConfigError(f"{', '.join(without_effect)} has no effect on a folder of images: all of them are scored")
    config = plain(compose(overrides))
    device = choose_device(config["train"]["device"])
    source, fit = _reference(config, paths, keys)
    sample = source.shape.sample
    if len(sample) != 3 or sample[0] not in (1, 3):
        raise ConfigError(
            f"{what} holds grey or colour images, and the samples of data={config['data']['name']} have the shape "
            f"{sample}: score it against images of 1 or 3 channels"
        )
    refuse_other_scale(f"the images of {what}", DataShape(sample), source, config["data"]["name"])
    greyed = sample[0] == 1 and are_coloured(paths)
    if greyed and config["data"].get("channels", 1) is None:
        # As by other programs, colours count though the reference has none.
        config["data"]["channels"], greyed = 3, False
        source, fit = _reference(config, paths, keys)
        sample = source.shape.sample
    evaluator = Evaluator.from_config(config, source, device)
    metrics = evaluator.metrics.items()
    needing = [f"metrics.{name}" for name, metric in metrics if metric.needs_game or metric.needs_pairs]
    if needing:
        raise ConfigError(f"{', '.join(needing)}: this needs a model, and {what} is a folder of images; leave it out")
    batches = read_images(paths, sample, evaluator.settings.batch_size, fit)

    def read(indices: Tensor) -> Tensor:
        chosen = [paths[index] for index in indices.tolist()]
        return torch.cat([*read_images(chosen, sample, evaluator.settings.batch_size, fit)])

    evaluation = evaluator.score_images(batches, len(paths), read)
    if fit is not None:
        both = f"both sides {fit.resize} to {sample[1]}x{sample[2]}, crop {fit.crop}"
        evaluation.protocol["resize"] = f"{both}; {evaluation.protocol['resize']}"
        evaluation.warnings.extend(f"the images of {what}: {change}" for change in fit.changes(shapes_of(paths)))
    if greyed:
        evaluation.warnings.append(
            f"the images of {what} are coloured, and are turned to grey as those of data={config['data']['name']} are: "
            "their colours have no part in the scores. data.channels=3 brings these to colour"
        )
    if left_out:
        evaluation.warnings.append(left_out)
    if any(path.suffix.lower() in LOSSY for path in paths):
        evaluation.warnings.append("some images are compressed with losses, which changes the scores: use PNG")
    return evaluation, {}


def _reference(config: dict[str, Any], paths: list[Path], keys: set[str]) -> tuple[DataSource, Fit | None]:
    """Return the data that files are scored against, and how both are brought to one shape where that is wanted.

    It is where `data.crop` or `data.resize` is typed; and where no size is and there are several, if the extractor's
    network takes images of one size: all are resized to that, whole, as by clean-fid (Parmar et al. 2022, arXiv
    2104.11222, section 3).

    Raises:
        ConfigError: the data cannot be used.
    """
    settings = config["data"]
    typed = bool({"data.crop", "data.resize"} & keys)
    extractor: Extractor = registry.build("extractors", config["extractor"])
    to_network = "crop" in settings and settings.get("image_size") is None and extractor.size is not None and not typed
    try:
        source = build_source(settings)
        sizes = {shape[1:] for shape in shapes_of(paths)} if to_network else set()
        if sizes <= {source.shape.sample[1:]}:
            typed = typed and source.shape.is_image
            return source, fit_as(settings, source.shape.sample) if typed else None
    except ConfigError:
        if not to_network:
            raise
    assert extractor.size is not None
    whole = {**settings, "image_size": [*extractor.size], "crop": "none"}
    source = build_source(whole)
    return source, fit_as(whole, source.shape.sample)


def asked_device(overrides: list[str]) -> str:
    """Return the device that overrides name, or `auto`."""
    # Not the run's own: what is scored often lies on another machine than it was trained on.
    chosen = [str(o.value()) for o in parse(overrides) if o.key_or_group == "train.device"]
    return chosen[-1] if chosen else "auto"


def show(evaluation: Evaluation, out: Path) -> None:
    """Print the scores as a table, and below it their protocol and warnings."""
    from rich.console import Console
    from rich.table import Table

    table = Table("score", "value")
    if evaluation.deviations:
        table.add_column("± over seeds")
    if evaluation.baselines:
        table.add_column("held-out")
        table.add_column("noise")
    for name, value in evaluation.scores.items():
        row = [f"{shown(name)} {better(evaluation.higher_is_better.get(name))}".rstrip(), score(value)]
        if evaluation.deviations:
            row.append(score(evaluation.deviations[name]))
        if evaluation.baselines:
            beside = evaluation.baselines.get(name)
            row += ["" if one is None else score(one) for one in ((beside.real, beside.noise) if beside else ())]
        table.add_row(*row)
    console = Console(markup=False, emoji=False)  # paths and names may hold [brackets] and :colons:
    console.print(table)
    fields = ((name, value) for name, value in evaluation.protocol.items() if name != "metrics")
    console.print(shown(", ".join(f"{name} {_short(value)}" for name, value in mask([*fields]))), highlight=False)
    for samples in dict.fromkeys(baseline.samples for baseline in evaluation.baselines.values()):
        console.print(shown(samples), highlight=False)
    console.print("what each score says: gan-framework plugins metrics", style="dim", highlight=False)
    for warning in evaluation.warnings:
        console.print(f"warning: {shown(warning)}", style="yellow", highlight=False)
    console.print(shown(str(out)), highlight=False, soft_wrap=True)


def _short(value: Any) -> Any:
    """Return a field of the protocol as it is printed: with few digits, of long lists the beginning."""
    if isinstance(value, float):
        return score(value)
    return [*value[:SHOWN], "..."] if isinstance(value, list) and len(value) > SHOWN else value
