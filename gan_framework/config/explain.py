"""Turns what Hydra and OmegaConf say of a wrong request into one line that says what would be right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import Container, DictConfig
from omegaconf.errors import OmegaConfBaseException, ValidationError

from gan_framework.registry import registry
from gan_framework.registry.kinds import KINDS, kind_of_group
from gan_framework.registry.packages import config_packages, groups, options


def explain(error: Exception) -> str:
    """Return one line: the setting, the value, and what is accepted."""
    if isinstance(error, MissingConfigException):
        return _missing_option(error)
    if isinstance(error, OverrideParseException):
        return f"{error.override!r} cannot be read as an override: {str(error).splitlines()[0]}; write key=value"
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(cause, ValidationError):
        reason = str(cause).splitlines()[0]
        value = "" if cause.value is None else f"={cause.value}"
        return f"{cause.full_key}{value}: {reason}" if cause.full_key else _one_line(error)
    if isinstance(cause, OmegaConfBaseException) and isinstance(cause.parent_node, DictConfig):
        return _unknown_key(cause, cause.parent_node)
    if found := re.match(r"Ambiguous value for argument '(.*?)=(.*)'", str(error)):
        key, values = found.groups()
        return f"{key}={values}: several values are a sweep, which needs -m; a list is written {key}=[{values}]"
    return _one_line(error)


def _missing_option(error: MissingConfigException) -> str:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if not group:
        return _one_line(error)
    offered = error.options or options(group)
    listing = _closest(option, offered) or "none"
    reason = f"{group}={option}: there is no such option; there are, closest first: {listing}"
    if group in ("hydra/launcher", "hydra/sweeper"):
        return f"{reason}. Others come with packages of their own: pip install hydra-<name>-{group[6:]}"
    kind = kind_of_group(group)
    for plugin in registry.installed(kind.name) if kind else ():
        if plugin.name == option:
            reason += f". {plugin.distribution} has a plugin of that name but no file {group}/{option}.yaml"
    for package in config_packages():
        if package.problem:
            reason += f". {package.distribution} is installed, but {package.problem}"
    return reason


def _unknown_key(cause: OmegaConfBaseException, parent: Container) -> str:
    assert isinstance(parent, DictConfig)
    key = str(cause.key)
    path = str(cause.full_key).rpartition(".")[0]
    known = [str(name) for name in parent]
    where = f"{path} has" if path else "there are"
    reason = f"{cause.full_key}: there is no such setting"
    listed = next((kind for kind in KINDS.values() if kind.listed and kind.place == path), None)
    if listed is not None:
        return f"{reason}; {where} {', '.join(known) or 'none'}: choose it first with {listed.group}=[{key}]"
    if not path:
        known += [group for group in groups() if group not in known]
    return f"{reason}; {where}, closest first: {_closest(key, known) or 'none'}"


def _closest(name: str, among: Iterable[str]) -> str:
    names = sorted(set(among))
    return ", ".join(difflib.get_close_matches(name, names, n=len(names) or 1, cutoff=0.0))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
