"""The commands for trained models: sample, retrieve, invert, evaluate, statistics, export, push, pull."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gan_framework.cli.arguments import SCORED, Device, MovedData, check_out, completed, names, plain
from gan_framework.cli.say import say, say_changes
from gan_framework.errors import ConfigError

# Imports of the work are inside the commands: `--help` needs none of it, and listing plugins no torch.

WithDiscriminator = Annotated[bool, typer.Option("--discriminator", help="The discriminator too.")]

Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format", help="safetensors, which is always written; onnx or torchscript write the generator so too."
    ),
]


def sample(
    run: Annotated[Path, typer.Argument(help="A run's folder or a checkpoint.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="sampler=NAME, data.path=..., ...", callback=plain, autocompletion=completed("sampler", "data")
        ),
    ] = None,
    n: Annotated[int | None, typer.Option("--n", "-n", min=1, help="How many samples; 64 by default.")] = None,
    classes: Annotated[str | None, typer.Option(help="Classes to go through in turn, by name: 7,7,3.")] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="SPLIT|FOLDER", help="What a model that translates makes samples of."),
    ] = None,
    interpolate: Annotated[bool, typer.Option("--interpolate", help="Each row walks between two latents.")] = False,
    traverse: Annotated[str | None, typer.Option(metavar="CODE", help="Each row has another value of a code.")] = None,
    singles: Annotated[bool, typer.Option("--singles", help="One file per sample, in a folder.")] = False,
    columns: Annotated[int | None, typer.Option(min=1, help="Columns of the grid; 8 by default.")] = None,
    seed: Annotated[int, typer.Option(help="What the latents follow from.")] = 0,
    device: Device = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file or folder to write; by default in RUN.")
    ] = None,
) -> None:
    """Draw samples of a trained model: a grid as one PNG, or single images; most models need no data for it."""
    if sum([interpolate, traverse is not None, singles]) > 1:
        raise ConfigError("--interpolate, --traverse and --singles exclude one another")
    if source is not None and (interpolate or traverse is not None):
        raise ConfigError("--from goes with a grid or --singles only")
    if classes is not None and (interpolate or traverse is not None):
        raise ConfigError("--classes goes with a grid or --singles only")
    if n is not None and traverse is not None:
        raise ConfigError(f"--n {n} has no effect on --traverse: the code's values are the rows, --columns the columns")
    if columns is not None and singles:
        raise ConfigError(f"--columns {columns} has no effect on --singles, which makes no grid: leave it out")
    named = names(classes)
    check_out(out, folder=singles)

    from gan_framework.cli.sample import Wanted, sample

    wanted = Wanted(n or 64, columns or 8, seed, named, interpolate, traverse, singles, source)
    say(sample(run, wanted, overrides or [], device, out))


def retrieve(
    run: Annotated[Path, typer.Argument(help="The folder of an auto-encoder's run, or a checkpoint.")],
    image: Annotated[Path, typer.Argument(help="The query image.")],
    overrides: MovedData = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="How many samples.")] = 8,
    split: Annotated[str, typer.Option(help="Of the run's data: train or test.")] = "train",
    device: Device = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The PNG to write; by default retrieval.png in RUN.")
    ] = None,
) -> None:
    """Find an image's nearest neighbours by an auto-encoder's code and by pixels: indices and a picture."""
    check_out(out)

    from gan_framework.cli.retrieve import retrieve

    found = retrieve(run, image, n, split, overrides or [], device, out)
    say_changes(image, found.changes)
    typer.echo(f"by code: {' '.join(map(str, found.by_code))}")
    typer.echo(f"by pixels: {' '.join(map(str, found.by_pixels))}")
    say(found.path)


def invert(
    run: Annotated[Path, typer.Argument(help="A run's folder or a checkpoint.")],
    images: Annotated[str, typer.Argument(help="An image, a folder of images, train or test.")],
    overrides: MovedData = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="At most so many images.")] = 32,
    steps: Annotated[
        int | None, typer.Option(min=0, help="Of optimising latents; 500 without an encoder, 0 with one.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Of image files in turn, by name, for a conditional model: 7,7,3.")
    ] = None,
    columns: Annotated[int, typer.Option(min=1, help="Pairs side by side.")] = 4,
    seed: Annotated[int, typer.Option(help="What the first latents follow from, without an encoder.")] = 0,
    device: Device = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The PNG to write; by default inversion.png in RUN.")
    ] = None,
) -> None:
    """Find latents of images by the model's encoder, or by optimisation: pairs as one PNG, and the error."""
    check_out(out)

    from gan_framework.cli.invert import invert

    found = invert(run, images, n, steps, seed, columns, overrides or [], device, out, names(classes))
    say_changes(images, found.changes)
    typer.echo(f"mean square error of pixels in [-1, 1], by {found.how}: {found.error:.4g}")
    say(found.path)


def evaluate(
    what: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, a checkpoint, or a folder of images.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="evaluate.samples=10000, extractor=inception, 'metrics=[fid,kid]', data=NAME, ...",
            callback=plain,
            autocompletion=SCORED,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write; by default evaluation.json in RUN.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A folder of images, all of which are the reference.")
    ] = None,
    checkpoints: Annotated[
        str | None, typer.Option(metavar="all", help="Score all checkpoints of a run: a table, and JSON lines.")
    ] = None,
) -> None:
    """Score a run, a checkpoint or a folder of images; writes the scores with their protocol."""
    check_out(out)
    if checkpoints not in (None, "all"):
        raise ConfigError(
            f"--checkpoints {checkpoints}: only all is known; name a single checkpoint in the place of RUN"
        )
    if checkpoints is not None and against is not None:
        raise ConfigError(
            "--checkpoints and --against exclude each other: choose the data by data=folder data.path=..."
        )

    from gan_framework.cli import evaluate, evaluate_history

    if checkpoints is not None:
        evaluate_history.show(*evaluate_history.history(what, overrides or [], out))
    else:
        evaluate.show(*evaluate.evaluate(what, overrides or [], out, against))


def statistics(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The .npz file to write.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="data=cifar10, extractor=inception, evaluate.split=train, ...", callback=plain, autocompletion=SCORED
        ),
    ] = None,
) -> None:
    """Write mean and covariance of real features: metrics.fid.statistics, pytorch-fid, clean-fid and EDM read them."""
    check_out(out)

    from gan_framework.cli import evaluate_statistics

    found = evaluate_statistics.statistics(out, overrides or [])
    typer.echo(f"{found['reference_count']} samples of {found['dataset']}, {found['split']}, by {found['extractor']}")
    say(out)


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder or a checkpoint.")],
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    discriminator: WithDiscriminator = False,
    formats: Formats = None,
) -> None:
    """Write a trained model as a folder to publish: weights, configuration, scores, samples, a model card."""
    from gan_framework.library import publish

    say(publish.export(run, out, discriminator, formats or ["safetensors"]))


def push(
    run: Annotated[Path, typer.Argument(help="A run's folder, a checkpoint, or the folder of an export.")],
    repository: Annotated[str, typer.Argument(metavar="hf:REPO", help="hf:OWNER/NAME; made if there is none.")],
    discriminator: WithDiscriminator = False,
    formats: Formats = None,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    message: Annotated[str | None, typer.Option(help="The commit's message.")] = None,
) -> None:
    """Publish a trained model on the Hugging Face Hub, or the server in HF_ENDPOINT."""
    from gan_framework.library import publish

    say(publish.push(run, repository, discriminator, formats or ["safetensors"], private, message))


def pull(
    repository: Annotated[str, typer.Argument(metavar="hf:REPO", help="hf:OWNER/NAME or hf:OWNER/NAME@REVISION.")],
    out: Annotated[Path | None, typer.Argument(help="The folder to write; by default NAME.")] = None,
) -> None:
    """Download a published model, see that it is whole, and say where it is."""
    from gan_framework.library import publish

    say(publish.pull(repository, out))
