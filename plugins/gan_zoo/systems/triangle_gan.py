"""Triangle GAN (Gan et al. 2017, arXiv 1709.06548): two conditional generators, three kinds of pairs to tell."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import (
    SAMPLES,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    Pair,
    Player,
    panels,
    rendered,
)

TO_Y, TO_X = "generator_y", "generator_x"
FORWARD, BACKWARD, BETWEEN = "forward", "backward", "between"


class TriangleGAN(Game):
    """`generator_y` makes y of x, `generator_x` x of y; the samples are pairs, vectors (x, y) of two equal halves.

    `discriminator_1` tells real pairs from both (x, G_y(x)) and (G_x(y), y), `discriminator_2` those two from each
    other (equation 5). Each generator gets half of z beside what it is given, and makes half of a sample. At the
    optimum all three distributions are the same, D_1 = 1/3 and D_2 = 1/2, and the discriminators' losses log 3 + 2 log
    1.5 and 2 log 2. All pairs are used as pairs and as singles; the paper's fewer pairs than singles are left out.
    """

    sampling_network = TO_Y
    generates_from = SAMPLES

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        if len(self.data.sample) != 1 or self.data.sample[0] % 2 or self.prior is None or self.prior.dim % 2:
            raise ConfigError(
                f"game=triangle_gan needs vectors of two equal halves and a prior of two, and the data are "
                f"{self.data.sample}: choose data=cross_2d and an even prior.dim"
            )
        self.each = self.data.sample[0] // 2

    def make_players(self) -> list[Player]:
        """Return both discriminators as one player, and both generators."""
        of_d = {FORWARD: "discriminator", BACKWARD: "discriminator_fake", BETWEEN: "discriminator"}
        of_g = {FORWARD: "generator", BACKWARD: "generator", BETWEEN: "swapped"}
        return [
            Player("discriminator", ("discriminator_1", "discriminator_2"), "discriminator", of_d),
            Player("generator", (TO_Y, TO_X), "generator", of_g),
        ]

    def make(self, latent: Latent, network: str = TO_Y) -> Mapping[str, Tensor]:
        """Return pairs: those given, with one half made of the other."""
        x, y = latent.given[SAMPLES].split(self.each, dim=1)
        for_y, for_x = latent.z.chunk(2, dim=1)
        with self.autocast():
            if network.startswith(TO_X):
                pair = [self.network(network)(torch.cat([for_x, y], dim=1)), y]
            else:
                pair = [x, self.network(network)(torch.cat([for_y, x], dim=1))]
        return {SAMPLES: torch.cat(pair, dim=1)}

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return real pairs with made ones of either kind, and the two kinds with each other."""
        first, second = self.judge("discriminator_1"), self.judge("discriminator_2")
        forward, backward = self.generate(latent, TO_Y), self.generate(latent, TO_X)
        return {
            FORWARD: Pair(first, batch, latent, forward),
            BACKWARD: Pair(first, batch, latent, backward),
            BETWEEN: Pair(second, batch, latent, backward, real=forward),
        }

    def picture(self, latent: Latent, columns: int) -> Tensor | None:
        """Draw real pairs, and those of which either half is made, if both halves are numbers."""
        if self.each != 1:
            return None
        before = self.sampling_network
        made = {"real": latent.given[SAMPLES].float()}
        try:
            for title, name in (("y of x", TO_Y), ("x of y", TO_X)):
                self.sampling_network = before.replace(TO_Y, name)
                made[title] = self.sample(latent)
        finally:
            self.sampling_network = before
        figure, axes = panels(3.2, 3.2, 3.2)
        for one, (title, points) in zip(axes, made.items(), strict=True):
            x, y = points.cpu().unbind(1)
            one.scatter(x, y, s=4, linewidths=0)
            one.set(title=title, xlim=(-6, 6), ylim=(-6, 6), aspect="equal")
        return rendered(figure)
