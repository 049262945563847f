"""Refuses data that a trained model does not fit, where overrides name others than it was trained on."""

from __future__ import annotations

import shlex
from typing import Any

from gan_framework.core.records import DataShape
from gan_framework.data import DataSource, build_source
from gan_framework.errors import ConfigError
from gan_framework.storage.text import few

SHOWN = 10
"""So many symbols are named."""


def refuse_other_shape(what: object, wanted: DataShape, source: DataSource, settings: dict[str, Any]) -> None:
    """See that data have samples of the shape and scale of a model's; else say what would bring them to it.

    Args:
        what: names the model.
        wanted: what it was trained on.
        source: the data.
        settings: of the data.

    Raises:
        ConfigError: they have, or another scale.
    """
    if source.shape.sample != wanted.sample:
        raise ConfigError(
            f"the samples of {what} have the shape {wanted.sample}, and those of data={settings['name']} "
            f"{source.shape.sample}{_brought_to(wanted, source.shape, settings)}"
        )
    refuse_other_scale(f"the samples of {what}", wanted, source, settings["name"])


def refuse_other_scale(what: str, wanted: DataShape, source: DataSource, name: str) -> None:
    """Raise ConfigError if samples are of 8 bits, which networks have in [-1, 1], and data are not, or reversed."""
    if source.shape.is_8_bit != wanted.is_8_bit:
        kinds = ["of 8 bits" if shape.is_8_bit else "floating-point numbers" for shape in (wanted, source.shape)]
        raise ConfigError(
            f"{what} are {kinds[0]}, and those of data={name} {kinds[1]}: they have no scale in common. Save both "
            "alike, images as uint8"
        )


def refuse_other_meaning(what: object, trained_on: dict[str, Any], source: DataSource, name: str) -> None:
    """Raise ConfigError if the numbers of samples mean others than those that a model makes.

    Args:
        what: names the model.
        trained_on: the settings of the data that it was trained on, with what was found in them.
        source: the data.
        name: the name of the data.
    """
    symbols = [*(trained_on.get("symbols") or ())]
    if symbols and source.symbols and symbols != [*source.symbols]:
        shown = [" ".join(few([repr(symbol) for symbol in of], SHOWN)) for of in (symbols, source.symbols)]
        raise ConfigError(
            f"{what} was trained on the symbols {shown[0]}, and data={name} has {shown[1]}: each token means another"
        )
    layout = trained_on.get("layout")
    if layout and source.found.get("layout") and layout != source.found["layout"]:
        raise ConfigError(
            f"{what} was trained on other columns, or such of other values, than data={name} has: each entry of a row "
            "means another. Name the other table by data.path alone, and its rows are read as those of the training"
        )


def refuse_other_labels(what: object, wanted: DataShape, source: DataSource, name: str) -> None:
    """Raise ConfigError if data have other labels than those that a model is conditional on."""
    if source.shape[1:3] != wanted[1:3]:
        raise ConfigError(
            f"{what} is conditional on {_labels(wanted)}, and data={name} has {_labels(source.shape)}: choose "
            "data with the labels that it was trained on"
        )


def _brought_to(wanted: DataShape, shape: DataShape, settings: dict[str, Any]) -> str:
    """Return the settings that bring images of one shape to another, as the end of a sentence; empty for none."""
    if not (wanted.is_image and shape.is_image):
        return ""
    (channels, *size), (own, *own_size) = wanted.sample, shape.sample
    changed: dict[str, Any] = {} if channels == own else {"channels": channels}
    if size != own_size:
        changed["image_size"] = size[0] if size[0] == size[1] else size
    try:
        brought = build_source({**settings, "classes": None, **changed}).shape.sample
    except ConfigError:  # of data that are made in one shape alone
        return ""
    typed = " ".join(shlex.quote(f"data.{name}={value}".replace(" ", "")) for name, value in changed.items())
    return f"; bring them to it with {typed}" if brought == wanted.sample else ""


def _labels(shape: DataShape) -> str:
    """Return what labels data have, in words."""
    if shape.condition_dim:
        return f"vectors of {shape.condition_dim} numbers"
    return f"{shape.num_classes} classes" if shape.num_classes else "no labels"
