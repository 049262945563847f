"""Opening data sets of the library `datasets`: what it has saved, folders of Parquet files, names on the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gan_framework.api import ConfigError

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
            opened = datasets.load_from_disk(str(folder))
        else:
            opened = datasets.load_dataset(str(folder) if folder.exists() else path, config)
    except Exception as error:  # files of strangers and a network can make the library raise anything
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ConfigError(f"data.path={path} cannot be opened by the package datasets: {reason[0]}") from error
    return dict(opened) if isinstance(opened, dict) else {str(opened.split or "train"): opened}


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
    if isinstance(feature, datasets.ClassLabel) or getattr(feature, "dtype", "") in (
        "string",
        "int64",
        "int32",
        "int8",
    ):
        return wanted
    raise ConfigError(f"data.label={wanted} holds {feature}, and classes are names or whole numbers")
