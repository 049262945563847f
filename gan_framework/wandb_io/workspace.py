"""A comparison as a W&B workspace: the panels that it needs, over exactly the runs that are compared."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gan_framework.compare.groups import Comparison
from gan_framework.compare.records import Record
from gan_framework.errors import ConfigError
from gan_framework.runs.columns import AXES, LISTS, RESOLVED
from gan_framework.storage import files
from gan_framework.storage.text import visible
from gan_framework.wandb_io.projects import log_in

MOST = 10
"""Groups that W&B shows in a panel if nothing is said."""


def build(comparison: Comparison, entity: str | None, project: str | None) -> Any:
    """Return the workspace, a `wandb_workspaces.workspaces.Workspace`, which is nowhere yet.

    Args:
        comparison: the ranked groups; W&B groups the runs by the settings in which these differ.
        entity: the user or team that owns it; by default the runs', or the account's.
        project: the W&B project; by default the runs'.

    Raises:
        ConfigError: the library is not installed, or the runs are not in one W&B project.
    """
    if find_spec("wandb_workspaces") is None:
        raise ConfigError("a dashboard needs a package that is not installed: pip install 'gan-framework[dashboard]'")
    import wandb_workspaces.workspaces as ws

    runs = [run for group in comparison.groups for run in (*group.runs, *group.others)]
    trackers = [run.wandb for run in runs if run.wandb is not None and run.run_id]
    if not trackers:
        raise ConfigError("none of the runs was tracked by W&B ('tracker=[wandb]')")
    names = comparison.settings
    return ws.Workspace(
        entity=entity or _one("entity", {tracker.get("entity") for tracker in trackers}) or "",
        project=project or _one("project", {tracker.get("project") for tracker in trackers}),
        name=f"{comparison.metric} by {', '.join(names) or 'seed'}",
        sections=_sections(comparison),
        settings=ws.WorkspaceSettings(x_axis=AXES[0], max_runs=max(MOST, len(comparison.groups))),
        runset_settings=ws.RunsetSettings(
            filters=ws.And(ws.Metric("ID").isin([run.run_id for run in runs if run.run_id])),
            # Runs that differ in nothing but their seed have one job type.
            groupby=[ws.Config(column) for name in names for column in _columns(name, runs)] or [ws.Metric("JobType")],
            pinned_columns=[f"summary:{part}/{comparison.metric}" for part in ("eval", "best")],
            order=[ws.Ordering(ws.Summary(f"eval/{comparison.metric}"), ascending=not comparison.higher_is_better)],
        ),
    )


def specification(board: Any) -> dict[str, Any]:
    """Return what the server is sent, as plain data."""
    view = board._to_model()
    spec = json.loads(view.spec.model_dump_json(by_alias=True, exclude_none=True))
    return {"entity": view.entity, "project": view.project, "name": view.display_name, "spec": spec}


def write(board: Any, path: Path) -> Path:
    """Write the specification as JSON and return where."""
    files.write_json(path, specification(board))
    return path


def push(board: Any) -> str:
    """Save the workspace on the W&B server and return its address.

    Raises:
        ConfigError: there is no key, no server, or no right to do so.
    """
    import wandb

    api = log_in()
    board.entity = board.entity or api.default_entity
    try:
        board.save()
    except (wandb.errors.Error, ValueError) as error:
        raise ConfigError(f"W&B refuses the dashboard: {error}") from error
    return str(board.url)


def _sections(comparison: Comparison) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr
    import wandb_workspaces.workspaces as ws

    last, best = f"eval/{comparison.metric}", f"best/{comparison.metric}"
    runs = [run for group in comparison.groups for run in group.runs]
    names = sorted({name for run in runs for name in run.figures})
    over_seeds = {"groupby_aggfunc": "mean", "groupby_rangefunc": "stddev"}

    def curves(prefix: str) -> list[Any]:
        chosen = [name for name in names if name.startswith(prefix) and name != last]
        return [curve(name) for name in chosen]

    def curve(name: str) -> Any:
        return wr.LinePlot(title=name, x=AXES[0], y=[name], title_x="images seen", **over_seeds)

    def column(metric: Any) -> Any:
        return wr.ParallelCoordinatesPlotColumn(metric=metric)

    # W&B leaves out of parallel coordinates what lacks one of them.
    common = [name for name in comparison.settings if all(name in group.settings for group in comparison.groups)]
    # Of runs by hand and by agents in one dashboard, no column has both.
    columns = [found[0] for name in common if len(found := _columns(name, runs)) == 1]
    axes = [*map(wr.Config, columns), wr.SummaryMetric(last), wr.SummaryMetric(best)]
    overview = [
        curve(last),
        wr.BarPlot(title=f"last {comparison.metric}", metrics=[last], **over_seeds),
        wr.BarPlot(title=f"best {comparison.metric}", metrics=[best], **over_seeds),
        wr.ScalarChart(
            title=f"best {comparison.metric} of all",
            metric=best,
            groupby_aggfunc="max" if comparison.higher_is_better else "min",
        ),
    ]
    settings = [
        wr.ParallelCoordinatesPlot(title="Settings and scores", columns=[column(axis) for axis in axes]),
        wr.ParameterImportancePlot(with_respect_to=last),
        wr.RunComparer(diff_only="split"),
    ]
    samples = [wr.MediaBrowser(title="Samples", media_keys=["samples"], grid_x_axis="step", grid_y_axis="run")]
    sections = {
        "Scores": overview + curves("eval/"),
        "Settings": settings,
        "Samples": samples if any(run.grids for run in runs) else [],
        "Training": curves("train/"),
        "Health": curves("health/"),
    }
    shown = ("Scores", "Settings", "Samples")
    return [ws.Section(name=name, panels=panels, is_open=name in shown) for name, panels in sections.items() if panels]


def _columns(setting: str, runs: list[Record]) -> list[str]:
    """Return the W&B columns of a setting: two where only some of the runs were started by W&B's agents."""
    column, group = LISTS.get(setting, setting), setting.partition(".")[0]
    if setting in LISTS:
        return [column]
    return [f"{RESOLVED}.{column}" if shadowed else column for shadowed in sorted({group in r.shadowed for r in runs})]


def _one(name: str, values: set[str | None]) -> str | None:
    if len(values) > 1:
        found = ", ".join(sorted(visible(str(value)) for value in values))
        raise ConfigError(f"the runs have several W&B settings of {name} ({found}): choose one by --{name}")
    return values.pop()
