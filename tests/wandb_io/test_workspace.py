"""The W&B workspace: its specification, read back, names what the real tracker has recorded."""

import json

import pytest
from typer.testing import CliRunner

from gan_framework.cli import sources
from gan_framework.cli.commands import app
from gan_framework.compare import groups
from gan_framework.errors import ConfigError
from gan_framework.wandb_io import offline, workspace
from tests.helpers.comparing import make_run
from tests.helpers.wandb_home import server, wandb_at_home  # noqa: F401 (fixtures)

pytest.importorskip("wandb_workspaces", reason="needs the extra [dashboard]")


def read_back(written):
    """Return the workspace of a specification, as W&B's library understands it."""
    import wandb_workspaces.workspaces as ws
    from wandb_workspaces.workspaces import internal

    spec = internal.WorkspaceViewspec.model_validate(written["spec"])
    view = internal.View(
        entity=written["entity"], project=written["project"], display_name=written["name"], name="", id="", spec=spec
    )
    return ws.Workspace._from_model(view)


def panels(workspace, kind):
    return [p for section in workspace.sections for p in section.panels if type(p).__name__ == kind]


def recorded_names(sweep):
    """Return the names of the history and of the summary, and the configuration of each run, in W&B's records."""
    found = [offline.read_entries(path) for path in offline.find_records(sweep)]
    history = {name for run in found for row in run["history"] for name in row["item"]}
    summary = {name for run in found for entry in run["summary"] for name in entry["update"]}
    return history, summary, [run["run"][0] for run in found]


def test_every_panel_names_what_was_recorded_and_groups_over_seeds(folders, recorded):
    board = workspace.build(groups.compare(sources.read([recorded])), "team", None)
    loaded = read_back(json.loads(json.dumps(workspace.specification(board))))
    history, summary, runs = recorded_names(recorded)
    assert (loaded.entity, loaded.project) == ("team", "digits")
    assert loaded.name == "fid_classifier by loss.name, strategy"

    assert [group.name for group in loaded.runset_settings.groupby] == ["loss.name", "strategies"]
    assert {(run["config"]["update"]["loss"]["name"], run["config"]["update"]["strategies"]) for run in runs} == {
        ("hinge", "none"),
        ("hinge", "k_step ema"),
        ("minimax", "none"),
    }
    assert all(run["run_id"] in loaded.runset_settings.filters for run in runs)

    lines = panels(loaded, "LinePlot")
    assert [line.y[0].name for line in lines] == ["eval/fid_classifier", "train/generator/adversarial"]
    assert {line.y[0].name for line in lines} | {line.x.name for line in lines} <= history
    assert {line.x.name for line in lines} == {"images_seen"}
    bars = panels(loaded, "BarPlot")
    assert [bar.metrics[0].name for bar in bars] == ["eval/fid_classifier", "best/fid_classifier"]
    assert {(p.groupby_aggfunc, p.groupby_rangefunc) for p in lines + bars} == {("mean", "stddev")}
    [scalar] = panels(loaded, "ScalarChart")
    assert (scalar.metric.name, scalar.groupby_aggfunc) == ("best/fid_classifier", "min")
    assert {bar.metrics[0].name for bar in bars} <= summary

    [coordinates] = panels(loaded, "ParallelCoordinatesPlot")
    assert [column.metric.name for column in coordinates.columns] == [
        "loss.name", "strategies", "eval/fid_classifier", "best/fid_classifier",
    ]  # fmt: skip
    [media] = panels(loaded, "MediaBrowser")
    assert media.media_keys == ["samples"] and "samples.path" in history


def test_of_runs_by_agents_the_resolved_columns_group(folders):
    """A sweep that the server plans has `loss: hinge` in the column `loss`, so `loss.name` is none."""
    columns = lambda: [  # noqa: E731
        group.name
        for group in workspace.build(groups.compare(sources.read([folders])), "team", None).runset_settings.groupby
    ]
    places = sorted(path.parent for path in folders.rglob("config.yaml"))
    before = columns()
    assert "loss.name" in before
    try:
        for place in places:
            (place / "wandb").mkdir(exist_ok=True)
            (place / "wandb" / ".shadowed").write_text("loss strategy train")
        assert columns() == [{"loss.name": "resolved.loss.name"}.get(name, name) for name in before]
        (places[0] / "wandb" / ".shadowed").unlink()  # one was started by hand
        assert {"loss.name", "resolved.loss.name"} <= {*columns()}
    finally:
        for place in places:
            (place / "wandb" / ".shadowed").unlink(missing_ok=True)


def test_folders_and_records_of_the_same_runs_have_the_same_dashboard(folders, recorded):
    def settled(sweep):
        """Return the specification without what differs each time."""
        text = json.dumps(workspace.specification(workspace.build(groups.compare(sources.read([sweep])), None, None)))
        return json.loads(
            text, object_hook=lambda found: {k: v for k, v in found.items() if k not in ("__id__", "filters")}
        )

    assert settled(folders) == settled(recorded)


@pytest.mark.usefixtures("wandb_at_home")
def test_without_a_key_the_specification_is_a_file_and_the_way_to_push_it_is_said(recorded, tmp_path):
    done = CliRunner().invoke(app, ["dashboard", str(recorded), "--entity", "me"])
    assert done.exit_code == 0, done.output
    assert "`wandb login`" in done.output and "the same command" in done.output
    written = json.loads((recorded / "dashboard.json").read_text())
    assert read_back(written).entity == "me"
    assert len(panels(read_back(written), "BarPlot")) == 2


def test_with_a_key_the_workspace_is_saved_on_the_server(recorded, server):  # noqa: F811
    done = CliRunner().invoke(app, ["dashboard", str(recorded)])
    assert done.exit_code == 0, done.output
    [variables] = [variables for what, variables in server.asked if what == "UpsertView2"]
    assert (variables["entityName"], variables["projectName"]) == ("me", "digits")
    sent = {
        "entity": "me",
        "project": "digits",
        "name": variables["displayName"],
        "spec": json.loads(variables["spec"]),
    }
    assert len(panels(read_back(sent), "LinePlot")) == 2
    assert "me/digits?nw=" in done.output
    assert "dashboard.json" not in done.output


def test_runs_without_w_and_b_and_of_several_projects_are_refused(recorded, tmp_path):
    comparison = groups.compare(sources.read([make_run(tmp_path / "run", "hinge", 0, [1.0])]))
    with pytest.raises(ConfigError, match="none of the runs was tracked by W&B"):
        workspace.build(comparison, None, None)
    mixed = groups.compare(sources.read([recorded]))
    mixed.groups[0].runs[0].config["tracker"]["wandb"]["project"] = "elsewhere"
    with pytest.raises(ConfigError, match=r"project \(digits, elsewhere\): choose one by --project"):
        workspace.build(mixed, None, None)
    assert workspace.build(mixed, None, "digits").project == "digits"
