"""The command `gan-framework`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gan_framework.cli import comparison_commands, model_commands, plugin_commands, training_commands
from gan_framework.cli.exit_codes import exit_code
from gan_framework.cli.group import Commands

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


AS_HYDRA = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Hydra reads the arguments, `--help` and all its other flags among them."""

app.command(add_help_option=False, context_settings=AS_HYDRA)(training_commands.train)
for command in (
    training_commands.resume,
    training_commands.runs,
    training_commands.diff,
    plugin_commands.plugins,
    model_commands.sample,
    model_commands.retrieve,
    model_commands.invert,
    model_commands.evaluate,
    model_commands.statistics,
    model_commands.export,
    model_commands.push,
    model_commands.pull,
    plugin_commands.new_plugin,
    comparison_commands.compare,
    comparison_commands.dashboard,
):
    app.command()(command)


def main() -> int:
    """Run the command line and return its exit code."""
    return exit_code(app)


if __name__ == "__main__":
    sys.exit(main())
