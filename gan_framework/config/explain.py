"""Turns what Hydra and OmegaConf say of a wrong request into one line that says what would be right."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException, ValidationError

from gan_framework.config.at_work import hydra_at_work
from gan_framework.config.field_names import READERS
from gan_framework.config.proposals import (
    MOST,
    VERY_LIKE,
    called_otherwise,
    closest,
    instead,
    kind_at,
    option_called,
    options_with,
    settings_like,
    settings_within,
)
from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS, kind_of_group
from gan_framework.registry.near import near
from gan_framework.registry.packages import config_packages, groups, options
from gan_framework.storage import no_run
from gan_framework.storage.text import visible

CONVERTED = re.compile(
    r"Value '.*' (of type '\w+' could not be converted to|is not a valid) (?P<type>\w+).*", re.DOTALL
)
"""What OmegaConf says of a value of another type."""

TYPES = {"Integer": "an integer", "Float": "a number", "bool": "true or false"}
"""Its names of types, as users say them."""

COMMANDS = ("sample", "evaluate", "compare", "resume", "plugins", "runs", "diff", "export", "dashboard", "train")
"""What `gan-framework` does, and `run.py` does not."""


def explain(error: Exception, typed: Sequence[str] = ()) -> str:
    """Return one line: the setting, the value, and what is accepted.

    Args:
        error: what was raised while a configuration was composed.
        typed: the overrides that it was composed of, of which an error may name a part only.
    """
    if isinstance(error, MissingConfigException):
        return _missing_option(error)
    if isinstance(error, OverrideParseException):
        return _unreadable(error)
    if found := re.match(r"In '(\w+)/(\w+)': ConfigKeyError .*\s+Key '(\w+)' not in 'Config'", str(error)):
        return _without_package(*found.groups()) or _one_line(error)
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(cause, ValidationError):
        return _wrong_value(cause) if cause.full_key else _one_line(error)
    if isinstance(cause, OmegaConfBaseException) and isinstance(cause.parent_node, DictConfig):
        return _unknown_key(cause, cause.parent_node, typed)
    if found := re.match(r"Ambiguous value for argument '(.*?)=(.*)'", str(error)):
        return _several(*found.groups())
    if found := re.match(r"Sweep parameters '(.*?)=(.*)' requires --multirun", str(error)):
        return _several(*found.groups())
    if found := re.search(r"(?:Could not delete '|input_line='~)(\w+)(?:=([^']+))?'", str(error)):
        return _not_deleted(*found.groups())
    if found := re.match(r"Multiple values for (\S+)\. To override a value use 'override \S+: (.*)'", str(error)):
        return f"+{found[1]}={found[2]}: one is chosen already; without the + it is replaced: {found[1]}={found[2]}"
    if "does not support sweep type" in str(error):
        ranges = [one for one in typed if re.search(r"=.*(interval|glob)\(", one)]
        return f"{', '.join(ranges)}: ranges are for a search, hydra/sweeper=optuna; a sweep takes values, 1e-4,1e-3"
    nameless = next((one for one in typed if one.startswith("=")), None)
    return f"{nameless}: a setting is missing before the `=`" if nameless is not None else _one_line(error)


def _without_package(group: str, option: str, key: str) -> str | None:
    """Return what a YAML must begin with whose content went to a place that there is not; None of other keys."""
    kind = kind_of_group(group)
    if kind is None or key != group:
        return None
    of_one = group if kind.place == "networks" else option
    return f"{group}={option}: the first line of its YAML must be `# @package {kind.place}.{of_one}`"


def _unreadable(error: OverrideParseException) -> str:
    override = str(error.override)
    key, _, value = override.partition("=")
    if value.startswith("(") and value.endswith(")"):
        return f"{override}: lists are written in brackets: '{key}=[{value[1:-1]}]'"
    if value.count("[") != value.count("]"):
        return f"{override}: unbalanced bracket; quote overrides that contain spaces: '{key}=[a, b]'"
    if "=" not in override:
        return f"{override!r} is not an override: {_bare(override)}"
    if ",," in value:
        return f"{override}: a value is missing between two commas"
    if value.endswith(","):
        return f"{override}: a comma at its end; spaces alone set overrides apart"
    reason = str(error).splitlines()[0].partition(" expecting ")[0]
    return f"{override!r} is not an override: {reason}; write key=value"


def _bare(word: str) -> str:
    """Return what to type in the place of a word without a value."""
    if word in COMMANDS:
        return f"{word} is a command of another program: gan-framework {word}"
    key, colon, value = word.partition(":")
    if word in groups():
        return f"write {word}=NAME"
    if colon:
        return f"write {key}={value}"
    run = no_run.owner(Path(word)) if os.path.exists(word) else None
    if run is not None:
        again = visible(str(run / "config.yaml"))
        return (
            f"it lies in the folder of a run: `gan-framework resume {visible(str(run))}` resumes that, "
            f"`gan-framework train {again}` repeats it from scratch"
        )
    if os.path.isdir(word) and any(no_run.runs_below(Path(word))):
        return f"it is a folder with runs: `gan-framework train {visible(word)}/RUN/config.yaml` repeats one of them"
    if data := _data_at(word):
        return f"did you mean {data}?"
    named = option_called(word)
    return f"did you mean {' or '.join(named)}?" if named else "write key=value"


def _wrong_value(cause: ValidationError) -> str:
    value = "" if cause.value is None else f"={cause.value}"
    reason = str(cause).splitlines()[0]
    if "is not a subclass of" in reason:
        return f"{cause.full_key}: a section of settings: write {cause.full_key}.NAME=VALUE"
    if isinstance(cause.value, float) and cause.value.is_integer() and "Integer" in reason:
        return f"{cause.full_key}{value}: must be an integer: {cause.full_key}={int(cause.value)}"
    if found := CONVERTED.fullmatch(reason):
        reason = f"must be {TYPES.get(found['type'], found['type'])}"
        if isinstance(cause.value, (list, tuple)):
            reason += f"; several values are a sweep: -m {cause.full_key}={','.join(map(str, cause.value))}"
    elif "is not Optional" in reason:
        return f"{cause.full_key}=null: a value is needed; without this override it has its default"
    return f"{cause.full_key}{value or '='}: {reason}"


def _several(key: str, values: str) -> str:
    root = _defaults()
    if key not in groups() and OmegaConf.select(root, key, default=Ellipsis) is Ellipsis:
        meant = [f"'{setting}=[{values}]'" for setting in settings_like(key, root)]
        if meant:
            return f"{key}: unknown setting; {_meant(meant)}"
    listed = any(key == kind.group and kind.listed for kind in KINDS.values()) or "." in key
    as_list = f"; a list is written '{key}=[{values}]'" if listed else ""
    return f"{key}={values}: several values are a sweep, which needs -m{as_list}"


def _not_deleted(group: str, option: str | None) -> str:
    kind = kind_of_group(group)
    if kind is not None and kind.listed:
        return f"~{group}={option}: none is taken out of a list; name those that stay: '{group}=[...]'"
    return f"~{group}{f'={option}' if option else ''}: there is nothing of that name to delete"


def _missing_option(error: MissingConfigException) -> str:
    missing = error.missing_cfg_file or ""
    group, _, option = missing.rpartition("/")
    if not group:
        return _one_line(error)
    if path := _own_data(missing):
        return path
    kind = kind_of_group(group)
    none = f"{group}=[]" if kind is not None and kind.listed else ""
    if none and option in ("none", "null", "false", "off"):
        return f"{group}={option}: unknown option; to choose none: '{none}'"
    if not option:
        return f"{group}=: a value is missing; write {none or f'{group}=null'} to choose none"
    if group not in groups():
        listing = ", ".join(near(option, error.options or ()) or error.options or ()) or "none"
        reason = f"{group}={option}: unknown option; closest: {listing}"
    else:
        reason = f"{group}={option}: unknown option; {instead(group, option)}"
    if group in ("hydra/launcher", "hydra/sweeper"):
        return f"{reason}. Others come with packages of their own: pip install hydra-<name>-{group[6:]}"
    for plugin in registry.installed(kind.name) if kind else ():
        if plugin.name == option:
            reason += f". {plugin.distribution} has a plugin of that name but no file {group}/{option}.yaml"
    for package in config_packages():
        if package.problem:
            reason += f". {package.distribution} is installed, but {package.problem}"
    return reason


def _own_data(missing: str) -> str:
    """Return what to type in the place of `data=FILE`; empty if that is no path of the user's data."""
    group, _, path = missing.partition("/")
    if group != "data" or not os.path.exists(path):
        return ""
    typed = f"data={visible(path)}"
    return f"{typed}: this is a path; did you mean {data}?" if (data := _data_at(path)) else ""


def _data_at(path: str) -> str:
    """Return the settings that read the user's data at a path; empty if there are none that could be read."""
    named = READERS.get("" if os.path.isdir(path) else Path(path).suffix.lower()) if os.path.exists(path) else None
    return f"data={named} data.path={visible(path)}" if named else ""


def _unknown_key(cause: OmegaConfBaseException, parent: DictConfig, typed: Sequence[str]) -> str:
    key, full = str(cause.key), str(cause.full_key)
    path = full.rpartition(".")[0]
    reason = f"{full}: unknown setting"
    whole, is_set, value = _override_of(full, typed)
    if "." in path and not parent:  # Hydra empties what refers to another section before it sets something in it
        own = f" or write all of it: '{path}={{name:...,{key}:{value}}}'" if path.startswith("optimizer.") else ""
        return f"{full}: {path} is as another section is; change that one{own or ', which changes both'}"
    if path in ("optimizer", "networks") and whole != full:
        return f"{reason}; {path} has {', '.join(map(str, parent))}"
    if path:
        return f"{reason}; {_unknown_inside(path, key, value, parent)}"
    listed = next((kind for kind in KINDS.values() if kind.listed and key in options(kind.group)), None)
    if listed is not None:
        if value in ("false", "null", "none", "off"):
            return f"{reason}; without any: '{listed.group}=[]'"
        if "." not in whole:
            return f"{reason}; did you mean '{listed.group}=[{key}]'?"
        return f"{reason}; did you mean {listed.place}.{whole}{is_set}{value}, with '{listed.group}=[{key}]'?"
    proposals = called_otherwise(whole, value)
    proposals = proposals or [f"{setting}{is_set}{value}" for setting in settings_like(whole, _root(parent))]
    return f"{whole}: unknown setting; {_meant(proposals)}"


def _unknown_inside(path: str, key: str, value: str, parent: DictConfig) -> str:
    """Return what may be meant by a setting that a section does not have."""
    known = [str(name) for name in parent]
    listed = next((kind for kind in KINDS.values() if kind.listed and kind.place == path), None)
    if listed is not None and key in options(listed.group):
        return f"{path} has {', '.join(known) or 'none'}: choose it first with '{listed.group}=[{key}]'"
    place, _, _ = path.rpartition(".")
    if place and key in next((kind.reserved for kind in KINDS.values() if kind.listed and kind.place == place), ()):
        return f"its YAML does not have it, and it is added by a +: +{path}.{key}={value}"
    if within := settings_within(path, key, _root(parent)):
        return _meant([f"{setting}={value}" for setting in within])
    called = [one for one in called_otherwise(key, value) if not one.startswith(f"{path}.{key}=")]
    if here := [one for one in called if one.startswith(tuple(f"{path}.{name}=" for name in known))]:
        return _meant(here)
    kind = kind_at(path)
    if kind is not None and (others := options_with(key, kind, value)):
        return f"it belongs to {' or '.join(f'{kind.group}={other}' for other in others)}"
    if not closest(key, known, cutoff=VERY_LIKE):
        # The name alone, in other places: train.lr.
        meant = called or [f"{setting}={value}" for setting in settings_like(key, _root(parent))]
        if meant:
            return _meant(meant)
    similar = closest(key, known) if len(known) <= MOST else near(key, known)
    return f"closest in {path}: {', '.join(similar)}" if similar else f"`--cfg job -p {path}` shows what {path} has"


def _override_of(full: str, typed: Sequence[str]) -> tuple[str, str, str]:
    """Return the override that was typed of a setting, of which an error may name a part only: key, `=`, value."""
    bare = [one.lstrip("+") for one in typed]
    return next((one for sign in ".=" for one in bare if one.startswith(f"{full}{sign}")), full).partition("=")


def _meant(proposals: list[str]) -> str:
    return f"did you mean {' or '.join(proposals)}?" if proposals else "--help lists the settings"


def _defaults() -> DictConfig:
    """Return the configuration of a run whose command says nothing."""
    with hydra_at_work():
        return hydra.compose("config")


def _root(node: DictConfig) -> DictConfig:
    parent = node._get_parent()
    return _root(parent) if isinstance(parent, DictConfig) else node


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
