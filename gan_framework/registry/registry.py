"""Finds, loads and builds plugins by kind and name, through entry points alone.

A configuration holds names, never import paths, so an untrusted one cannot run arbitrary code,
and only what it names is imported.
"""

from __future__ import annotations

import importlib
import inspect
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from gan_framework.errors import ConfigError
from gan_framework.registry import paths, typecheck
from gan_framework.registry.blame import fault
from gan_framework.registry.defaults import defaults, yaml_file
from gan_framework.registry.kinds import KINDS
from gan_framework.registry.near import near
from gan_framework.registry.packages import canonical, owner, registered

CONTRACT = 2
"""The version of the plugin contracts; docs/plugins.md says what each changed and what to edit."""

UPGRADE = (
    "plugins import everything from gan_framework.api now; the table at the end of docs/plugins.md says what else to "
    'edit, and then state version 2 under [project.entry-points."gan_framework.contract"]'
)
"""What the author of a plugin for an older contract is told."""


@dataclass(frozen=True)
class Plugin:
    """An installed plugin, not yet imported."""

    kind: str
    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def load(self) -> Callable[..., Any]:
        """Import the plugin.

        Raises:
            ConfigError: it cannot be imported, is not what its kind asks for, or was written for a
                newer contract.
        """
        self._check_contract()
        try:
            factory = self.entry_point.load()
        except (Exception, SystemExit) as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{frame.filename}, line {frame.lineno}"
            if isinstance(error, SyntaxError) and error.filename:  # nothing in it was run
                place = f"{error.filename}, line {error.lineno}"
            elif isinstance(error, AttributeError) and "importlib" in frame.filename:  # of the module, which is there
                place = f"its entry point is {self.entry_point.value}"
            what = error.msg if isinstance(error, SyntaxError) else error
            older = isinstance(error, ModuleNotFoundError) and str(error.name).startswith("gan_framework.")
            raise ConfigError(
                f"{self} cannot be imported: {type(error).__name__}: {what} ({place})"
                + (f". {UPGRADE}" if older else "")
            ) from error
        required = KINDS[self.kind].contract
        if required is None:
            if not callable(factory):
                raise ConfigError(f"{self} is not callable")
            return factory  # type: ignore[no-any-return]
        module, _, attribute = required.partition(":")
        base = getattr(importlib.import_module(module), attribute)
        if not (inspect.isclass(factory) and issubclass(factory, base)):
            public = "gan_framework.api" if module.startswith("gan_framework") else module
            raise ConfigError(f"{self} is no subclass of {public}.{attribute}")
        missing: frozenset[str] = getattr(factory, "__abstractmethods__", frozenset())
        if missing:
            raise ConfigError(f"{self} does not define {' and '.join(sorted(missing))}")
        return factory

    def _check_contract(self) -> None:
        written_for = contract(self.distribution)
        if written_for is None or written_for == CONTRACT:
            return
        advice = UPGRADE if written_for < CONTRACT else "upgrade gan-framework"
        raise ConfigError(
            f"{self} was written for version {written_for} of the plugin contract, and this gan-framework knows "
            f"version {CONTRACT}: {advice}"
        )

    def __str__(self) -> str:
        return f"the plugin {self.name!r} ({self.kind}) of {self.distribution} {self.version}"


@cache
def installed(kind: str) -> tuple[Plugin, ...]:
    """Return all installed plugins of a kind, by name, without importing any."""
    points = registered(KINDS[kind].entry_points)
    plugins = [Plugin(kind, point.name, *owner(point), point) for point in points]
    return tuple(sorted(plugins, key=lambda plugin: (plugin.name, plugin.distribution)))


def contract(distribution: str) -> int | None:
    """Return the version of the plugin contract that a distribution was written for; None if it does not say.

    It says so by the name of an entry point in the group `gan_framework.contract`.

    Raises:
        ConfigError: what it says is no version.
    """
    for point in registered("gan_framework.contract"):
        if owner(point)[0] == distribution:
            if not point.name.isdecimal():
                raise ConfigError(f"{distribution} states the contract version {point.name!r}, which is not an integer")
            return int(point.name)
    return None


def find(kind: str, name: str) -> Plugin:
    """Return the plugin of a kind and name; `distribution:name` chooses between two that share a name.

    Raises:
        ConfigError: there is none, or several distributions claim the name.
    """
    distribution, _, short = str(name).rpartition(":")
    found = [
        plugin
        for plugin in installed(kind)
        if plugin.name == short and (not distribution or canonical(distribution) == canonical(plugin.distribution))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        choices = " or ".join(f"{plugin.distribution}:{short}" for plugin in found)
        place = f"networks.{KINDS[kind].group}" if KINDS[kind].place == "networks" else _place(kind, short)
        raise ConfigError(f"several distributions have {kind} named {short!r}: choose one with {place}.name={choices}")
    by_name = {plugin.name: plugin for plugin in installed(kind)}
    listing = ", ".join(f"{other} ({by_name[other].distribution})" for other in near(short, by_name))
    raise ConfigError(
        f"no plugin named {name!r} among the {kind}; {f'the closest are {listing}; ' * bool(listing)}`gan-framework "
        f"plugins {kind}` lists them all. A plugin added to a source checkout appears after `pip install -e .` is run "
        "again"
    )


def settings(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the settings a plugin accepts: its keyword arguments, without what the framework supplies."""
    parameters = inspect.signature(factory).parameters.values()
    return {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def newer_settings(plugin: Plugin, missing: Iterable[str]) -> dict[str, Any]:
    """Return the defaults of settings that a configuration written for an older version of a plugin does not have."""
    missing = [*missing]
    path = yaml_file(plugin.kind, plugin.name, plugin.distribution) if missing else None
    known = defaults(path, plugin.name) if path is not None else {}
    return {key: known[key] for key in missing if key in known and "${" not in str(known[key])}


def build(kind: str, config: Mapping[str, Any], *supplied: Any, at: str = "") -> Any:
    """Build the plugin that a configuration names, with the settings beside the name.

    A setting that a plugin wants as a `Path` is given to it as an absolute one.

    Args:
        kind: the plugin's kind.
        config: `name` and the plugin's keyword arguments.
        supplied: positional arguments that the framework gives to every plugin of the kind.
        at: where the settings stand, `networks.generator`, for what is said of them; by default where those of the kind
            or, if there are several, of that name do.

    Raises:
        ConfigError: no such plugin, a setting it does not accept or lacks, or a value it refuses.
    """
    if not isinstance(config, Mapping) or "name" not in config:
        of_several = KINDS[kind].several and not isinstance(config, Mapping)
        line = f"; a YAML of {kind} begins with `# @package {KINDS[kind].place}.NAME`" if of_several else ""
        raise ConfigError(f"a configuration of {kind} needs a `name`, but this is {config!r}{line}")
    plugin = find(kind, config["name"])
    factory = plugin.load()
    arguments = {key: value for key, value in config.items() if key != "name"}
    accepted = list(settings(factory))[len(supplied) :]
    unknown = [key for key in arguments if key not in accepted]
    if unknown:
        raise ConfigError(
            f"{plugin.name} ({kind}) does not accept {', '.join(map(repr, unknown))}; "
            f"it accepts {', '.join(accepted) or 'no settings'}"
        )
    parameters = settings(factory)
    required = [key for key in accepted if parameters[key].default is inspect.Parameter.empty]
    arguments = newer_settings(plugin, [key for key in required if key not in arguments]) | arguments
    missing = [key for key in required if key not in arguments]
    if missing:
        raise ConfigError(f"{plugin.name} ({kind}) needs the settings {', '.join(missing)}")
    types = typecheck.wanted(factory)
    for key, value in arguments.items():
        right = typecheck.misfit(value, types[key]) if key in types else None
        if right is not None:
            raise ConfigError(
                f"{plugin.name} ({kind}): {at or _place(kind, plugin.name)}.{key}={value} must be {right}"
            )
    arguments |= _files(types, arguments)
    try:
        with no_empty_layers():
            built = factory(*supplied, **arguments)
    except ConfigError:
        raise
    except Exception as error:
        # All that a plugin is given are settings, so whatever it raises is about them.
        if "before Module.__init__() call" in str(error):
            raise ConfigError(f"{plugin}: {_no_super(factory)}") from error
        what = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        where = at or _place(kind, plugin.name)
        if what.partition("=")[0] in arguments:
            said = f"{where}.{what}"
        elif len(blamed := [key for key, value in arguments.items() if _ends_in(what, value)]) == 1:
            said = f"{where}.{blamed[0]}={arguments[blamed[0]]}: {what}"
        else:
            said = f"{what}; given {arguments}"
        of_plugin = None if isinstance(error, ValueError) else fault(error)
        whose = f" ({of_plugin.place})" if of_plugin is not None else ""
        raise ConfigError(f"invalid settings for {plugin.name} ({kind}): {said}{whose}") from error
    _check_built(plugin, factory, built)
    return built


def _check_built(plugin: Plugin, factory: Callable[..., Any], built: Any) -> None:
    """Raise ConfigError if what a plugin has made lacks what its kind needs, where it would be missed much later."""
    if callable(getattr(type(built), "register_buffer", None)) and "_modules" not in vars(built):
        raise ConfigError(f"{plugin}: {_no_super(factory)}")
    for name in KINDS[plugin.kind].says:
        # Looked up where it stands, as what computes it may take long; a network's parts are in no place of their own.
        if inspect.getattr_static(built, name, None) is None and not hasattr(built, name):
            raise ConfigError(f"{plugin} has no attribute `{name}`, which all {plugin.kind} have")


def _no_super(factory: Callable[..., Any]) -> str:
    return f"{getattr(factory, '__name__', factory)}.__init__ must call super().__init__() before all else"


def _ends_in(message: str, value: Any) -> bool:
    """Whether a message names a value at its end, as torch's do, `Invalid learning rate: -1`, or a part of a list."""
    return any(message.endswith(f": {one}") for one in (value if isinstance(value, (list, tuple)) else [value]))


def _place(kind: str, name: str) -> str:
    """Return where the settings of a plugin stand unless something else is said."""
    place = KINDS[kind].place
    return f"{place}.{name}" if KINDS[kind].several else place


@contextmanager
def no_empty_layers() -> Iterator[None]:
    """Have a layer without any weights, of a size of 0, end what is built, where torch only warns.

    Raises:
        ValueError: there is one.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Initializing zero-element tensors", UserWarning)
        try:
            yield
        except UserWarning as warning:
            raise ValueError("a layer would have no weights: one of the sizes is 0") from warning


def file_settings(kind: str, config: Mapping[str, Any]) -> dict[str, Path]:
    """Return those settings of a plugin's configuration that name files, as absolute paths.

    Raises:
        ConfigError: no such plugin.
    """
    return _files(typecheck.wanted(find(kind, config["name"]).load()), config)


def _files(types: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Path]:
    named = {key: value for key, value in settings.items() if paths.asks_for_path(types.get(key))}
    found = {key: paths.absolute(value) for key, value in named.items() if isinstance(value, (str, Path)) and value}
    return {key: path for key, path in found.items() if not paths.may_be_a_name(types[key]) or path.exists()}
