"""Notebooks as pages of the site: their texts, their code, and what it printed and drew."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "notebooks"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def pages() -> dict[str, str | bytes]:
    """Return a page for each notebook, and its pictures, by their places in docs/."""
    made: dict[str, str | bytes] = {}
    for path in sorted(FOLDER.glob("*.ipynb")):
        made |= _page(path.stem, json.loads(path.read_text(encoding="utf-8"))["cells"])
    return made


def _page(name: str, cells: list[dict[str, Any]]) -> dict[str, str | bytes]:
    lines: list[str] = []
    pictures: dict[str, str | bytes] = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            lines += [source, ""]
            continue
        lines += ["```python", source, "```", ""]
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                picture = f"{name}_{len(pictures)}.png"
                pictures[f"notebooks/{picture}"] = base64.b64decode("".join(data["image/png"]))
                lines += [f"![{name}]({picture})", ""]
            elif text := "".join(output.get("text", data.get("text/plain", ""))):
                lines += ["```text", CONTROL.sub("", text).rstrip("\n"), "```", ""]
    download = f"[This page as a notebook]({name}.ipynb)"
    return {f"notebooks/{name}.md": "\n".join([*lines, download]), **pictures}
