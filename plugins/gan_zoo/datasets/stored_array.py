"""An array of a file that becomes a tensor without being held twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan_framework.api import ConfigError
from gan_zoo.datasets.array_kinds import ArrayKind, Seen
from gan_zoo.datasets.arrays import read_form, read_rows
from gan_zoo.datasets.full_range import FullRange
from gan_zoo.datasets.splits import held_out, rows

LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""By a tensor's dimensions the layout that data in memory have, which others are copied into."""

KindOf = Callable[[tuple[int, ...], np.dtype, str], ArrayKind]
"""Tells of an array's shape, type and name in messages what its rows become."""


class StoredArray:
    """Samples or extras in a file, read a few megabytes at a time.

    Each time that it is read to its end, all of it is checked.

    Attributes:
        kind: what its rows become.
        where: names it in messages.

    Args:
        path: the file.
        key: the array's name in it.
        setting: the setting that gave the name, for messages.
        kind_of: tells of an array's shape, type and name in messages what its rows become.
        ranges: brings 8-bit images to the full range.

    Raises:
        ConfigError: there is no such array, or not of a kind that can be used.
    """

    def __init__(
        self,
        path: Path,
        key: str,
        setting: str,
        kind_of: KindOf,
        ranges: FullRange,
    ) -> None:
        self.path, self.key, self.setting, self.ranges = path, key, setting, ranges
        self.where = f"{path} ({key})"
        self._form = read_form(path, key, setting)
        self.kind = kind_of(*self._form, self.where)

    def __len__(self) -> int:
        return self._form[0][0]

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the rows (n, ...) as what they become, in their order.

        Raises:
            ConfigError: the array is damaged, has changed, or holds what it must not.
        """
        self.check_form()
        seen, is_8_bit = Seen(), self.kind.dtype == torch.uint8
        for stored in read_rows(self.path, self.key, self.setting):
            converted = self.kind.convert(stored)
            seen.add(stored, converted)
            yield self.ranges.fill(self.key, self.setting, converted) if is_8_bit else converted
        self.kind.check(seen)
        if is_8_bit:
            self.ranges.check(self.key, self.setting, self.path, seen.greatest)

    def check_form(self) -> None:
        """Raise ConfigError if the file has become unusable, or the array one of another shape or type."""
        if read_form(self.path, self.key, self.setting) != self._form:
            raise ConfigError(f"{self.where} has changed while it was read: start anew")

    def check(self) -> None:
        """Read all rows and keep none.

        Raises:
            ConfigError: as for the iteration.
        """
        for _ in self:
            pass

    def held_out(self, share: float) -> Tensor:
        """Return for each row, (N,) bool, whether its content puts it into the split `test`."""
        # One tensor from the start: small ones that stay would scatter the memory between the parts that go.
        held, read = torch.empty(len(self), dtype=torch.bool), 0
        for part in self:
            held[read : read + len(part)] = held_out(rows(part), share)
            read += len(part)
        return held

    def collect(
        self,
        chosen: Tensor | None = None,
        shape: tuple[int, ...] | None = None,
        change: Callable[[Tensor], Tensor] = lambda part: part,
    ) -> Tensor:
        """Return the array as a tensor, laid out as data in memory are.

        Args:
            chosen: for each row whether it is wanted, (N,) bool; None for all.
            shape: of a row, where `change` changes it.
            change: what is done to rows (n, ...).
        """
        count = len(self) if chosen is None else int(chosen.count_nonzero())
        wanted = (count, *(self.kind.shape if shape is None else shape))
        layout = LAYOUTS.get(len(wanted), torch.contiguous_format)
        collected = torch.empty(wanted, dtype=self.kind.dtype, memory_format=layout)
        read = row = 0
        for part in self:
            taken = change(part if chosen is None else part[chosen[read : read + len(part)]])
            collected[row : row + len(taken)] = taken
            read, row = read + len(part), row + len(taken)
        return collected
