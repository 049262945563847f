"""The reference of the configuration: a page for each group, of its YAML files and the plugins behind them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from gan_framework.config import schema
from gan_framework.errors import ConfigError
from gan_framework.registry import registry
from gan_framework.registry.aliases import ALIASES
from gan_framework.registry.kinds import Kind, kind_of_group

from .options import Option, cell, flat, groups, options, with_links, written

ABOUT = {
    "data": "What is trained on, `data=NAME`. Formats and folders: [data](../data.md).",
    "debug": "Short cuts to see whether a configuration works, `debug=NAME`.",
    "discriminator": "What tells real from generated samples, `discriminator=NAME`; most models choose theirs.",
    "experiment": "A whole setting of a paper or a tutorial, `experiment=NAME`; see [experiments](../experiments.md).",
    "extractor": "What makes the features that scores compare, `extractor=NAME`; see [evaluation](../evaluation.md).",
    "game": "Which networks play against each other, and with what, `game=NAME`; most models choose theirs.",
    "generator": "What makes samples of latents, `generator=NAME`; most models choose theirs.",
    "loss": "The adversarial loss, `loss=NAME`, with the penalties that belong to it.",
    "metrics": "Scores, chosen as a list: `'metrics=[fid,kid]'`; see [evaluation](../evaluation.md).",
    "model": "Networks, prior and game that belong together, `model=NAME`.",
    "network": "Further networks (encoders, auto-encoders, Q), `network=NAME`; most models choose theirs.",
    "optimizer": "One optimizer for each player, `optimizer=NAME`.",
    "prior": "Where latents are drawn from, `prior=NAME`.",
    "sampler": "Another way of drawing samples of a trained model, `sampler=NAME`.",
    "schedule": "Which player is updated when, `schedule=NAME`.",
    "search": "What a hyperparameter search varies, `-m search=NAME`; see [sweeps](../sweeps.md#searching).",
    "strategy": "Training techniques, chosen as a list: `'strategy=[ema,k_step]'`.",
    "term": "Penalties and further losses, chosen as a list: `'term=[r1]'`.",
    "tracker": "Where metrics are shown, chosen as a list: `'tracker=[wandb]'`; see [tracking](../tracking.md).",
}
"""A sentence on each group."""

TECHNIQUES = Path(__file__).parents[1] / "techniques"

COMMON = {
    "betas": "how slowly the averages of the gradient and of its square forget",
    "channels": "1 for grey, 3 for colour; the size of a vector",
    "clip": "the greatest norm of the gradient; null for no limit",
    "condition_dim": "the size of a condition vector",
    "eps": "added to the denominator",
    "every": "it counts in every so many updates",
    "flip": "mirror images left to right at random",
    "transform": "random changes of torchvision's: [{name: RandomCrop, size: 32, padding: 4}]",
    "fused": "update all parameters in one kernel",
    "image_size": "pixels to a side; a pair for other than squares where the networks take them",
    "latent_dim": "the size of z",
    "lr": "the learning rate",
    "momentum": "the share of the last update that goes on",
    "num_classes": "how many classes there are",
    "pair": "the pair that it looks at, where a game has several",
    "player": "the player that has it in its loss",
    "weight": "what it is multiplied by",
    "weight_decay": "the share of each weight that is taken off, times the learning rate",
    "width": "channels of the narrowest layer; the others are multiples",
    "workers": "processes that read streamed data ahead",
}
"""What settings mean of which neither a docstring nor a comment says it."""


def pages() -> dict[str, str]:
    """Return the page of each group, by its place in docs/."""
    return {f"configuration/{group}.md": _page(group) for group in groups()}


def groups_table() -> str:
    """Return the table of all groups."""
    lines = ["| group | | options |", "| --- | --- | --- |"]
    for group in groups():
        about = ABOUT.get(group, "")
        names = ", ".join(f"[`{one.name}`]({group}.md#{one.name})" for one in options(group))
        lines.append(f"| [`{group}`]({group}.md) | {about} | {names} |")
    return "\n".join(lines)


def sections() -> str:
    """Return the tables of the scalar settings: `train`, `evaluate`, `sample`, `sweep`."""
    lines = []
    for name, section in schema.SECTIONS.items():
        about, notes = _documented(section)
        lines += [f"### {name}", "", about, "", "| setting | meaning | default | type |", "| --- | --- | --- | --- |"]
        for one in fields(section):
            default = one.default if one.default is not MISSING else None
            value = written(default.value if isinstance(default, Enum) else default)
            kind = " \\| ".join(written_type(one.type).split(" | "))
            meaning = cell(notes.get(one.name, "").rstrip("."))
            lines.append(f"| `{name}.{one.name}` | {meaning} | `{value}` | {kind} |")
        lines.append("")
    return "\n".join(lines)


@cache
def _page(group: str) -> str:
    kind = kind_of_group(group)
    lines = [f"# {group}", "", ABOUT.get(group, ""), ""]
    found = options(group)
    if group in ("experiment", "model"):
        lines += ["Each file says only what differs from the defaults.", ""]
    for option in found:
        lines += [f"## {option.name}", "", *_option(option, kind), ""]
    if kind is not None:
        lines += ["", f"A {kind.singular} of your own: [plugins](../plugins.md#{_anchor(kind)})."]
    return "\n".join(lines).replace("A optimizer", "An optimizer").replace("A extractor", "An extractor")


def _anchor(kind: Kind) -> str:
    return f"{'an' if kind.singular[0] in 'aeiou' else 'a'}-{kind.singular}"


def _option(option: Option, kind: Kind | None) -> list[str]:
    factory = _factory(kind, option) if kind is not None else None
    chosen = f"{option.group}=[{option.name}]" if kind is not None and kind.listed else f"{option.group}={option.name}"
    known = also(option)
    lines = [
        (f"`{chosen}`" if "[" not in chosen else f"`'{chosen}'`") + (f", also called {known}" if known else ""),
        "",
    ]
    if option.comment:
        lines += [with_links(option.comment), ""]
    if factory is None:
        return [*lines, "```yaml", option.text, "```"] if option.text else lines
    about, notes = _documented(factory)
    if about and about != option.comment:
        lines += [with_links(about), ""]
    lines += _settings(option, kind, factory, notes)
    if option.group in ("loss", "schedule", "strategy", "term") and (TECHNIQUES / f"{option.name}.md").exists():
        lines += ["", f"When to use it, and what it changes: [{option.name}](../techniques/{option.name}.md)."]
    if scores := getattr(factory, "higher_is_better", None):
        better = {True: "higher is better", False: "lower is better", None: "ranks nothing"}
        lines += ["", "Scores: " + ", ".join(f"`{name}` ({better[high]})" for name, high in scores.items()) + "."]
    return [*lines, "", f"Code: `{factory.__module__}.{factory.__qualname__}`"]


def also(option: Option) -> str:
    """Return the names that the field has for an option."""
    return ", ".join(f"`{name}`" for name, here in ALIASES.get(option.group, {}).items() if here == option.name)


def _factory(kind: Kind, option: Option) -> Callable[..., Any] | None:
    """Return the plugin that an option is named like, or None for one that is put together from others."""
    try:
        factory: Callable[..., Any] = registry.find(kind.name, option.name).load()
    except ConfigError:
        return None
    return factory


def _settings(option: Option, kind: Kind | None, factory: Callable[..., Any], notes: Mapping[str, str]) -> list[str]:
    accepted = registry.settings(factory)
    place = option.package or (kind.place if kind is not None else option.group)
    rows = []
    for path, value in flat(option.content).items():
        name = path.rpartition(".")[2]
        parameter = accepted.get(name)
        meaning = (notes.get(name) or option.notes.get(name) or COMMON.get(name, "")).rstrip(".")
        type_ = written_type(parameter.annotation) if parameter is not None else ""
        meaning = cell(with_links(meaning))
        rows.append(f"| `{place}.{path}` | {meaning} | `{cell(written(value))}` | {cell(type_)} |")
    if not rows:
        return ["No settings."]
    return ["| setting | meaning | default | type |", "| --- | --- | --- | --- |", *rows]


def written_type(annotation: Any) -> str:
    """Return a type as it is written, with `null` for None."""
    if annotation is inspect.Parameter.empty:
        return ""
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(str(one.value) for one in annotation)
    for full in (schema.PrecisionName, schema.OnNonfinite):
        if name == full.__name__:
            return written_type(full)
    return re.sub(r"\bNone\b", "null", name).replace("collections.abc.", "")


@cache
def _documented(factory: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return what a docstring says before its sections, and what it says of each argument."""
    texts = [inspect.getdoc(factory) or ""]
    if inspect.isclass(factory):
        texts.append(inspect.getdoc(factory.__init__) or "")
    notes: dict[str, str] = {}
    for text in texts:
        for section in re.findall(r"^(?:Args|Attributes):\n((?:[ \t]+.*\n?|\n)*)", text, re.MULTILINE):
            for name, said in re.findall(r"^ {4}(\w+)(?: \([^)]*\))?: ((?:.*)(?:\n {5,}.*)*)", section, re.MULTILINE):
                notes.setdefault(name, " ".join(said.split()))
    about = re.split(r"^\w+:$", texts[0], maxsplit=1, flags=re.MULTILINE)[0].strip().removeprefix("Return ")
    return about, notes
