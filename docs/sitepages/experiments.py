"""The table of experiments: paper, what is special, command."""

from __future__ import annotations

from . import configuration
from .options import cell, options, with_links


def table() -> str:
    """Return a row for each experiment."""
    lines = ["| experiment | paper | command |", "| --- | --- | --- |"]
    for one in options("experiment"):
        known = configuration.also(one)
        name = f"[`{one.name}`](configuration/experiment.md#{one.name})" + (f" (also {known})" if known else "")
        lines.append(f"| {name} | {cell(with_links(one.comment))} | `{command(one.name)}` |")
    return "\n".join(lines)


def command(name: str) -> str:
    """Return what trains an experiment."""
    return f"python run.py experiment={name}"
