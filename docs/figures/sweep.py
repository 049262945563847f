"""Draws the comparison's table and page for the docs: `python docs/figures/sweep.py SWEEP`; needs Chromium."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI

from gan_framework.cli import sources
from gan_framework.compare import groups, page, table

HERE = Path(__file__).parent
WIDTH = 1280


def main(sweep: str) -> None:
    """Write sweep_table.png, and sweep_page_light.png and sweep_page_dark.png."""
    comparison = groups.compare(sources.read([sweep]))
    console = Console(record=True, width=156, file=io.StringIO())
    table.show(comparison, console)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        picture = console.export_svg(title="gan-framework compare", theme=MONOKAI)
        (folder / "table.html").write_text(f'<meta charset="utf-8">{picture}')
        page.write_page(comparison, folder / "page.html")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": 800})
        tab.goto((folder / "table.html").as_uri())
        tab.locator("svg").first.screenshot(path=HERE / "sweep_table.png")
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            tab.goto((folder / "page.html").as_uri())
            tab.screenshot(path=HERE / f"sweep_page_{scheme}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
