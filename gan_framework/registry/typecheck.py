"""Whether the values of settings are of the types that plugins ask for."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

NAMES = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    Path: "a path",
    type(None): "null",
}


def wanted(factory: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of a plugin's settings, as far as it says and they can be known."""
    try:
        return get_type_hints(factory.__init__ if isinstance(factory, type) else factory)  # type: ignore[misc]
    except NameError:  # names that are imported for type checkers only
        return {}


def misfit(value: Any, kind: Any) -> str | None:
    """Return what a value should be, or None if it is that; a type of a plugin's own fits every value.

    Args:
        value: a plain value of a configuration.
        kind: the type that is asked for. NaN is no number.
    """
    return None if _fits(value, kind) else name(kind)


def _fits(value: Any, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is Path:
        return isinstance(value, (str, Path)) and value != ""
    if kind in NAMES or kind is None:
        return isinstance(value, type(None) if kind is None else kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(one, inner[1]) for one in value.values())
    if isinstance(origin, type) and issubclass(origin, Collection):
        if not isinstance(value, (list, tuple)):
            return False
        each = inner if origin is tuple and Ellipsis not in inner else inner[:1] * len(value)
        return len(each) == len(value) and all(map(_fits, value, each))
    return True


def name(kind: Any) -> str:
    """Return in words what a type is."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(map(name, inner))
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a mapping whose values are each {name(inner[1])}"
    if origin is tuple and Ellipsis not in inner:
        return f"a list of {', '.join(map(name, inner))}"
    if isinstance(origin, type):
        return f"a list, each item {name(inner[0])}"
    return NAMES.get(type(None) if kind is None else kind, str(getattr(kind, "__name__", kind)))
