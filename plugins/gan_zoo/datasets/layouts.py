"""What the names of image files mean: wrapper, classes, splits, domains, archives of StyleGAN."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from gan_framework.api import ConfigError
from gan_zoo.datasets.files import Files

log = logging.getLogger(__name__)

MEANINGS = {
    "train": ("train", "training", "trn"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "tst"),
}
"""What is meant by the names of splits."""

SPLIT = re.compile(r"([a-z]+?)[-_. ]?(?:set|split|data|images|imgs)?[-_. ]?\d*", re.IGNORECASE)
"""A split's name as it is written: `Train`, `val2017`, `test_images`."""

DOMAIN = re.compile(r"([a-z]+)[-_. ]?([ab])", re.IGNORECASE)
"""A split of one of two domains, as for the translation of images: `trainA`, `test_b`."""

SHARD = re.compile(r"\d{5}")
SHARDED = re.compile(r"\d{5}/img\d{8}\.\w+")
"""How the archives of StyleGAN name images, a thousand in each folder; labels are in a file beside the folders."""

LABELS_FILE = "dataset.json"


class Layout(NamedTuple):
    """What the names of images mean.

    Attributes:
        below: each image's name below the folder that is shared by all, in the order of the files.
        kinds: each image's class, empty where it has none.
        classes: all classes, in the order of their labels.
        labels_file: the name of the file that the classes come from, where it is one.
    """

    below: list[str]
    kinds: list[str]
    classes: tuple[str, ...]
    labels_file: str = ""


def read_layout(files: Files, known: Sequence[str] = ()) -> Layout:
    """Return what the names of image files mean.

    A single folder that holds everything else is not a class but the root, unless a class of that name is known.

    Args:
        files: where the files are.
        known: the classes of another place that has the same.

    Raises:
        ConfigError: images lie beside classes, folders are named like splits or domains, or labels do not fit.
    """
    above = [name.rpartition("/")[0] for name in files.names]
    folders = {folder: tuple(folder.split("/")) if folder else () for folder in set(above)}
    first = folders[above[0]]
    shared = 0
    while all(len(parts) > shared and parts[shared] == first[shared] for parts in folders.values()):
        if first[shared] in known:
            break
        shared += 1
    wrapper = first[:shared]
    numbered = _without_shard(files.names, wrapper)
    if numbered is not None:
        return _of_stylegan(files, numbered)
    labelled = _labelled(files, wrapper)
    if labelled is not None:
        return _of_stylegan(files, labelled)
    below = _below(files.names, wrapper)
    kind_of = {folder: parts[shared] if len(parts) > shared else "" for folder, parts in folders.items()}
    kinds = [kind_of[folder] for folder in above]
    _check_kinds(files, wrapper, kinds)
    classes = tuple(sorted({kind for kind in kinds if kind}))
    _report_empty(files, wrapper, classes)
    return Layout(below, kinds, classes)


def _below(names: Sequence[str], wrapper: Sequence[str]) -> list[str]:
    start = sum(len(part) + 1 for part in wrapper)
    return [name[start:] for name in names]


# -- splits and domains ---------------------------------------------------------------------------


def _check_kinds(files: Files, wrapper: Sequence[str], kinds: Sequence[str]) -> None:
    names = sorted(set(kinds))
    place = files.path.joinpath(*wrapper)
    # No path leads into a zip file.
    unpack = "" if files.path.is_dir() else f"unpack it to a folder {files.path.with_suffix('')} and "
    where = place if not unpack else files.path.with_suffix("").joinpath(*wrapper)
    domains = {(split, letter): name for name in names for split, letter in [_domain(name)] if split}
    if len(domains) > 1:
        raise ConfigError(
            f"{files.path} has the subfolders {', '.join(domains.values())}, which are domains and splits and no "
            f"classes: {unpack}set {_settings_of_domains(where, domains)}"
        )
    splits = {meaning: name for name in names for meaning in [_split(name)] if meaning}
    if len(splits) > 1:
        first, *others = (splits[meaning] for meaning in ("train", "val", "test") if meaning in splits)
        raise ConfigError(
            f"{files.path} has the subfolders {', '.join([first, *others])}, which are splits and no classes: {unpack}"
            f"set data.path={where / first} data.test_path={where / others[-1]}. If they are classes, rename them"
        )
    if "" in names and len(names) > 1:
        lost = files.names[kinds.index("")]
        raise ConfigError(
            f"{files.path} has images both in subfolders, which are classes, and beside them ({lost}): move either away"
        )


def _split(name: str) -> str:
    """Return the meaning of a split's name, empty for other names."""
    for meaning, words in MEANINGS.items():
        if name.lower() in words:
            return meaning
    found = SPLIT.fullmatch(name)
    return next((meaning for meaning, words in MEANINGS.items() if found and found[1].lower() in words), "")


def _domain(name: str) -> tuple[str, str]:
    """Return the split and the letter of a domain's name, empty for other names."""
    found = DOMAIN.fullmatch(name)
    split = _split(found[1]) if found else ""
    return (split, found[2].upper()) if found and split else ("", "")


def _settings_of_domains(place: Any, domains: dict[tuple[str, str], str]) -> str:
    letters = sorted({letter for _, letter in domains})
    settings = ["experiment=cyclegan", "data=unpaired"] if len(letters) > 1 else []
    # What is made is B, as in the papers' figures: the first source.
    for letter, prefix in zip(reversed(letters), ("data.", "sources.a."), strict=False):
        of = {split: name for (split, its), name in domains.items() if its == letter}
        names = [of[split] for split in ("train", "val", "test") if split in of]
        settings += [f"{prefix}path={place / names[0]}"] if names else []
        settings += [f"{prefix}test_path={place / names[-1]}"] if len(names) > 1 else []
    return " ".join(settings)


def _report_empty(files: Files, wrapper: Sequence[str], classes: Sequence[str]) -> None:
    """Warn of folders without an image that lie beside the classes or the wrapper, and so are no classes."""
    folders = [tuple(name.split("/")) for name in files.folders]
    empty = []
    for depth in range(len(wrapper) + bool(classes)):
        above = tuple(wrapper[:depth])
        beside = {parts[depth] for parts in folders if len(parts) > depth and parts[:depth] == above}
        empty += sorted(beside - set(classes if depth == len(wrapper) else wrapper[depth : depth + 1]))
    if empty:
        what = "it is no class" if len(empty) == 1 else "they are no classes"
        log.warning("%s: no image lies in %s: %s", files.path, ", ".join(empty), what)


# -- archives of StyleGAN -------------------------------------------------------------------------


def _without_shard(names: Sequence[str], wrapper: Sequence[str]) -> tuple[str, ...] | None:
    """Return the folder above the shards of an archive of StyleGAN; None where there are none."""
    above = tuple(wrapper[:-1]) if wrapper and SHARD.fullmatch(wrapper[-1]) else tuple(wrapper)
    return above if all(SHARDED.fullmatch(name) for name in _below(names, above)) else None


def _labelled(files: Files, wrapper: Sequence[str]) -> tuple[str, ...] | None:
    """Return the folder above all images that has a file of labels as StyleGAN's; None where there is none."""
    for depth in range(len(wrapper), -1, -1):
        above = tuple(wrapper[:depth])
        if _labels(files, above) is not None:
            return above
    return None


def _of_stylegan(files: Files, above: tuple[str, ...]) -> Layout:
    below = _below(files.names, above)
    pairs = _labels(files, above) or []
    where = f"{files.path} ({LABELS_FILE})"
    wrong = [label for _, label in pairs if isinstance(label, bool) or not isinstance(label, int)]
    if wrong:
        raise ConfigError(
            f"{where} has {len(wrong)} labels that are no whole numbers, the first is {str(wrong[0])[:80]}"
        )
    if not pairs:
        log.info("%s is an archive as of StyleGAN without labels: its folders are no classes", files.path)
        return Layout(below, [""] * len(below), (), "/".join([*above, LABELS_FILE]))
    labels = {name.replace("\\", "/"): label for name, label in pairs}
    missed, unknown = [n for n in below if n not in labels], labels.keys() - set(below)
    if missed or unknown or len(labels) < len(pairs):
        raise ConfigError(
            f"{where} has {len(pairs)} labels for {len(below)} images: {len(missed)} images have none"
            + (f" ({missed[0]})" if missed else "")
            + f", {len(unknown)} labels name no image"
            + (f" ({min(unknown)})" if unknown else "")
            + (f", {len(pairs) - len(labels)} name one again" if len(labels) < len(pairs) else "")
            + ". Complete it, or remove it for images without labels"
        )
    classes = tuple(str(label) for label in sorted(set(labels.values())))
    log.info("%s: its %d classes are the labels in %s", files.path, len(classes), LABELS_FILE)
    return Layout(below, [str(labels[name]) for name in below], classes, "/".join([*above, LABELS_FILE]))


def _labels(files: Files, above: tuple[str, ...]) -> list[tuple[str, Any]] | None:
    """Return the pairs in a file of labels, none where it says that there are no labels; None where it is no such file.

    Raises:
        ConfigError: it cannot be read.
    """
    name = "/".join([*above, LABELS_FILE])
    if name not in files.left_out:
        return None
    try:
        content = json.loads(files.read(name))
    except Exception as error:  # too large, damaged, not in UTF-8, nested too deep
        raise ConfigError(f"{files.path}: {name} cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(content, dict) or "labels" not in content:
        return None
    pairs = content["labels"]
    if pairs is None:
        return []
    if isinstance(pairs, list) and all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in pairs):
        return [(name, label) for name, label in pairs]
    return None
