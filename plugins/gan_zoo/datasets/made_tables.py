"""Tables that are made, whose distributions are known."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gan_framework.api import seeding
from gan_zoo.datasets.tabular import Tabular
from gan_zoo.ranges import require_positive

MODES = {
    "income": ((20.0, 45.0, 90.0), (4.0, 6.0, 10.0), (0.5, 0.35, 0.15)),
    "age": ((30.0, 60.0), (6.0, 5.0), (0.6, 0.4)),
}
"""Of each number the means, deviations and shares of its Gaussians."""

CATEGORIES = {
    "member": ("no", "yes"),
    "region": ("north", "east", "south", "west", "abroad"),
    "plan": ("basic", "full", "rare"),
}

MEMBER = ((0.8, 0.2), (0.5, 0.5), (0.1, 0.9))
"""P(member | component of income)."""

REGION = ((0.5, 0.2, 0.2, 0.05, 0.05), (0.1, 0.1, 0.2, 0.3, 0.3))
"""P(region | component of age)."""

PLAN = ((0.89, 0.10, 0.01), (0.59, 0.40, 0.01), (0.19, 0.80, 0.01))
"""P(plan | component of income): one value is rare everywhere."""

GROUPS = 6


def mixed_columns(samples: int, split: str) -> dict[str, list[str]]:
    """Return the columns of so many rows of two numbers and three categories that depend on them."""
    random = seeding.generator(0, "mixed_table", split)
    table: dict[str, list[str]] = {}
    component: dict[str, Tensor] = {}
    for name, (means, stds, shares) in MODES.items():
        drawn = torch.multinomial(torch.tensor(shares), samples, replacement=True, generator=random)
        component[name] = drawn
        values = torch.tensor(means)[drawn] + torch.tensor(stds)[drawn] * torch.randn(samples, generator=random)
        table[name] = [f"{value:.2f}" for value in values.tolist()]
    for name, of, odds in (("member", "income", MEMBER), ("region", "age", REGION), ("plan", "income", PLAN)):
        chosen = torch.multinomial(torch.tensor(odds)[component[of]], 1, generator=random)[:, 0]
        table[name] = [CATEGORIES[name][i] for i in chosen.tolist()]
    return table


class MixedTable(Tabular):
    """Two numbers, mixtures of 3 and of 2 Gaussians, and three categories whose odds follow from their components.

    Args:
        samples: rows of each split.
        encoding: see `Layout`.
        most_modes: of the mixtures that are fitted.
        layout: what was found, filled in by the run.
        channels: the size of a row as a vector, or null.
        num_classes: null.
        image_size: null.
    """

    def __init__(
        self,
        samples: int,
        encoding: str,
        most_modes: int,
        layout: dict[str, Any] | None,
        channels: int | None,
        num_classes: int | None = None,
        image_size: None = None,
    ) -> None:
        require_positive(samples=samples)
        tables = {split: mixed_columns(samples, split) for split in ("train", "test")}
        super().__init__(tables, None, encoding, 100, most_modes, layout)


def latent_classes(bits: int) -> tuple[Tensor, Tensor]:
    """Return the shares (6,) of latent groups and the odds (6, D) of each bit in them.

    Shares are Dirichlet(1), odds Beta(.3, 1): few bits are often set, as in records of diagnoses.
    """
    random = seeding.generator(0, "records")
    shares = -torch.rand(GROUPS, generator=random).log()
    odds = torch.rand(GROUPS, bits, generator=random) ** (1 / 0.3)
    return shares / shares.sum(), odds


class Records(Tabular):
    """Bits (N, D) of six latent groups, of which all marginals and pair probabilities are known.

    Args:
        bits: D.
        samples: rows of each split.
        layout: what was found, filled in by the run.
        channels: null, or the number of bits that are not the same everywhere.
        num_classes: null.
        image_size: null.
    """

    def __init__(
        self,
        bits: int,
        samples: int,
        layout: dict[str, Any] | None,
        channels: int | None,
        num_classes: int | None = None,
        image_size: None = None,
    ) -> None:
        require_positive(bits=bits, samples=samples)
        shares, odds = latent_classes(bits)
        tables = {}
        for split in ("train", "test"):
            random = seeding.generator(0, "records", split)
            group = torch.multinomial(shares, samples, replacement=True, generator=random)
            drawn = torch.rand(samples, bits, generator=random) < odds[group]
            columns = drawn.long().T.tolist()
            tables[split] = {f"code_{number}": [*map(str, column)] for number, column in enumerate(columns)}
        super().__init__(tables, None, "unit", 2, 1, layout)
        self.announced = True
