"""Reading YAML and JSON that somebody else may have made: plain values alone, up to a number and a depth of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gan_framework.storage.foreign import Damaged, open_regular, read_bytes
from gan_framework.storage.text import brief, visible

YAML_BYTES = 2**21
"""The largest YAML file that is read."""
JSON_BYTES = 4 * 2**20
"""The largest JSON file that is read."""
VALUES = 30_000
"""The most values of a YAML file; a run of a wide table describes each column in its configuration."""
REPEATED = 5_000
"""Of them, the most that stand there by anchors, each counted as often as it is repeated."""
DEPTH = 32
"""The most mappings and lists within each other."""
BITS = 256
"""The largest whole number."""
NUMBER = 400
"""The longest number, in characters; YAML reads `1:1:1:...` as one, and takes long for it."""
SHOWN = 60
"""Characters of a value that a message shows."""
REFERENCE = re.compile(r"(\\*)\$\{")
"""How a reference to another setting begins, or to a variable of the environment."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, within: Path) -> dict[str, Any]:
    """Return the settings of a YAML file.

    Args:
        path: the file.
        within: the folder that it must lie in.

    Raises:
        Damaged: it is no mapping of plain values, or larger, deeper or more manifold than the limits above.
        FileNotFoundError: there is none.
    """
    content = read_bytes(path, within, YAML_BYTES)
    try:
        _require_few(content)
        found = yaml.load(content, LOADER)
    except Damaged as error:
        raise Damaged(f"{path.name}: {error}") from error
    # The constructors of YAML's tags raise whatever Python does on their values.
    except Exception as error:
        raise Damaged(f"{path.name} is no YAML: {_reason(error)}") from error
    return require_plain(found, path.name)


def require_readable(text: str) -> None:
    """Raise Damaged if what is to be written as YAML is more than `read_yaml` would read again."""
    content = text.encode(errors="backslashreplace")
    if len(content) > YAML_BYTES:
        raise Damaged(f"it holds {len(content):,} bytes; up to {YAML_BYTES:,} are read")
    _require_few(content)


def read_json(path: Path, within: Path) -> dict[str, Any]:
    """Return the fields of a JSON file; as `read_yaml`."""
    return parse_json(read_bytes(path, within, JSON_BYTES), path.name)


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """Return the fields of a JSON object.

    Raises:
        Damaged: it is none, is nested too deeply, or holds a number that is not finite.
    """
    try:
        found = JSON.decode(content.decode())
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{name} is no JSON: {_reason(error)}") from error
    return require_plain(found, name)


def read_lines(path: Path, within: Path, most: int, longest: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their numbers.

    A last line without its end was cut off while it was written, and is passed over.

    Args:
        path: the file.
        within: the folder that it must lie in.
        most: the most bytes that it may hold.
        longest: the most bytes of a line.

    Raises:
        Damaged: the file or a line is larger.
        FileNotFoundError: there is no such file.
    """
    number = 0
    with open_regular(path, within, most) as file:
        while (line := file.readline(longest + 1)).endswith(b"\n"):
            number += 1
            yield number, line
        if len(line) > longest:
            raise Damaged(f"{path.name}: line {number + 1} is longer than {longest:,} bytes")


def parse_line(line: bytes, number: int, name: str) -> dict[str, Any]:
    """Return the fields of a JSON object in one line.

    Args:
        line: the line, with its end.
        number: its number, for messages.
        name: what messages call the file.

    Raises:
        Damaged: it is no JSON object; what is in an object is not looked at.
    """
    try:
        text = line.decode()
        found, end = SCAN(text)
        if end + 1 != len(text) and text[end:].strip():
            raise ValueError("there is more than one value in it")
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{name}: line {number} is no JSON: {_reason(error)}") from error
    if type(found) is not dict:
        raise Damaged(f"{name}: line {number} is {shown(found)} and not a mapping")
    return found


def require_plain(found: Any, name: str) -> dict[str, Any]:
    """Return what is given if it is a mapping of plain values: text, numbers, true and false, null, lists, mappings.

    Raises:
        Damaged: it is none; the message names the field.
    """
    if not isinstance(found, dict):
        raise Damaged(f"{name} holds no settings by name but {shown(found)}")
    # A stack instead of calls in each other: what is too deep is found before it matters.
    stack: list[tuple[tuple[str, ...], Any, int]] = [((), found, 0)]
    while stack:
        path, value, depth = stack.pop()
        if depth > DEPTH:
            raise Damaged(f"{name}: {_dotted(path)} is nested more than {DEPTH} deep")
        if isinstance(value, dict):
            for key, inner in value.items():
                if not isinstance(key, (str, int, float)):
                    raise Damaged(f"{name}: {_dotted(path)} has a key that is no text: {shown(key)}")
                stack.append(((*path, str(key)), inner, depth + 1))
        elif isinstance(value, list):
            stack += [((*path, str(i)), inner, depth + 1) for i, inner in enumerate(value)]
        elif isinstance(value, int) and value.bit_length() > BITS:
            raise Damaged(f"{name}: {_dotted(path)} is a number of more than {BITS} bits")
        elif not (value is None or isinstance(value, (str, int, float))):
            raise Damaged(f"{name}: {_dotted(path)} is {shown(value)}, which is not a plain value")
    return found


def literal(value: Any) -> Any:
    """Return plain values that OmegaConf resolves to those given: what looks like a reference in them is text."""
    if isinstance(value, Mapping):
        return {key: literal(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [literal(inner) for inner in value]
    if isinstance(value, str):
        return REFERENCE.sub(lambda found: found[1] * 2 + r"\${", value)
    return value


def shown(value: Any) -> str:
    """Return a value as messages show it."""
    if isinstance(value, (Mapping, list, set)):
        kind = "mapping" if isinstance(value, Mapping) else type(value).__name__
        return f"a {kind}" if value else f"an empty {kind}"
    if isinstance(value, int) and value.bit_length() > BITS:
        return "a huge number"
    return brief(
        json.dumps(value, ensure_ascii=False) if isinstance(value, (str, int, float)) or value is None else repr(value),
        SHOWN,
    )


def _require_few(content: bytes) -> None:
    """Raise Damaged if a YAML text holds too much, counted before anything is built of it.

    Mappings that are merged (`<<`) multiply while they are built, so what an anchor stands for is
    counted wherever it is repeated.
    """
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    count = repeated = 0
    for event in yaml.parse(content, LOADER):
        if isinstance(event, yaml.AliasEvent):
            # An anchor within itself is not known yet; its depth has no end.
            if event.anchor not in sizes:
                raise Damaged(f"the anchor {brief(event.anchor, SHOWN)} stands within itself or for nothing")
            count += sizes[event.anchor]
            repeated += sizes[event.anchor]
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            open_nodes.append((event.anchor, count))
            count += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = count - before
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if not event.style and len(event.value) > NUMBER and event.value[0] in "0123456789+-.":
                raise Damaged(f"line {event.start_mark.line + 1} has a number longer than {NUMBER} characters")
            if event.anchor is not None:
                sizes[event.anchor] = 1
        if getattr(event, "tag", None) is not None:
            raise Damaged(f"line {event.start_mark.line + 1} has the tag {brief(event.tag, SHOWN)}: no tags are read")
        if len(open_nodes) > DEPTH:
            raise Damaged(f"line {event.start_mark.line + 1} is nested more than {DEPTH} deep")
        if count > 2 * VALUES or repeated > 2 * REPEATED:
            raise Damaged(
                f"it holds more than {VALUES:,} values, or more than {REPEATED:,} that stand there by anchors, each "
                "counted as often as it is repeated"
            )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no finite number")


JSON = json.JSONDecoder(parse_constant=_refuse)
"""Reads JSON that holds no NaN and no infinity."""
SCAN = JSON.raw_decode


def _dotted(path: tuple[str, ...]) -> str:
    return brief(".".join(path), SHOWN) or "it"


def _reason(error: Exception) -> str:
    return visible(" ".join(str(error).split()))[:200] or type(error).__name__
