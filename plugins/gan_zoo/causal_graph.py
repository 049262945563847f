"""Bits that cause each other: a directed graph with a table for each bit."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class CausalGraph:
    """Bits, what each is caused by, and how likely it is then.

    Attributes:
        parents: for each bit, in an order in which causes come first, the names of its causes.
        tables: for each bit the probability of 1 for each setting of its causes, (2,) * causes.
    """

    parents: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Tensor]

    @property
    def names(self) -> tuple[str, ...]:
        """The bits' names."""
        return tuple(self.parents)

    def draw(self, n: int, random: torch.Generator, do: Mapping[str, int] | None = None) -> Tensor:
        """Draw bits (n, B), float32.

        Args:
            n: how many.
            random: the random numbers.
            do: bits that are set from outside, whatever causes them.
        """
        drawn: dict[str, Tensor] = {}
        for name, parents in self.parents.items():
            chance = self.tables[name][tuple(drawn[parent] for parent in parents)].expand(n)
            own = (torch.rand(n, generator=random) < chance).long()
            drawn[name] = own if name not in (do or {}) else torch.full((n,), (do or {})[name])
        return torch.stack([*drawn.values()], 1).float()

    def joint(self, do: Mapping[str, int] | None = None) -> Tensor:
        """Return the probability of all settings of the bits, (2,) * B, float64; under an intervention with `do`."""
        names, fixed = self.names, do or {}
        table = torch.zeros((2,) * len(names), dtype=torch.float64)
        for setting in itertools.product((0, 1), repeat=len(names)):
            value = dict(zip(names, setting, strict=True))
            chance = 1.0
            for name, parents in self.parents.items():
                one = float(self.tables[name][tuple(value[parent] for parent in parents)])
                one = float(fixed[name]) if name in fixed else one
                chance *= one if value[name] else 1 - one
            table[setting] = chance
        return table


def ordered(graph: Sequence[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the names of each bit's causes, of a graph as a setting gives it: lists of a bit's name and its causes'.

    Raises:
        ValueError: there is no bit, one is named twice, or a bit's cause does not come before it.
    """
    known: dict[str, tuple[str, ...]] = {}
    for entry in graph:
        if isinstance(entry, str) or not entry:
            raise ValueError(f"graph: {entry!r} must be a list, a bit's name and then the names of its causes")
        name, *causes = entry
        if name in known:
            raise ValueError(f"graph: {name!r} is named twice")
        for cause in causes:
            if cause not in known:
                raise ValueError(f"graph: {cause!r}, a cause of {name!r}, must come before it")
        known[name] = tuple(causes)
    if not known:
        raise ValueError("graph=[]: it must name at least one bit")
    return known
