"""Links that lead out of docs/ in the repository, as the site has them."""

from __future__ import annotations

import posixpath
import re

FROM_ROOT = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md", "security.md": "SECURITY.md"}
"""Pages of the site that lie in the repository's root."""

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def from_root(text: str) -> str:
    """Return a page of the repository's root as it reads in docs/."""
    return LINK.sub(lambda found: f"[{found[1]}]({_moved(found[2])}{found[3] or ''})", text)


def _moved(target: str) -> str:
    inside = {name: uri for uri, name in FROM_ROOT.items()} | {"README.md": "index.md"}
    return inside.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else f"../{target}")


def kept_inside(text: str, uri: str) -> str:
    """Return a page whose links to files outside docs/ lead to the page of the site, or are plain text if none does."""
    folder = posixpath.dirname(uri)
    names = {f"../{name}": page for page, name in FROM_ROOT.items()} | {"../README.md": "index.md"}

    def mended(found: re.Match[str]) -> str:
        label, target, anchor = found[1], found[2], found[3] or ""
        if ":" in target or target.startswith("/"):
            return found[0]
        place = posixpath.normpath(posixpath.join(folder, target))
        if not place.startswith("../"):
            return found[0]
        if place in names:
            return f"[{label}]({posixpath.relpath(names[place], folder or '.')}{anchor})"
        return label if "`" in label else f"{label} (`{place.removeprefix('../')}`)"

    return LINK.sub(mended, text)
