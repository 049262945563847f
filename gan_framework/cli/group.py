"""The group of commands that `gan-framework` is: its help, and what it says of a wrong command line."""

from __future__ import annotations

import sys
from typing import Any

from typer.core import TyperGroup

from gan_framework.cli.shown import shown

INTERRUPTED = 130
"""What Typer makes of Ctrl-C, of which `exit_code` has its own to say."""

CALLED_OTHERWISE = {
    **dict.fromkeys(("list", "ls", "show", "status"), "runs"),
    **dict.fromkeys(("continue", "restart"), "resume"),
    **dict.fromkeys(("generate", "draw"), "sample"),
    **dict.fromkeys(("score", "test", "fid"), "evaluate"),
    **dict.fromkeys(("report", "rank"), "compare"),
    **dict.fromkeys(("run", "sweep"), "train"),
    **dict.fromkeys(("upload", "publish"), "push"),
    "download": "pull",
}
"""What other programs call these commands."""


class Commands(TyperGroup):
    """A group of commands whose help shows the summary of each in full, and whose complaints show what was typed."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **more: Any) -> Any:
        """Run a command; of what is wrong with a command line, every character can be seen."""
        try:
            done = super().main(*arguments, **more | {"standalone_mode": False})
        except Exception as error:
            if type(error).__name__ == "Abort":  # of Ctrl-C, as INTERRUPTED
                raise KeyboardInterrupt from error
            # Typer has brought an own copy of Click for some time, and used the installed one before.
            if not standalone_mode or not hasattr(error, "format_message"):
                raise
            if type(error).__name__ != "NoArgsIsHelpError":  # the whole help, in which nothing was typed
                error.message = shown(f"{error.message}{_instead(error)}")  # type: ignore[attr-defined]
            error.show()  # type: ignore[attr-defined]
            sys.exit(error.exit_code)  # type: ignore[attr-defined]
        if done == INTERRUPTED:
            raise KeyboardInterrupt
        if standalone_mode:
            sys.exit(done if isinstance(done, int) else 0)
        return done

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is meant, or say what is called so elsewhere."""
        if args[0] in CALLED_OTHERWISE:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{CALLED_OTHERWISE[args[0]]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command with its summary, over several lines where it is long."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, (command.help or "").partition("\n")[0]) for name, command in commands if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _instead(error: Any) -> str:
    """Return what may be meant by an option that a command does not have, as the end of a sentence."""
    name, context = getattr(error, "option_name", ""), getattr(error, "ctx", None)
    others = [one for one in getattr(error, "possibilities", None) or () if one != "--help"]
    if type(error).__name__ != "NoSuchOption" or context is None or others:
        return ""
    flags = [flag for parameter in context.command.params for flag in parameter.opts if flag.startswith("--")]
    if f"-{name}" in flags:
        return f" Did you mean -{name}?"
    if not any(parameter.name == "overrides" for parameter in context.command.params):
        return ""
    if name in ("-m", "--multirun"):
        return "; sweeps are started by `gan-framework train RUN/config.yaml -m ...`"
    from gan_framework.config.compose import compose
    from gan_framework.config.proposals import called_otherwise, settings_like

    setting = name.lstrip("-").replace("-", "_")
    meant = called_otherwise(setting, "")
    meant = meant or sorted((f"{key}=..." for key in settings_like(setting, compose([]))), key=_of_training)
    hint = f": {' or '.join(meant)}" if meant else ""
    return f"; settings are written key=value, without dashes{hint}"


def _of_training(setting: str) -> bool:
    return setting.startswith("train.")
