"""Networks that hold another network, which a setting names with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from torch import nn


def build_nested(kind: str, of: Mapping[str, Any], **more: Any) -> nn.Module:
    """Build the plugin that a setting `of` names.

    Args:
        kind: the kind of plugin, `generators` or `discriminators`.
        of: its settings, with its `name`.
        more: settings that the network around it gives it.

    Raises:
        ValueError: there is no such plugin, or its settings are others.
    """
    settings = {**of, **more}
    name = settings.pop("name", None)
    found = [*entry_points(group=f"gan_framework.{kind}", name=name)] if name else []
    if not found:
        known = sorted({point.name for point in entry_points(group=f"gan_framework.{kind}")})
        raise ValueError(f"of.name={name!r}: choose one of {', '.join(known)}")
    try:
        network: nn.Module = found[0].load()(**settings)
    except TypeError as error:
        raise ValueError(f"of={dict(of)}: the settings of {name} do not fit: {error}") from error
    return network
