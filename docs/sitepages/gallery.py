"""The gallery: what each experiment draws after a short training, with the command that made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .experiments import command
from .options import cell, options, with_links

FOLDER = Path(__file__).parents[1] / "gallery"
WIDE = 400
"""Pixels from which on a picture is a plot, which is not enlarged, and not a grid of small images."""


def pictures() -> str:
    """Return a part for each experiment that has a picture, and a table of those that have none."""
    made = records()
    lines = []
    without = ["", "## Without a picture", "", "| experiment | | command |", "| --- | --- | --- |"]
    for one in options("experiment"):
        if record := made.get(one.name):
            shown = "{ .samples }" if width(FOLDER / f"{one.name}.png") < WIDE else ""
            lines += ["", f"## {one.name}", "", with_links(one.comment), ""]
            lines += [f"![What {one.name} draws](gallery/{one.name}.png){shown}", ""]
            lines += ["```bash", record["command"], "```", "", made_by(record)]
        else:
            without.append(f"| {one.name} | {cell(with_links(one.comment))} | `{command(one.name)}` |")
    return "\n".join(lines + without)


def records() -> dict[str, dict[str, Any]]:
    """Return how the pictures that there are were made, by experiment."""
    found: dict[str, dict[str, Any]] = json.loads((FOLDER / "gallery.json").read_text())
    return found


def width(picture: Path) -> int:
    """Return how many pixels a PNG is wide."""
    return int.from_bytes(picture.read_bytes()[16:20], "big")


def made_by(record: dict[str, Any]) -> str:
    """Return how long a picture took and what its samples score."""
    data = f" on {record['data']}" if record["data"] else ""
    took = f"{record['minutes']:.0f} minutes" if record["minutes"] >= 1.5 else "about a minute"
    took = "less than a minute" if record["minutes"] < 0.7 else took
    threads = {None: "one GPU", 1: "one CPU thread"}.get(record["threads"], f"{record['threads']} CPU threads")
    shown = [(name, value) for name, value in record["scores"].items() if value is not None and "_std_" not in name]
    scores = f" {', '.join(f'{name} {value:.3g}' for name, value in shown)}." if shown else ""
    steps = f"{record['steps']:,} steps" + (f" of {record['of']:,}" if "of" in record else "")
    return f"{steps}{data}, {took}, {threads}.{scores}"
