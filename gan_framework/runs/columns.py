"""How a run's configuration and figures are named in W&B, for what writes them and what reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

AXES = ("images_seen", "step", "seconds")
"""What a chart can have on its x axis; the first one it has by default."""

UPDATES = "updates/"
"""What the names of figures start with that count a player's updates."""

LISTS = {"strategy": "strategies", "terms": "all_terms", "metrics": "all_metrics"}
"""The groups that hold several plugins, each with the column that names the chosen ones."""

RESOLVED = "resolved"
"""The column with those groups of settings whose own columns a sweep of the W&B server has for what was typed."""


def chosen(plugins: Mapping[str, Any]) -> str:
    """Return the plugins of a group that holds several, as one string to group and filter runs by."""
    return " ".join(plugins) or "none"


def columns(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with one more column for every group that holds several plugins.

    W&B makes a column of each setting (`strategy.k_step.k`), but none that tells which plugins
    were chosen: `strategies: "ema k_step"` does.
    """
    return {**config, **{column: chosen(config[group]) for group, column in LISTS.items() if group in config}}


def unshadowed(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns as they are where no sweep of the server has taken some for its own."""
    resolved = columns.get(RESOLVED)
    if not isinstance(resolved, Mapping):
        return dict(columns)
    kept = {key: value for key, value in columns.items() if key != RESOLVED and "." not in str(key)}
    return {**kept, **resolved}


def tags_of(config: Mapping[str, Any]) -> list[str]:
    """Return what a run is made of, for finding it among others: data, generator, loss, terms and strategies."""
    networks = config.get("networks") or {}
    places = [config.get("data"), networks.get("generator") or next(iter(networks.values()), None), config.get("loss")]
    named = [str(place["name"]) for place in places if isinstance(place, Mapping) and place.get("name")]
    several = [str(name) for group in ("terms", "strategy") for name in config.get(group) or {}]
    return [*dict.fromkeys([*named, *several])]


def configuration(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of which `columns` made columns, without what W&B itself adds."""
    columns = unshadowed(columns)
    config = {key: value for key, value in columns.items() if key not in LISTS.values() and not key.startswith("_")}
    for group, column in LISTS.items():
        # W&B sorts keys; the column has kept the order.
        if config.get(group) and column in columns:
            config[group] = {name: config[group][name] for name in columns[column].split()}
    return config


def line(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of W&B's history as `metrics.jsonl` has it: `images_seen` and `metrics`, finite numbers only."""
    # A picture on disk has its parts beside it: samples._type, samples.path, samples.width, ...
    pictures = tuple(name.removesuffix("_type") for name in row if name.endswith("._type"))
    metrics = {
        name: value
        for name, value in row.items()
        if isinstance(value, (int, float))
        and math.isfinite(value)
        and name not in AXES
        and not name.startswith((UPDATES, "_", *pictures))
    }
    return {"images_seen": row.get(AXES[0], 0), "metrics": metrics}
