"""What the TAB key offers: options inside a list, which Hydra leaves out, and overrides behind `gan-framework`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from gan_framework.registry.kinds import KINDS, kind_of_group
from gan_framework.registry.packages import groups, options

QUOTES = "'\""


def inside_list(word: str) -> list[str] | None:
    """Return what a word can go on as in which a list of options has been begun: `strategy=[ema,` for instance.

    Returns:
        None if no list of options has been begun.
    """
    group, is_set, value = word.lstrip(QUOTES).partition("=")
    kind = kind_of_group(group.lstrip("+"))
    if not is_set or kind is None or not kind.listed or not value.startswith("[") or "]" in value:
        return None
    before, _, begun = value[1:].rpartition(",")
    chosen = before.split(",")
    lead = f"{group}=[{before}," if before else f"{group}=["
    found = [name for name in options(kind.group) if name.startswith(begun) and name not in chosen]
    if len(found) == 1 or begun in found:  # two ways to go on, for after a single one the shell closes the quote
        return [f"{lead}{name}{sign}" for name in found[:1] for sign in ",]"] + [f"{lead}{name}" for name in found[1:]]
    return [f"{lead}{name}" for name in found]


def override(word: str, before: list[str], roots: tuple[str, ...] | None = None) -> list[str]:
    """Return what an override can go on as: options of a group, settings of what is chosen, values that are known.

    Args:
        word: what has been typed of it.
        before: the overrides before it.
        roots: what may be overridden; None for everything.
    """
    listed = inside_list(word)
    if listed is not None:
        return listed
    bare = word.lstrip(QUOTES)
    key, is_set, value = bare.partition("=")
    offered = [name for name in groups() if roots is None or name in roots]
    if is_set and key in offered:
        kind = kind_of_group(key)
        more = [f"{key}=["] if kind is not None and kind.listed and not value else []
        return more + [f"{key}={name}" for name in options(key) if name.startswith(value)]
    settings = dict(_settings(_composed(before)))
    if is_set:
        values = ["true", "false"] if isinstance(settings.get(key), bool) else []
        return [f"{key}={one}" for one in values if one.startswith(value)]
    places = [name for name in settings if roots is None or name.partition(".")[0] in roots]
    found = [f"{name}=" for name in offered if name.startswith(bare)]
    for name in places:
        if name.startswith(bare) and "." not in name[len(bare) :].rstrip("."):
            found.append(f"{name}." if isinstance(settings[name], Mapping) else f"{name}=")
    return sorted({*found})


def for_command(roots: tuple[str, ...] | None = None) -> Any:
    """Return a function that completes the overrides of a command of `gan-framework`, as Typer calls it."""

    def complete(incomplete: str) -> list[str]:
        word, before, cut = _typed(incomplete)
        return [found[cut:] for found in override(word, before, roots)]

    return complete


def kinds(incomplete: str) -> list[str]:
    """Return the kinds of plugins that a word can go on as."""
    return [name for name in ("models", "experiments", *KINDS) if name.startswith(incomplete)]


@contextlib.contextmanager
def of_hydra() -> Iterator[None]:
    """Have Hydra's completion offer what is inside lists too."""
    from hydra.plugins.completion_plugin import CompletionPlugin

    query = CompletionPlugin._query

    def with_lists(self: CompletionPlugin, config_name: str | None, line: str) -> list[str]:
        word = "" if not line or line[-1] == " " else line.split()[-1]
        listed = inside_list(word)
        return query(self, config_name, line) if listed is None else sorted(listed)

    CompletionPlugin._query = with_lists  # type: ignore[method-assign]
    try:
        yield
    finally:
        CompletionPlugin._query = query  # type: ignore[method-assign]


def _typed(incomplete: str) -> tuple[str, list[str], int]:
    """Return the word that is being typed, the overrides before it, and how much of the word the shell keeps.

    Bash takes `loss=h` for three words, unless it has been told otherwise.
    """
    words = os.environ.get("COMP_WORDS", "").split()
    here = int(os.environ.get("COMP_CWORD") or 0)
    before = words[:here]
    lead = ""
    if incomplete == "=" and before:
        lead, incomplete, before = f"{before[-1]}=", "", before[:-1]
    elif len(before) > 1 and before[-1] == "=":
        lead, before = f"{before[-2]}=", before[:-2]
    return lead + incomplete, [word.strip(QUOTES) for word in before if "=" in word.strip("=")], len(lead)


def _composed(overrides: list[str]) -> Mapping[str, Any]:
    from omegaconf import OmegaConf

    from gan_framework.config.compose import compose
    from gan_framework.errors import ConfigError

    try:
        config = compose(overrides)
    except ConfigError:
        config = compose([])
    return OmegaConf.to_container(config, resolve=False)  # type: ignore[return-value]


def _settings(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        yield f"{path}{key}", value
        if isinstance(value, Mapping):
            yield from _settings(value, f"{path}{key}.")
