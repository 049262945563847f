"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gpu.systems import SYSTEMS

Results = dict[str, Any]


def markdown(results: Results) -> str:
    """Return the page."""
    about = results["about"]
    lines = [
        "# On a GPU",
        "",
        f"{about['device']}, torch {about['torch']}, CUDA {about['cuda']}, Python {about['python']}, {about['date']}; "
        f"{about['seconds']:.0f} s in all" + ("; **a dry run of tiny sizes**." if about["dry"] else "."),
        "",
        "Milliseconds per step are medians over rounds in which the loops take turns, with quartiles. A ratio is the",
        "time of a hand-written loop with the same networks, optimizers and precision over the loop's, in the same",
        "turns: above 1, the loop is faster. The hand-written loop takes part in all turns; its time is the first's.",
        "",
        *table(
            "system, precision | by hand | framework | ratio | train.cuda_graph | ratio | compiled | ratio "
            "| compiled, train.cuda_graph | ratio | by hand as a CUDA graph | ratio",
            _steps(results),
        ),
        *table(
            "system, precision | waits per step | where | at an epoch's end | at a log line | peak memory",
            _footprints(results),
        ),
        *table("penalty, networks | " + " | ".join(PRECISIONS), _penalties(results)),
        *table("run | status | steps | training images/s | start | losses | picture", _runs(results)),
        *table("part | seconds | outcome", _parts(results)),
    ]
    return "\n".join(lines) + "\n"


LOOPS = ("framework", "replayed", "compiled", "compiled_replayed", "captured")
"""What is compared with the loop by hand, in the order of the columns."""

PRECISIONS = ("fp32", "tf32", "bf16", "fp16")


def table(head: str, rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return a table, and nothing if it has no rows."""
    body = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return [f"| {head} |", "|" + " --- |" * len(head.split(" | ")), *body, ""] if body else []


def rows(results: Results, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of all parts of a kind."""
    for name, part in results["parts"].items():
        if name.split()[0] == kind:
            yield from part["rows"]


def spread(value: dict[str, Any] | None) -> str:
    """Return a median with its quartiles."""
    if value is None:
        return ""
    low, high = value["quartiles"]
    return f"{value['median']:.4g} ({low:.3g} to {high:.3g})"


def _steps(results: Results) -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in [*rows(results, "steps"), *rows(results, "compiled")]:
        more = {key: value for key, value in row.items() if key not in ("system", "precision")}
        # What a row measures beside the hand-written loop is in it; the loop's own time is the first's.
        found[row["system"], row["precision"]] = more | found.get((row["system"], row["precision"]), {})
    for name in SYSTEMS:
        mine = {precision: row for (system, precision), row in found.items() if system == name}
        if name in results["missing"]:
            yield (f"{name}: not in this version", *[""] * 11)
        for precision, row in mine.items():
            cells = [spread(row.get("by_hand_ms"))]
            for loop in LOOPS:
                said = row.get("skipped", "") if loop == "compiled" else ""
                cells += [spread(row.get(f"{loop}_ms")) or said, spread(row.get(f"{loop}_ratio"))]
            yield (f"{name}, {precision}", *cells)


def _footprints(results: Results) -> Iterator[tuple[str, ...]]:
    for row in rows(results, "footprint"):
        label = f"{row['system']}, {row['precision']}" + (", data.flip=true" if row["flip"] else "")
        if "waits" not in row:
            yield label, "unknown on a CPU", "", "", "", ""
            continue
        memory = f"{row['peak_mib']} MiB, of them {row['data_mib']} the data set"
        waits = f"{row['waits'] / row['steps']:.2g}"
        ends, lines = (_counted(row[f"{when}_waits"], row[f"{when}_where"]) for when in ("epoch", "log"))
        yield label, waits, _places(row["where"]), ends, lines, memory


def _counted(waits: int, where: dict[str, int]) -> str:
    return f"{waits}: {_places(where)}" if waits else "0"


def _places(where: dict[str, int]) -> str:
    return ", ".join(f"{place} ({count})" for place, count in where.items())


def _penalties(results: Results) -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows(results, "penalties"):
        left_out = f", {row['gradients_left_out']} left out" if row["gradients_left_out"] else ""
        said = f"{row['steps']} steps finite{left_out}" if row["finite"] else "**not finite**"
        found.setdefault((row["penalty"], row["network"]), {})[row["precision"]] = said
    for (penalty, network), said_of in found.items():
        yield (f"{penalty}, {network}", *(said_of.get(precision, "") for precision in PRECISIONS))


def _runs(results: Results) -> Iterator[tuple[str, ...]]:
    for row in rows(results, "run"):
        metrics = row["metrics"] or {}
        losses = ", ".join(f"{name} {value:.3g}" for name, value in metrics.items() if name.startswith("train/"))
        start = f"{row['start_seconds']} s to the first line"
        rate = str(row["images_per_second"])
        yield (
            f"{row['run']}: {row['command']}",
            row["status"],
            str(row["step"]),
            rate,
            start,
            losses,
            str(row["picture"]),
        )


def _parts(results: Results) -> Iterator[tuple[str, ...]]:
    for name, part in results["parts"].items():
        said = "; ".join(f"code {row['code']}: {row['said']}" for row in part["rows"] if "said" in row)
        yield name, f"{part['seconds']:.0f}", part["error"] or said or "done"
    for name in results["skipped"]:
        yield name, "", "skipped: no data set was given"
