"""Reads what a plugin's source says of it, without importing it: its summary and its settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gan_framework.registry.packages import locate

REQUIRED = "???"
"""Stands for the default of a setting that has none, as in OmegaConf."""

Definition = ast.ClassDef | ast.FunctionDef


class NoSource(LookupError):
    """There is no such module or no such name in it."""


@dataclass(frozen=True)
class Declaration:
    """What the source of a class or function declares.

    Attributes:
        summary: the first line of its docstring.
        parameters: what it is called with, each with its default, or `REQUIRED`.
    """

    summary: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


def declaration(module: str, name: str) -> Declaration:
    """Return what a module's source declares under a name.

    Raises:
        NoSource: there is no such module or no such name in it.
    """
    found = _resolve(module, name.partition(".")[0])
    if found is None:
        return Declaration()
    module, definition = found
    summary = (ast.get_docstring(definition) or "").partition("\n")[0]
    return Declaration(summary, _parameters(module, definition))


@cache
def _parse(module: str) -> ast.Module | None:
    """Return a module's syntax tree, None for one that is not written in Python."""
    place = locate(module)
    if place is None:
        raise NoSource(f"there is no module {module}")
    if place.file is None or place.file.suffix != ".py":
        return None
    try:
        return ast.parse(place.file.read_bytes())
    except SyntaxError as error:
        raise NoSource(f"{place.file} is not valid Python: {error}") from error


def _resolve(module: str, name: str) -> tuple[str, Definition] | None:
    """Find a definition, following imports; None where only running the module could tell."""
    tree = _parse(module)
    if tree is None:
        return None
    for statement in _statements(tree):
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)) and statement.name == name:
            return module, statement
        if isinstance(statement, ast.ImportFrom):
            for imported in statement.names:
                if (imported.asname or imported.name) == name:
                    return _resolve(_imported(module, statement), imported.name)
        if isinstance(statement, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in statement.targets
        ):
            return None
    if any(isinstance(s, ast.ImportFrom) and s.names[0].name == "*" for s in _statements(tree)):
        return None
    raise NoSource(f"the module {module} has no {name}")


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield a module's own statements, those in its `if` and `try` blocks too."""
    waiting = list(tree.body)
    while waiting:
        statement = waiting.pop(0)
        yield statement
        if isinstance(statement, (ast.If, ast.Try)):
            waiting += [inner for inner in ast.iter_child_nodes(statement) if isinstance(inner, ast.stmt)]


def _imported(module: str, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    place = locate(module)
    package = module if place is not None and place.folders else module.rpartition(".")[0]
    parts = package.split(".")
    base = parts[: len(parts) - statement.level + 1]
    return ".".join([*base, statement.module] if statement.module else base)


def _parameters(module: str, definition: Definition) -> dict[str, Any]:
    if isinstance(definition, ast.FunctionDef):
        return _arguments(definition.args)
    for statement in definition.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return dict(list(_arguments(statement.args).items())[1:])
    for base in definition.bases:
        if isinstance(base, ast.Name) and (found := _base(module, base.id)) is not None:
            return _parameters(*found)
    return {}


def _base(module: str, name: str) -> tuple[str, Definition] | None:
    try:
        return _resolve(module, name)
    except NoSource:  # a builtin
        return None


def _arguments(arguments: ast.arguments) -> dict[str, Any]:
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    known: dict[str, Any] = dict.fromkeys(positional, REQUIRED)
    known |= dict(zip(positional[::-1], map(_value, arguments.defaults[::-1]), strict=False))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        known[argument.arg] = REQUIRED if default is None else _value(default)
    return known


def _value(default: ast.expr) -> Any:
    """Return a default's value, or how it is written where only running it could tell."""
    try:
        return ast.literal_eval(default)
    except ValueError:
        return ast.unparse(default)
