"""Samples that are points in the plane."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Components, ConfigError, Game, Latent, NextBatch, panels, rendered
from gan_zoo.reference import Reference

KEPT = 1000


class Plane(Game):
    """The two-player game over points in the plane, drawn as scatter plots on top of real points."""

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        self.reference = Reference(KEPT, components.data.sample)

    def check(self) -> None:
        """Raise ConfigError unless the samples are points in the plane."""
        super().check()
        if self.data.sample != (2,):
            raise ConfigError(f"the game plane draws points in the plane, and the data are {self.data.sample}")

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step; the first real points are kept for the pictures."""
        return super().step(self.reference.watching(next_batch))

    def picture(self, latent: Latent, columns: int) -> Tensor:
        """Draw the samples of latents, and real points behind them."""
        figure, (axes,) = panels(3.2)
        for points, label, colour in (
            (self.reference.kept, "real", "silver"),
            (self.sample(latent), "generated", "C0"),
        ):
            x, y = points.cpu().unbind(1)
            axes.scatter(x, y, s=4, color=colour, label=label, linewidths=0)
        reach = 1.4 * float(self.reference.kept.abs().max())
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.legend(loc="upper right", fontsize="x-small")
        return rendered(figure)
