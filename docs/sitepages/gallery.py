"""The gallery: what each experiment draws after a short training, with the command that made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .experiments import command
from .options import options, with_links

FOLDER = Path(__file__).parents[1] / "gallery"


def pictures() -> str:
    """Return a part for each experiment; one without a picture says so."""
    records: dict[str, Any] = json.loads((FOLDER / "gallery.json").read_text())
    lines = []
    for one in options("experiment"):
        record = records.get(one.name)
        lines += ["", f"## {one.name}", "", with_links(one.comment), ""]
        if record and (FOLDER / f"{one.name}.png").exists():
            lines += [f"![What {one.name} draws](gallery/{one.name}.png){{ .samples }}", ""]
            lines += ["```bash", record["command"], "```", "", made_by(record)]
        else:
            lines += ["No picture yet.", "", "```bash", command(one.name), "```"]
    return "\n".join(lines)


def made_by(record: dict[str, Any]) -> str:
    """Return how long a picture took and what its samples score."""
    data = f" on {record['data']}" if record["data"] else ""
    scores = ", ".join(
        f"{name} {value:.3g}" for name, value in record["scores"].items() if value is not None and "_std_" not in name
    )
    threads = "one CPU thread" if record["threads"] == 1 else f"{record['threads']} CPU threads"
    return f"{record['steps']:,} steps{data}, {record['minutes']:g} minutes, {threads}. {scores}".rstrip() + (
        "." if scores else ""
    )
