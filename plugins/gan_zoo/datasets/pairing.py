"""Which files hold the two images of a pair."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Fit
from gan_zoo.datasets.files import Files
from gan_zoo.datasets.scanning import Shape

log = logging.getLogger(__name__)

SHOWN = 10
"""How many of the files without a partner are named."""

SIDES = ("left", "right")


@dataclass(frozen=True)
class Place:
    """Where the images of one side of all pairs are.

    Attributes:
        files: where the files are.
        names: the files' names, in the order of the pairs.
    """

    files: Files
    names: tuple[str, ...]


@dataclass(frozen=True)
class Halves(Fit):
    """Cuts an image into a left and a right half, and brings each to its shape, as one image of both's channels.

    Attributes:
        left: how the left half is brought to its shape, whose height and width are those of `shape`.
        right: how the right half is.
    """

    left: Fit = Fit((1, 1, 1))
    right: Fit = Fit((1, 1, 1))

    def __call__(self, images: Tensor) -> Tensor:
        """Return the halves (N, C of both, H, W) uint8 of images (N, 1 or 3, H', 2 W')."""
        halves = images.chunk(2, dim=3)
        return torch.cat([fit(half.contiguous()) for fit, half in zip((self.left, self.right), halves, strict=True)], 1)

    def changes(self, found: Mapping[Shape, int]) -> tuple[str, ...]:
        """Return in words what is done to the halves; that images are cut is said first."""
        halves = {(shape[0], shape[1], max(shape[2] // 2, 1)): count for shape, count in found.items()}
        return "cut into a left and a right half", *self.right.changes(halves)


def partners(
    targets: Iterable[str], sources: Iterable[str], where: str, on_bad: str, ends: tuple[str, str] = ("", "")
) -> tuple[list[str], list[str], list[str]]:
    """Return the names of targets and of their sources, in the same order, and what pairs are called.

    A pair has one name but for the file's ending, and for what `ends` says that sources and targets end in.

    Args:
        targets: the names of the files of targets.
        sources: the names of the files of sources.
        where: names the place in messages.
        on_bad: whether to `skip` or `refuse` files without a partner.
        ends: what the names of sources and of targets end in.

    Raises:
        ConfigError: a file has no partner and is to be refused, two files have one name, or there is no pair.
    """
    found = [_by_key(names, end, where) for names, end in zip((targets, sources), reversed(ends), strict=True)]
    of_targets, of_sources = found
    both = [key for key in of_targets if key in of_sources]
    alone = [f"{name} (no source)" for key, name in of_targets.items() if key not in of_sources]
    alone += [f"{name} (no target)" for key, name in of_sources.items() if key not in of_targets]
    if alone:
        shown = ", ".join(alone[:SHOWN]) + (f" and {len(alone) - SHOWN} more" if len(alone) > SHOWN else "")
        message = f"{where}: {len(alone)} images have no partner, beside {len(both)} pairs: {shown}"
        if on_bad == "refuse":
            raise ConfigError(f"{message}. Remove them or add their partners, or set data.on_bad=skip")
        log.warning("%s. They are skipped", message)
    if not both:
        raise ConfigError(f"{where}: there is not one pair: the two images of a pair have one name, but for its ending")
    return [of_targets[key] for key in both], [of_sources[key] for key in both], both


def _by_key(names: Iterable[str], end: str, where: str) -> dict[str, str]:
    keyed: dict[str, str] = {}
    for name in names:
        stem = unicodedata.normalize("NFC", name.rpartition(".")[0])
        if not stem.endswith(end):
            continue
        key = stem[: len(stem) - len(end)]
        if key in keyed:
            raise ConfigError(f"{where}: {keyed[key]} and {name} have one name: remove one of them")
        keyed[key] = name
    return keyed
