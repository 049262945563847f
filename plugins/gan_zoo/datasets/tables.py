"""Opening data sets of the library `datasets`: what it has saved, folders of Parquet files, names on the Hub."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import yaml

from gan_framework.api import ConfigError

CARDS = ("README.md", ".huggingface.yaml")
"""The files of a folder that may say which others its splits are in."""
MOST_OF_CARD = 2**20
"""Bytes of them that are looked into."""
FRONT = re.compile(r"\s*---[ \t]*\r?\n(.*?)\r?\n---", re.DOTALL)
"""The settings at the beginning of a card."""
PLAIN = ("string", "int64", "int32", "int16", "int8")
"""Types of a column that classes may have which the table does not name."""


def open_tables(path: str, config: str | None) -> dict[str, Any]:
    """Return the `datasets.Dataset` of each split of a data set by the split's name.

    Args:
        path: a folder that `save_to_disk` wrote, one of Parquet, Arrow or image files, or a name on the Hub.
        config: which of several configurations, or None.

    Raises:
        ConfigError: the library is not installed, or cannot open it.
    """
    try:
        import datasets
    except ImportError:
        raise ConfigError(
            "data=huggingface needs the package datasets: pip install 'gan-framework[huggingface]'"
        ) from None
    folder = Path(path).expanduser()
    try:
        if any((folder / name).is_file() for name in ("state.json", "dataset_dict.json")):
            _refuse_other_places(folder)
            opened = datasets.load_from_disk(str(folder))
        else:
            _refuse_card(folder)
            opened = _load_folder(folder, config) if folder.exists() else datasets.load_dataset(path, config)
        tables = dict(opened) if isinstance(opened, dict) else {str(opened.split or "train"): opened}
        return {split: _checked(table) for split, table in tables.items()}
    except Exception as error:  # files of strangers and a network can make the library raise anything
        why = error.__cause__ or error  # the library says of what a file holds only that it cannot be prepared
        reason = str(why).strip().splitlines() or [type(why).__name__]
        raise ConfigError(f"data.path={path} cannot be opened by the package datasets: {reason[0]}") from error


def _load_folder(folder: Path, config: str | None) -> Any:
    """Return what a folder holds as the library prepares it, each state of each folder in a cache of its own.

    Of folders whose card says which files are meant, the library takes one for another of the same name, and for what
    it was before its files were changed.
    """
    import datasets

    told = hashlib.sha256(os.fsencode(folder.resolve()))
    for place, below, names in os.walk(folder):
        below.sort()
        for name in sorted(names):
            path = os.path.join(place, name)
            status = os.stat(path) if os.path.exists(path) else None
            told.update(os.fsencode(path) + repr(status and (status.st_size, status.st_mtime_ns)).encode())
    cache = Path(datasets.config.HF_DATASETS_CACHE) / "gan_framework" / told.hexdigest()[:20]
    return datasets.load_dataset(str(folder), config, cache_dir=str(cache))


def _checked(table: Any) -> Any:
    """Return a table without a format of its own, in which rows would be other than plain values.

    Raises:
        Exception: it is damaged: offsets that lead out of it are followed without a question, which ends the process.
    """
    table.data.validate(full=True)
    return table.with_format(None)


def _refuse_other_places(folder: Path) -> None:
    """Raise ValueError if a saved data set names files elsewhere, or such as are none."""
    states = [folder]
    if (folder / "dataset_dict.json").is_file():
        splits = json.loads((folder / "dataset_dict.json").read_text())["splits"]
        states = [_inside(folder, name) for name in splits]
    for state in states:
        if not (state / "state.json").is_file():
            continue  # the library says so
        for entry in json.loads((state / "state.json").read_text())["_data_files"]:
            file = _inside(state, entry["filename"])
            if file.exists() and not file.is_file():
                raise ValueError(f"{file.name} is not a regular file")


def _refuse_card(folder: Path) -> None:
    """Raise ValueError if the card of a folder has the library read files elsewhere, or ask somebody for them."""
    for name in CARDS:
        if not (folder / name).is_file():
            continue
        with (folder / name).open("rb") as file:
            text = file.read(MOST_OF_CARD).decode(errors="replace")
        found = FRONT.match(text)
        content = yaml.safe_load(found[1] if found else text if name != "README.md" else "")
        for one in _texts(content.get("configs") if isinstance(content, dict) else None):
            if "://" in one or "::" in one or one.startswith(("/", "~")) or ".." in PurePath(one).parts:
                raise ValueError(f"{name} names {one!r}, which lies outside of {folder}")


def _texts(content: Any) -> Iterator[str]:
    """Yield the texts in lists and mappings; each of those once, however often anchors repeat it."""
    waiting, seen = [content], set[int]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, (dict, list)) and id(one) not in seen:
            seen.add(id(one))
            waiting += one.values() if isinstance(one, dict) else one


def _inside(folder: Path, name: str) -> Path:
    if Path(name).name != name:
        raise ValueError(f"it names {name!r}, which lies outside of {folder}")
    return folder / name


def image_column(table: Any, wanted: str | None) -> str:
    """Return the name of the column of images: the wanted one, or the only one.

    Raises:
        ConfigError: the table has no such column, or none or several columns of images.
    """
    import datasets

    found = [name for name, feature in table.features.items() if isinstance(feature, datasets.Image)]
    if wanted in found or (wanted is None and len(found) == 1):
        return wanted or found[0]
    if not found:
        raise ConfigError(f"the data set has no column of images; it has {', '.join(table.features)}")
    setting = "null" if wanted is None else wanted
    raise ConfigError(f"data.image={setting} must be one of its columns of images: {', '.join(found)}")


def label_column(table: Any, wanted: str | None) -> str | None:
    """Return the name of the column of classes: the wanted one, else the only one of named classes, else None.

    Raises:
        ConfigError: the table has no such column, or several.
    """
    import datasets

    if wanted == "none":
        return None
    named = [name for name, feature in table.features.items() if isinstance(feature, datasets.ClassLabel)]
    if wanted is None:
        if len(named) > 1:
            raise ConfigError(f"data.label=null must be one of its columns of classes: {', '.join(named)}; or none")
        return named[0] if named else None
    feature = table.features.get(wanted)
    if feature is None:
        raise ConfigError(f"data.label={wanted}: the data set has the columns {', '.join(table.features)}")
    if isinstance(feature, datasets.ClassLabel) or getattr(feature, "dtype", "") in PLAIN:
        return wanted
    raise ConfigError(f"data.label={wanted} holds {feature}, and classes are names or whole numbers")
