"""The comparison as JSON for programs, and as Markdown and LaTeX for papers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_framework.compare.groups import Comparison, Group
from gan_framework.compare.statistics import Difference, t_interval
from gan_framework.compare.verdict import deviating
from gan_framework.storage import files
from gan_framework.storage.numbers import score
from gan_framework.storage.text import brief, markdown, visible

TEXT = 300
"""Characters of a group's settings in a table."""
LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
"""What LaTeX takes for something else."""


def write_json(comparison: Comparison, path: Path, search: Mapping[str, Any] | None = None) -> None:
    """Write the groups, best first, each with its scores and its difference to the best or the baseline.

    Args:
        comparison: what is written.
        path: the file.
        search: what is known of the search that the runs are of, as plain values, for the key `search`.

    Raises:
        OSError: the file cannot be written; it names the file.
    """
    plain = as_plain(comparison) | ({"search": dict(search)} if search is not None else {})
    files.write_text(path, json.dumps(files.finite(plain), indent=1) + "\n")


def as_plain(comparison: Comparison) -> dict[str, Any]:
    """Return what `write_json` writes; what is not known is None."""
    verdicts, groups = comparison.verdicts, []
    for group, found in zip(comparison.groups, verdicts.found, strict=True):
        scores = comparison.scores(group)
        groups.append(
            {
                "settings": group.settings,
                "seeds": [run.config.get("seed") for run in group.runs],
                "scores": scores,
                "mean": comparison.ranked(group).mean if scores else None,
                "interval": t_interval(scores),
                **_plain_difference(found),
                "different": found.sure if found else None,
                "verdict": comparison.statement(group),
            }
        )
    return {
        "metric": comparison.metric,
        "by": comparison.by,
        "higher_is_better": comparison.higher_is_better,
        "method": verdicts.method,
        "reference": comparison.groups[verdicts.reference].settings,
        "comparisons": verdicts.comparisons,
        "groups": groups,
        "effects": {
            name: [{"value": level.value, **_plain_difference(level.difference)} for level in levels]
            for name, levels in comparison.effects.levels.items()
        },
        "interaction_p": comparison.effects.interaction,
    }


def _plain_difference(found: Difference | None) -> dict[str, Any]:
    return {
        "difference": found.estimate if found else None,
        "difference_interval": [found.low, found.high] if found else None,
        "p": found.p if found else None,
    }


def write_markdown(comparison: Comparison, path: Path) -> None:
    """Write a table: settings, seeds, mean with its interval, verdict.

    Raises:
        OSError: the file cannot be written; it names the file.
    """
    rows = [[_code(one) for one in row[:1]] + [_plain(one) for one in row[1:]] for row in _rows(comparison)]
    head = ["settings", "seeds", f"{_plain(comparison.metric)}, 95% interval", "verdict"]
    lines = [head, ["---"] * len(head), *rows]
    files.write_text(path, "".join(f"| {' | '.join(line)} |\n" for line in lines))


def write_latex(comparison: Comparison, path: Path) -> None:
    """Write a table of the package booktabs: settings, seeds, mean with its interval, and whether it is different.

    Raises:
        OSError: the file cannot be written; it names the file.
    """
    body = [" & ".join(map(_latex, row)) + r" \\" for row in _rows(comparison)]
    head = f"settings & seeds & {_latex(comparison.metric)} (95\\% interval) & verdict \\\\"
    lines = [r"\begin{tabular}{lrll}", r"\toprule", head, r"\midrule", *body, r"\bottomrule", r"\end{tabular}"]
    files.write_text(path, "\n".join(lines) + "\n")


def _rows(comparison: Comparison) -> list[list[str]]:
    return [
        [
            brief(visible(group.name), TEXT),
            str(len(group.runs)),
            _mean(comparison, group),
            comparison.statement(group),
        ]
        for group in comparison.groups
    ]


def _mean(comparison: Comparison, group: Group) -> str:
    scores = comparison.scores(group)
    if not scores:
        return ""
    mean, interval = score(comparison.ranked(group).mean), t_interval(scores)
    return f"{mean} ± {deviating((interval.high - interval.low) / 2)}" if interval else mean


def _code(text: str) -> str:
    return "`" + re.sub(r"[`|\s]", " ", text) + "`"


def _plain(text: str) -> str:
    return markdown(re.sub(r"[|<>\s]", " ", text))


def _latex(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in visible(text)).replace("±", r"$\pm$")
