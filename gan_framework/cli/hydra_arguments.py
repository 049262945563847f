"""The arguments of a run's command line, before Hydra reads them: flags, files and overrides."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from gan_framework.cli.shown import shown
from gan_framework.config.compose import compose, loosened, readable
from gan_framework.config.proposals import alias, called_otherwise, settings_like
from gan_framework.errors import ConfigError
from gan_framework.registry.packages import chooser
from gan_framework.storage import secrets
from gan_framework.storage.layout import RunFolder
from gan_framework.storage.text import visible

FLAGS = (
    *("--help", "--hydra-help", "--version", "--cfg", "--resolve", "--package", "--run", "--multirun", "--info"),
    *("--config-path", "--config-name", "--config-dir", "--experimental-rerun", "--shell-completion"),
)
"""What Hydra takes that begins with two dashes."""

MULTIRUN = ("-m", "--multirun")
"""What Hydra reads only where no override stands before it; here it may stand anywhere."""

TAKES_VALUE = ("-cp", "--config-path", "-cn", "--config-name", "-cd", "--config-dir", "-c", "--cfg", "-p", "--package")
"""Hydra's flags after which a word is no file of ours."""

SHOWS = {"--cfg", "-c", "--info", "-i"}
"""What has Hydra print the configuration."""


def prepared(arguments: list[str]) -> list[str]:
    """Return arguments as Hydra takes them, and say what short forms stand for and what is given twice."""
    for argument in arguments:
        if alias(argument) != argument:
            print(shown(f"{argument} stands for {alias(argument)}"), file=sys.stderr)
    given: dict[str, str] = {}
    for argument in arguments:
        key, is_set, _ = argument.partition("=")
        if is_set and key[:1] not in "-+~" and given.setdefault(key, argument) != argument:
            print(shown(f"{given[key]}: {argument}, which is given later, replaces it"), file=sys.stderr)
            given[key] = argument
    flags_first = sorted(arguments, key=lambda argument: argument not in MULTIRUN)
    as_hydra_takes_them = loosened([*map(readable, flags_first)])
    secrets.refuse(as_hydra_takes_them)
    _refuse_other_folder(as_hydra_takes_them)
    return as_hydra_takes_them


def _refuse_other_folder(arguments: list[str]) -> None:
    """Raise ConfigError for a folder without a name, or one that Hydra would pass over: a sweep's of a single run."""
    several = bool({*MULTIRUN} & set(arguments))
    given = {argument.lstrip("+").partition("=")[0]: argument for argument in arguments}
    for key in ("hydra.run.dir", "hydra.sweep.dir"):  # Hydra would take the folder one is in
        if given.get(key, "").partition("=")[2].strip("'\" ") == "" and key in given:
            raise ConfigError(f"{given[key]}: the name of a folder is missing; without this override a new one is made")
    other, right = ("hydra.run.dir", "hydra.sweep.dir") if several else ("hydra.sweep.dir", "hydra.run.dir")
    if other in given and right not in given:
        instead = f"{right}={given[other].partition('=')[2]}{'' if several else ', or -m for a sweep'}"
        raise ConfigError(f"{given[other]} is the folder of a {'single run' if several else 'sweep'}: write {instead}")


def with_chosen(arguments: list[str]) -> list[str]:
    """Return the arguments with what an experiment chooses by the data in its place, if it is one that does."""
    experiments = [argument.partition("=")[2] for argument in arguments if argument.startswith("experiment=")]
    if not any(map(chooser, experiments)):
        return arguments
    from gan_framework.runs.choosing import completed

    of_flags = {i + 1 for i, argument in enumerate(arguments) if argument in TAKES_VALUE}
    typed = [one for i, one in enumerate(arguments) if i not in of_flags and not one.startswith("-")]
    chosen = completed(compose(typed), typed).overrides
    return [one for one in arguments if one not in typed] + chosen


def _is_no_flag(argument: str) -> bool:
    """Whether an argument is meant as a flag, and is none: Hydra would print it as it is."""
    if visible(argument) != argument:
        return argument.startswith("-")
    flag = re.fullmatch(r"(--[a-z0-9_]+([-.][a-z0-9_]+)*)(=.*)?", argument)
    return flag is not None and flag[1] not in FLAGS


def _unknown_flag(flag: str, following: list[str]) -> str:
    """Return what is wrong with `--steps 100`, and what may be meant."""
    name = flag.lstrip("-").partition("=")[0]
    words = (flag.partition("=")[2], *following[:1])
    if files := [word for word in words if word.endswith((".yaml", ".yml"))]:
        return f"{flag}: unknown flag; a run's configuration is named alone: `gan-framework train {files[0]}`"
    runs = [
        word for word in (flag.partition("=")[2], *following[:1]) if word and RunFolder(Path(word)).config.is_file()
    ]
    if runs:
        return f"{flag}: unknown flag; `gan-framework resume {runs[0]}` resumes the run of that folder"
    value = flag.partition("=")[2] or (
        following[0] if following and re.fullmatch(r"[\w.][\w.+-]*", following[0]) else "..."
    )
    meant = called_otherwise(name, "" if value == "..." else value)
    meant = meant or [f"{setting}={value}" for setting in settings_like(name.replace("-", "_"), compose([]))]
    hint = f"did you mean {' or '.join(meant)}?" if meant else "--help lists them"
    return f"{flag}: unknown flag; settings are written key=value, without dashes; {hint}"


def without_file(arguments: list[str]) -> tuple[list[str], Path | None]:
    """Return the arguments without the file of a run's configuration, and that file.

    Raises:
        ConfigError: there are several, or a run's folder is named.
    """
    for i, argument in enumerate(arguments):
        if _is_no_flag(argument):
            raise ConfigError(_unknown_flag(argument, arguments[i + 1 :]))
        flag, is_set, value = argument.partition("=")
        if flag == "--experimental-rerun":  # of Hydra's own records, which runs do not keep
            raise ConfigError(f"{flag}: `gan-framework train RUN/config.yaml` repeats the experiment of a run")
        if flag in TAKES_VALUE:
            _check_search_path(flag, value if is_set else next(iter(arguments[i + 1 :]), ""))
    values = {i + 1 for i, argument in enumerate(arguments) if argument in TAKES_VALUE}
    words = [i for i, argument in enumerate(arguments) if i not in values and not argument.startswith(("-", "+", "~"))]
    files = [i for i in words if _is_file(arguments[i])]
    for i in words:
        if RunFolder(Path(arguments[i])).config.is_file():
            raise ConfigError(
                f"{arguments[i]} is the folder of a run: `gan-framework resume {arguments[i]}` resumes it, "
                f"`gan-framework train {RunFolder(Path(arguments[i])).config}` repeats it from scratch"
            )
    if len(files) > 1:
        raise ConfigError(f"only one configuration file can be given: {', '.join(arguments[i] for i in files)}")
    rest = [argument for i, argument in enumerate(arguments) if i not in files]
    return rest, Path(arguments[files[0]]) if files else None


def _check_search_path(flag: str, value: str) -> None:
    """Raise ConfigError if a flag of Hydra's names a run or its configuration, or would hide the framework's own."""
    folder = RunFolder(Path(value))
    is_run = folder.config.is_file() and (folder.summary.is_file() or folder.checkpoints.is_dir())
    if flag in ("-cd", "--config-dir", "-cp", "--config-path") and value and is_run:
        raise ConfigError(
            f"{flag} {value}: this is the folder of a run: `gan-framework resume {value}` resumes it, "
            f"`gan-framework train {folder.config}` repeats it from scratch"
        )
    if flag in ("-cp", "--config-path") and value:
        raise ConfigError(
            f"{flag} {value}: the framework's own configuration would be missing; --config-dir {value} adds to it"
        )
    if flag in ("-cn", "--config-name") and value.endswith((".yaml", ".yml")):
        raise ConfigError(f"{flag} {value}: name the file alone: `gan-framework train {value}`")


def _is_file(argument: str) -> bool:
    """Whether an argument names a configuration file; `networks.generator.from=x.yaml` sets something."""
    return argument.endswith((".yaml", ".yml")) and ("=" not in argument or Path(argument).is_file())
