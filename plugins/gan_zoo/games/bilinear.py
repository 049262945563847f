"""The bilinear game."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Latent, NextBatch, panels, rendered
from gan_zoo.games.travelled import Travelled


class Bilinear(Travelled):
    """V(x, y) = x·y: the discriminator's one parameter x lowers it, the generator's one parameter y raises it.

    It is the Dirac-GAN without a loss's curvature (Mescheder et al. 2018, arXiv 1801.04406, section 2):
    all data are 0, the generator makes y, the discriminator says x·y of it, and both play for the
    difference of means. With rate η, simultaneous steps multiply the distance to the equilibrium (0, 0)
    by sqrt(1 + η²); alternating ones stay on the ellipse x² + y² - η x y = constant.
    """

    def check(self) -> None:
        """Raise ConfigError unless each player has one parameter."""
        super().check()
        for name in ("discriminator", "generator"):
            count = sum(parameter.numel() for parameter in self.networks[name].parameters())
            if count != 1:
                raise ConfigError(f"the bilinear game has one parameter on each side, but networks.{name} has {count}")

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step, and remember where it led; `x`, `y` and `radius` are measured."""
        measured = super().step(next_batch)
        position = self.position()
        return measured | {"x": position[0], "y": position[1], "radius": position.norm()}

    def picture(self, latent: Latent, columns: int) -> Tensor:
        """Draw the path in the plane, and both coordinates over time."""
        positions = self.path
        figure, (plane, time) = panels(3.2, 4.0)
        plane.plot(*positions.T, linewidth=0.8)
        plane.plot(*positions[0], "o", *positions[-1], "s", color="black", markersize=4)
        plane.plot(0, 0, "+", color="red", markersize=10)
        plane.set(xlabel="x (discriminator)", ylabel="y (generator)", aspect="equal")
        time.plot(positions, linewidth=0.8, label=["x", "y"])
        time.plot(positions.norm(dim=1), linewidth=0.8, color="black", label="distance")
        time.set(xlabel="step")
        time.legend()
        return rendered(figure)

    def position(self) -> Tensor:
        """Return x and y."""
        parameters = [*self.discriminator.parameters(), *self.generator.parameters()]
        return torch.cat([parameter.detach().flatten() for parameter in parameters])
