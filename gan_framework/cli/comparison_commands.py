"""The commands that compare runs: compare, dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gan_framework.cli.say import say
from gan_framework.errors import ConfigError

# Imports of the work are inside the commands: `--help` needs none of it, and listing plugins no torch.

Sweeps = Annotated[
    list[str],
    typer.Argument(
        metavar="SWEEP...", help="Folders of runs, of sweeps or of W&B's records; wandb:ENTITY/PROJECT[/GROUP]."
    ),
]

Metric = Annotated[str | None, typer.Option(help="The score that ranks: fid_classifier, ...")]


def compare(
    sweeps: Sweeps,
    metric: Metric = None,
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

    from gan_framework.cli import compare

    if over is not None:
        if csv or markdown or latex or baseline or paired or detect or study:
            raise ConfigError(
                f"--over {over} goes with --metric, --by, --html and --json alone; compare one data set for the rest"
            )
        compare.compare_over(sweeps, over, metric, by, html, json)
        return
    files = compare.Files(csv, html, json, markdown, latex)
    compare.compare(sweeps, metric, by, files, baseline or [], paired, detect, study)


def dashboard(
    sweeps: Sweeps,
    metric: Metric = None,
    entity: Annotated[str | None, typer.Option(help="The W&B user or team; by default the runs', or yours.")] = None,
    project: Annotated[str | None, typer.Option(help="The W&B project; by default the runs'.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the specification there, as JSON, and leave W&B alone.")
    ] = None,
) -> None:
    """Build a W&B workspace that compares runs; without a key or a server its specification becomes a file."""
    from gan_framework.cli import sources
    from gan_framework.cli.compare import beside
    from gan_framework.compare import groups
    from gan_framework.wandb_io import workspace as boards

    board = boards.build(groups.compare(sources.read(sweeps), metric), entity, project)
    if out is None:
        try:
            say(boards.push(board))
            return
        except ConfigError as error:
            say(f"{error}. With a key and a server, the same command puts the dashboard there.", err=True)
    say(boards.write(board, out or beside(sweeps[0]) / "dashboard.json"))
