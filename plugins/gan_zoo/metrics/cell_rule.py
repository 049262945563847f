"""Whether cells keep the rule of where their green is."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from gan_framework.api import Comparison, ConfigError, DataShape, Game, Metric
from gan_zoo.datasets.rendered import places
from gan_zoo.datasets.two_channel_cells import LONG

NEAR = 0.2
WIDTHS = (0.12, 0.4)
"""Half widths of what is taken for a cell; real ones have 0.22, with a soft border."""


class CellRule(Metric):
    """The share of cells of `data=two_channel_cells` whose green is not where the length of their red says.

    A red ellipse has half axes 2 √λ, λ the variances of its brightness. Green is to lie about both its tips if it is
    long, with no less than a fifth at either, else about its centre: its light is no farther from there than 0.2, as
    the root of a mean square, in shares of half the side. What is no ellipse of the right width keeps no rule.
    """

    higher_is_better: ClassVar[dict[str, bool]] = {"cell_rule_error": False}
    legend: ClassVar[dict[str, str]] = {
        "cell_rule_error": "share of cells whose green is not where the rule says, 0 to 1",
        "cell_rule_error_real": "the same of real ones",
    }
    needs_images: ClassVar[bool] = True
    samples_kept: ClassVar[int] = 2_000

    def check_samples(self, shape: DataShape, generated: int, real: int) -> None:
        """Raise ConfigError if samples are no images of two channels."""
        if len(shape.sample) != 3 or shape.sample[0] != 2:
            raise ConfigError(
                f"metrics.cell_rule measures images of red and green, and the data are {shape.sample}: choose "
                "data=two_channel_cells"
            )

    def check(self, game: Game) -> None:
        """Raise ConfigError if samples are no images of two channels."""
        self.check_samples(game.data, 1, 1)

    def scores(self, comparison: Comparison) -> dict[str, float]:
        """Return both shares."""
        found = {}
        for name, of in (("", comparison.generated), ("_real", comparison.real)):
            images = of.read(of.some(self.samples_kept))
            found[f"cell_rule_error{name}"] = float(breaks_rule(images).double().mean())
        return found


def breaks_rule(images: Tensor) -> Tensor:
    """Return for cells (N, 2, H, W) uint8 whether their green is not where it should be (N,)."""
    light = (images.double() / 255 - 0.1).clamp(min=0)
    x, y = (place[0].double() for place in places(images.shape[2]))
    where = torch.stack([x, y], dim=-1).flatten(0, 1)  # (P, 2)
    red, green = (of / of.sum(1, keepdim=True).clamp(min=1e-9) for of in light.flatten(2).unbind(1))
    apart = where - (red @ where)[:, None]  # (N, P, 2)
    covariance = torch.einsum("np,npi,npj->nij", red, apart, apart)
    variances, axes = torch.linalg.eigh(covariance)
    width, half = (2 * variances.clamp(min=0).sqrt()).unbind(1)
    along, across = torch.einsum("npi,nij->jnp", apart, axes.flip(2))
    tips = torch.where(half > LONG, half, torch.zeros_like(half))[:, None]
    from_place = (along.abs() - tips).square() + across.square()
    is_off = (green * from_place).sum(1).sqrt() > NEAR
    on_one_side = (green * (along > 0)).sum(1)
    is_lopsided = (half > LONG) & ((on_one_side - 0.5).abs() > 0.3)
    is_no_cell = (width < WIDTHS[0]) | (width > WIDTHS[1]) | (half > 1)
    broken: Tensor = is_off | is_lopsided | is_no_cell
    return broken
