"""A comparison over several data sets as one page, with a chart of the performance profiles."""

from __future__ import annotations

import base64
import io
from importlib import resources
from pathlib import Path

from gan_framework.compare import aggregate
from gan_framework.compare.across import BOUNDS, TEXT, Across, rows
from gan_framework.compare.differing import named
from gan_framework.storage import files
from gan_framework.storage.secrets import mask
from gan_framework.storage.text import brief, visible

DRAWN = 10
"""Groups whose profiles are drawn; more could not be told apart."""

LETTERS = 60
"""Characters of a group's settings beside its line."""

DASHES = ("-", "--", ":")


def write_page(across: Across, path: Path) -> None:
    """Write table and profiles as a page without network and scripts, in which nothing of a run is markup.

    Raises:
        OSError: the file cannot be written; it names the file.
    """
    import jinja2

    markup = resources.files("gan_framework.compare").joinpath("across.html.jinja").read_text(encoding="utf-8")
    png = draw(across)
    text = jinja2.Template(markup, autoescape=True).render(
        metric=_said(next(iter(across.parts.values())).metric),
        higher=across.higher_is_better,
        key=_said(across.key),
        sets=[_said(name) for name in across.parts],
        critical=f"{across.ranking.critical:.3g}",
        p=None if across.ranking.p is None else f"{across.ranking.p:.2g}",
        rows=[[_said(cell) for cell in row] for row in rows(across)],
        png=base64.b64encode(png).decode() if png else None,
        drawn=min(DRAWN, len(across.names)),
        more=len(across.names) > DRAWN,
        left_out=[_said(named(settings)) for settings in across.left_out],
    )
    with files.atomic(path) as file:
        file.write(text.encode())


def profiles(across: Across) -> list[list[float]] | None:
    """Return the performance profile of each group at `BOUNDS`; None where scores are not all above 0."""
    if across.relative is None:
        return None
    return [aggregate.profile(group, BOUNDS, across.higher_is_better) for group in across.relative]


def draw(across: Across) -> bytes | None:
    """Return the profiles of the best groups as a PNG; None where there are none."""
    found = profiles(across)
    if found is None:
        return None
    import matplotlib
    from matplotlib.figure import Figure

    written = io.BytesIO()
    with matplotlib.rc_context({"text.parse_math": False}):  # a dollar sign in a setting is a dollar sign
        figure = Figure(figsize=(9, 5), dpi=110, layout="constrained")
        axes = figure.subplots()
        for number, (name, shares) in enumerate(zip(across.names[:DRAWN], found, strict=False)):
            label = f"{number + 1}. {brief(visible(mask(named(name))), LETTERS)}"
            axes.plot(BOUNDS, shares, DASHES[number // len(DASHES) % len(DASHES)], label=label)
        bound = "at least" if across.higher_is_better else "at most"
        axes.set(xlabel=f"score {bound} so many times the median", ylabel="share of runs", ylim=(-0.02, 1.02))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        figure.savefig(written, format="png")
    return written.getvalue()


def _said(text: str) -> str:
    return brief(visible(mask(text)), TEXT)
