"""Hooks of mkdocs: pages that are made of the configuration and the plugins, and links that work on the site too.

A page says `<!-- generated: NAME -->` where what is made stands; in the repository, where nothing is made, the page
reads on without it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from sitepages import api, configuration, experiments, gallery, links, navigation, notebooks

ROOT = Path(__file__).parent.parent
MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
MADE = {
    "api": api.reference,
    "experiments": experiments.table,
    "gallery": gallery.pictures,
    "groups": configuration.groups_table,
    "sections": configuration.sections,
}
"""What a page may ask for."""


def on_config(config: Any) -> Any:
    """Fill in the folders that the navigation names."""
    made = [*configuration.pages(), *notebooks.pages(), *links.FROM_ROOT]
    config.nav = navigation.expanded(config.nav, Path(config.docs_dir), made)
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add a page for each configuration group and each notebook, and those of the repository's root."""
    for uri, text in [*configuration.pages().items(), *notebooks.pages().items()]:
        files.append(File.generated(config, uri, content=text))
    for uri, name in links.FROM_ROOT.items():
        files.append(File.generated(config, uri, content=links.from_root((ROOT / name).read_text())))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put what is made where a page asks for it, and mend the links that leave the site."""
    filled = MARK.sub(lambda found: MADE[found[1]](), markdown)
    return links.kept_inside(filled, page.file.src_uri)
