"""A generator without an adversary."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import SAMPLES, Batch, Components, ConfigError, DiscriminatorOutput, Game, Latent, Pair, Player
from gan_zoo.ranges import require_positive

FEATURES = "features"
"""The network that maps samples to what is compared, where there is one."""


class MomentMatching(Game):
    """G alone brings its samples near the real ones by a distance of batches (GMMN, Li et al. 2015, arXiv 1502.02761).

    The distance is that of a loss that compares vectors: `loss=mmd` as in the paper, `moment_ipm`, `dualing`. The
    vectors are what the network `features`, if there is one, makes of samples, else the flat samples themselves. That
    network stays as it is.

    Args:
        components: what the game is made of.
        powers: the vectors are followed by their squares, ..., up to this power; 1 for the vectors alone.
    """

    def __init__(self, components: Components, powers: int) -> None:
        super().__init__(components)
        require_positive(powers=powers)
        self.powers = powers
        if FEATURES in self.networks:
            self.networks[FEATURES].requires_grad_(False)

    def make_players(self) -> list[Player]:
        """Return the one player."""
        return [Player("generator", ("generator",), team="generator", objective="generator")]

    def check(self) -> None:
        """Raise ConfigError unless the loss compares vectors, and nobody else is to play."""
        if not getattr(self.loss, "compares_vectors", False):
            raise ConfigError(
                f"game=moment_matching needs a loss that compares vectors, and {type(self.loss).__name__} does not: "
                "choose loss=mmd, moment_ipm or dualing"
            )
        if "discriminator" in self.networks:
            raise ConfigError(
                "game=moment_matching trains no discriminator, and there is networks.discriminator: set "
                "discriminator=null"
            )
        super().check()

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return real and generated samples before nobody's judgement: their vectors."""
        made = self.make(latent)
        return Pair(self.describe, batch, latent, made[SAMPLES], made=made)

    def describe(self, x: Tensor, labels: Tensor | None = None, *given: Tensor) -> DiscriminatorOutput:
        """Return the vectors (N, K) of samples x (N, ...) as the head `vector`; the logits are their means."""
        if FEATURES in self.networks:
            with self.autocast():
                seen = self.networks[FEATURES](x)
        else:
            seen = x
        vectors = seen.flatten(1).to(x.dtype)
        vectors = torch.cat([vectors**power for power in range(1, self.powers + 1)], dim=1)
        return DiscriminatorOutput(vectors.mean(1), (), {"vector": vectors}, x, labels)
