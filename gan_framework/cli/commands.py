"""The command `gan-framework`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gan_framework.cli.exit_codes import exit_code
from gan_framework.cli.group import Commands
from gan_framework.cli.shown import shown
from gan_framework.errors import ConfigError

if TYPE_CHECKING:
    from gan_framework.compare.across import Across
    from gan_framework.sweeps.views import Search

SOURCES = "Folders of runs, of sweeps or of W&B's records; wandb:ENTITY/PROJECT[/GROUP]."

# Imports of the commands' work are inside them: listing plugins needs no torch, and `--help` needs nothing.


def _completed(*roots: str) -> Any:
    """Return what completes the overrides of a command, which may begin with `roots`; all without any."""

    def complete(incomplete: str) -> list[str]:
        from gan_framework.cli import completing

        found: list[str] = completing.for_command(roots or None)(incomplete)
        return found

    return complete


def _kinds(incomplete: str) -> list[str]:
    from gan_framework.cli import completing

    return completing.kinds(incomplete)


def _plain(context: typer.Context, overrides: list[str] | None) -> list[str]:
    """Return overrides, an empty list for none, as typer 0.16 asks for its length.

    Raises:
        ConfigError: one is an option of the command, written like a setting.
    """
    flags = {flag for parameter in context.command.params for flag in parameter.opts if flag.startswith("--")}
    given = overrides or []
    for override in given:
        key, is_set, value = override.partition("=")
        if is_set and f"--{key}" in flags:
            raise ConfigError(f"{override}: this is an option, not a setting: --{key} {value}")
    return given


SCORED = _completed("data", "extractor", "metrics", "sampler", "evaluate", "train.device")

app = typer.Typer(
    cls=Commands,
    help="Experiments with generative adversarial networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def framework(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Experiments with generative adversarial networks."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"gan-framework {installed('gan-framework')}")
        raise typer.Exit


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def train(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN/config.yaml] [overrides]", autocompletion=_completed())
    ] = None,
) -> None:
    """Train: [RUN/config.yaml] [overrides], like `python run.py`; `train --help` shows all settings."""
    from gan_framework.cli import train

    sys.argv = ["gan-framework train", *(arguments or []), *context.args]
    raise typer.Exit(train.train())


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="train.steps=20000, 'metrics=[fid,kid]', ...: changed settings.", autocompletion=_completed()
        ),
    ] = None,
) -> None:
    """Resume a run in its folder, with its own configuration; changed settings are listed."""
    from gan_framework.cli import resume

    sys.argv = ["gan-framework resume"]
    raise typer.Exit(resume.resume(run, overrides or []))


@app.command()
def runs(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FOLDER] [FILTER...]",
            help="Where to look, and which to list: status=failed, loss=hinge,minimax, 'seed!=0', lr=1e-4, 'fid<100', "
            "'step>=1000'; quote < and >, or the shell writes a file.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the runs in and below a folder: status, step, score, age and the settings that differ."""
    from gan_framework.cli import runs

    runs.runs(arguments or [], as_json)


@app.command()
def diff(
    one: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    other: Annotated[Path, typer.Argument(metavar="RUN", help="Another run's folder.")],
) -> None:
    """Compare two runs side by side: settings, status and scores."""
    from gan_framework.cli import diff

    diff.diff(one, other)


@app.command()
def plugins(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[KIND]", help="losses, models, experiments, ..., or `check`.", autocompletion=_kinds),
    ] = None,
    distribution: Annotated[str | None, typer.Argument(metavar="[DIST]", help="What to check.")] = None,
    overrides: Annotated[list[str] | None, typer.Argument(help="The configuration to check it in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Which losses, terms and strategies go together, and why others do not.")
    ] = False,
    index: Annotated[
        bool, typer.Option("--index", help="Known distributions with further plugins, installed or not.")
    ] = False,
) -> None:
    """List plugins, models and experiments with papers and settings; `plugins check DIST` tests a distribution."""
    from gan_framework.cli import plugins

    if index:
        if kind is not None or pairs:
            raise ConfigError("--index goes alone: it lists distributions")
        plugins.show_index(as_json)
        return
    if pairs:
        from gan_framework.cli import plugins_pairs

        plugins_pairs.show([name for name in (kind, distribution, *(overrides or [])) if name], as_json)
        return
    if kind != "check":
        if distribution is not None:
            raise ConfigError(f"`plugins` takes one kind, or `check DIST`; {distribution!r} is one too many")
        plugins.show(kind, as_json)
    elif distribution is None:
        raise ConfigError("`plugins check` needs the name of an installed distribution")
    else:
        from gan_framework.testing.distribution import check_distribution

        raise typer.Exit(0 if check_distribution(distribution, overrides or []) else 1)


@app.command()
def sample(
    run: Annotated[Path, typer.Argument(help="A run's folder or a checkpoint.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="sampler=NAME, data.path=..., ...", callback=_plain, autocompletion=_completed("sampler", "data")
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
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
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
    named = _names(classes)
    _check_out(out, folder=singles)

    from gan_framework.cli.sample import Wanted, sample

    wanted = Wanted(n or 64, columns or 8, seed, named, interpolate, traverse, singles, source)
    _say(sample(run, wanted, overrides or [], device, out))


def _names(classes: str | None) -> list[str] | None:
    """Return the names that stand between commas."""
    return None if classes is None else [name.strip() for name in classes.split(",")]


def _say_changes(what: object, changes: Iterable[str]) -> None:
    """Say on stderr how images were brought to the shape of a run's."""
    for change in changes:
        typer.echo(shown(f"{what}: {change}"), err=True)


@app.command()
def retrieve(
    run: Annotated[Path, typer.Argument(help="The folder of an auto-encoder's run, or a checkpoint.")],
    image: Annotated[Path, typer.Argument(help="The query image.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="data.path=..., if the data have moved.", callback=_plain, autocompletion=_completed("data")
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="How many samples.")] = 8,
    split: Annotated[str, typer.Option(help="Of the run's data: train or test.")] = "train",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The PNG to write; by default retrieval.png in RUN.")
    ] = None,
) -> None:
    """Find an image's nearest neighbours by an auto-encoder's code and by pixels: indices and a picture."""
    _check_out(out)

    from gan_framework.cli.retrieve import retrieve

    found = retrieve(run, image, n, split, overrides or [], device, out)
    _say_changes(image, found.changes)
    typer.echo(f"by code: {' '.join(map(str, found.by_code))}")
    typer.echo(f"by pixels: {' '.join(map(str, found.by_pixels))}")
    _say(found.path)


@app.command()
def invert(
    run: Annotated[Path, typer.Argument(help="A run's folder or a checkpoint.")],
    images: Annotated[str, typer.Argument(help="An image, a folder of images, train or test.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="data.path=..., if the data have moved.", callback=_plain, autocompletion=_completed("data")
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="At most so many images.")] = 32,
    steps: Annotated[
        int | None, typer.Option(min=0, help="Of optimising latents; 500 without an encoder, 0 with one.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Of image files in turn, by name, for a conditional model: 7,7,3.")
    ] = None,
    columns: Annotated[int, typer.Option(min=1, help="Pairs side by side.")] = 4,
    seed: Annotated[int, typer.Option(help="What the first latents follow from, without an encoder.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The PNG to write; by default inversion.png in RUN.")
    ] = None,
) -> None:
    """Find latents of images by the model's encoder, or by optimisation: pairs as one PNG, and the error."""
    _check_out(out)

    from gan_framework.cli.invert import invert

    found = invert(run, images, n, steps, seed, columns, overrides or [], device, out, _names(classes))
    _say_changes(images, found.changes)
    typer.echo(f"mean square error of pixels in [-1, 1], by {found.how}: {found.error:.4g}")
    _say(found.path)


@app.command()
def evaluate(
    what: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, a checkpoint, or a folder of images.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="evaluate.samples=10000, extractor=inception, 'metrics=[fid,kid]', data=NAME, ...",
            callback=_plain,
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
    _check_out(out)
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


@app.command()
def statistics(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The .npz file to write.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help="data=cifar10, extractor=inception, evaluate.split=train, ...", callback=_plain, autocompletion=SCORED
        ),
    ] = None,
) -> None:
    """Write mean and covariance of real features: metrics.fid.statistics, pytorch-fid, clean-fid and EDM read them."""
    _check_out(out)

    from gan_framework.cli import evaluate_statistics

    found = evaluate_statistics.statistics(out, overrides or [])
    typer.echo(f"{found['reference_count']} samples of {found['dataset']}, {found['split']}, by {found['extractor']}")
    _say(out)


FORMAT = typer.Option(
    "--format", help="safetensors, which is always written; onnx or torchscript write the generator so too."
)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run's folder or a checkpoint.")],
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    discriminator: Annotated[bool, typer.Option("--discriminator", help="The discriminator too.")] = False,
    formats: Annotated[list[str] | None, FORMAT] = None,
) -> None:
    """Write a trained model as a folder to publish: weights, configuration, scores, samples, a model card."""
    from gan_framework.library import publish

    _say(publish.export(run, out, discriminator, formats or ["safetensors"]))


@app.command()
def push(
    run: Annotated[Path, typer.Argument(help="A run's folder, a checkpoint, or the folder of an export.")],
    repository: Annotated[str, typer.Argument(metavar="hf:REPO", help="hf:OWNER/NAME; made if there is none.")],
    discriminator: Annotated[bool, typer.Option("--discriminator", help="The discriminator too.")] = False,
    formats: Annotated[list[str] | None, FORMAT] = None,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    message: Annotated[str | None, typer.Option(help="The commit's message.")] = None,
) -> None:
    """Publish a trained model on the Hugging Face Hub, or the server in HF_ENDPOINT."""
    from gan_framework.library import publish

    _say(publish.push(run, repository, discriminator, formats or ["safetensors"], private, message))


@app.command()
def pull(
    repository: Annotated[str, typer.Argument(metavar="hf:REPO", help="hf:OWNER/NAME or hf:OWNER/NAME@REVISION.")],
    out: Annotated[Path | None, typer.Argument(help="The folder to write; by default NAME.")] = None,
) -> None:
    """Download a published model, see that it is whole, and say where it is."""
    from gan_framework.library import publish

    _say(publish.pull(repository, out))


@app.command()
def new_plugin(
    name: Annotated[str, typer.Argument(help="The plugin's name.")],
    kind: Annotated[str, typer.Option(help="What it is: loss, generator, strategy, ...")],
    out: Annotated[Path, typer.Option(help="The folder to write its distribution into.")] = Path("."),
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The folder of a distribution that it becomes a part of.")
    ] = None,
) -> None:
    """Write a new plugin: code, configuration, tests; a distribution of its own, or a part of one."""
    from gan_framework import scaffold

    if into is None:
        written = scaffold.write(name, kind, out)
        _say(written)
        typer.echo(shown(f"next: pip install -e {written}, gan-framework plugins check {written.name}"), err=True)
        return
    if out != Path("."):
        raise ConfigError(f"--out {out} and --into {into} exclude each other: the distribution has its place")
    for path in scaffold.write_into(name, kind, into):
        _say(path)
    typer.echo(shown(f"next: pip install -e {into}"), err=True)


@app.command()
def compare(
    sweeps: Annotated[list[str], typer.Argument(metavar="SWEEP...", help=SOURCES)],
    metric: Annotated[str | None, typer.Option(help="The score that ranks: fid_classifier, ...")] = None,
    by: Annotated[str, typer.Option(help="`last` or `best` score of each run.")] = "last",
    html: Annotated[Path | None, typer.Option(help="Write a page with curves and sample grids.")] = None,
    csv: Annotated[
        Path | None, typer.Option(help="The table's file; by default compare.csv in the first folder, or here.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write scores, intervals and p-values for programs.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table as Markdown.")] = None,
    latex: Annotated[Path | None, typer.Option(help="Write the table as LaTeX.")] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Compare with the group of these settings, not with the best."),
    ] = None,
    paired: Annotated[bool, typer.Option("--paired", help="Compare runs of the same seed with each other.")] = False,
    detect: Annotated[
        float | None, typer.Option(metavar="DIFFERENCE", help="Say how many seeds would show such a difference.")
    ] = None,
    over: Annotated[
        str | None, typer.Option(metavar="KEY", help="Compare over the data sets that this setting names: data.name.")
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(metavar="STORAGE", help="Optuna's study of a search, DIR/study.db: importances, history, trials."),
    ] = None,
) -> None:
    """Rank runs: scores over seeds, which differences are sure (95%), budgets, and the settings that differ.

    Beside folders there may be conditions on settings: `loss.name=hinge`, `seed!=0`, `strategy=*ema*`, `'seed<3'`.
    Runs whose scores were measured in different ways are ranked apart, and the files of the second part end in `-2`.
    """
    if by not in ("last", "best"):
        raise ConfigError(f"--by {by}: choose last or best")
    if detect is not None and not detect > 0:
        raise ConfigError(f"--detect {detect}: a difference of scores above 0")

    from rich.console import Console

    from gan_framework.cli import sources
    from gan_framework.compare import across, conditions, export, groups, page, parts, table

    folders, asked = conditions.parse(sweeps)
    runs = conditions.admitted(sources.read(folders), asked)
    if over is not None:
        if csv or markdown or latex or baseline or paired or detect or study:
            raise ConfigError(
                f"--over {over} goes with --metric, --by, --html and --json alone; compare one data set for the rest"
            )
        _compare_over(across.over(runs, over, metric, by), html, json)
        return
    search = _search(study, folders) if study is not None else None
    views = search.views if search is not None else []
    found = parts.divide(runs, metric)
    written = (
        (html, partial(page.write_page, views=views)),
        (json, partial(export.write_json, search=search.plain if search is not None else None)),
        (markdown, export.write_markdown),
        (latex, export.write_latex),
    )
    for number, part in enumerate(found, 1):
        if number > 1:
            typer.echo()
            _say(f"Part {number} of {len(found)}: its scores differ from part 1's in {', '.join(part.differs)}")
        comparison = groups.compare(part.runs, metric, by, baseline=baseline or [], paired=paired, detect=detect)
        table.show(comparison, Console())
        table.write_csv(comparison, _numbered(csv or _beside(folders[0]) / "compare.csv", number))
        for path, write in written:
            if path is not None:
                write(comparison, _numbered(path, number))
                _say(_numbered(path, number))
    for view in views:
        _say(f"{view.title}: {view.said}")


def _compare_over(whole: Across, html: Path | None, json: Path | None) -> None:
    """Show a comparison over data sets, and write it into files."""
    from rich.console import Console

    from gan_framework.compare import across, profiles

    across.show(whole, Console())
    for file, write in ((html, profiles.write_page), (json, across.write_json)):
        if file is not None:
            write(whole, file)
            _say(file)


@app.command()
def dashboard(
    sweeps: Annotated[list[str], typer.Argument(metavar="SWEEP...", help=SOURCES)],
    metric: Annotated[str | None, typer.Option(help="The score that ranks: fid_classifier, ...")] = None,
    entity: Annotated[str | None, typer.Option(help="The W&B user or team; by default the runs', or yours.")] = None,
    project: Annotated[str | None, typer.Option(help="The W&B project; by default the runs'.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the specification there, as JSON, and leave W&B alone.")
    ] = None,
) -> None:
    """Build a W&B workspace that compares runs; without a key or a server its specification becomes a file."""
    from gan_framework.cli import sources
    from gan_framework.compare import groups
    from gan_framework.wandb_io import workspace as boards

    board = boards.build(groups.compare(sources.read(sweeps), metric), entity, project)
    if out is None:
        try:
            _say(boards.push(board))
            return
        except ConfigError as error:
            _say(f"{error}. With a key and a server, the same command puts the dashboard there.", err=True)
    _say(boards.write(board, out or _beside(sweeps[0]) / "dashboard.json"))


def _say(what: object, err: bool = False) -> None:
    """Print a line, in which names may be somebody else's."""
    typer.echo(shown(what), err=err)


def _search(study: str, folders: list[str]) -> Search:
    """Return what is said of the study of a search, which is named after the sweep's folder unless told otherwise."""
    from gan_framework.sweeps import views
    from gan_framework.sweeps.naming import sweep_name

    return views.read(study, sweep_name(Path(folders[0])))


def _numbered(path: Path, number: int) -> Path:
    """Return the file of a part of a mixed lot of runs: the first has the name that was asked for."""
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")


def _beside(source: str) -> Path:
    """Return the folder for what is made of a source: itself, or where we are if it is no folder."""
    return Path(source) if Path(source).is_dir() else Path()


def _check_out(out: Path | None, folder: bool = False) -> None:
    """Raise ConfigError if `--out` names a place where no file, or no folder, can be written."""
    if out is None:
        return
    kind = "folder" if folder else "file"
    if out.exists() and out.is_dir() != folder:
        raise ConfigError(f"--out {out} is an existing {'file' if folder else 'folder'}: name a {kind}")
    if out.exists() and not folder and not out.is_file():
        raise ConfigError(f"--out {out} is a device or a stream, whose place a file would take: name a file")
    for parent in out.parents:
        if parent.exists() and not parent.is_dir():
            raise ConfigError(f"--out {out}: {parent} is a file and can hold no {kind}; name another place")


def main() -> int:
    """Run the command line and return its exit code."""
    return exit_code(app)


if __name__ == "__main__":
    sys.exit(main())
