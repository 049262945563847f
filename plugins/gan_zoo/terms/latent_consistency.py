"""Latent consistency: D says the same of neighbouring latents' samples, which G keeps apart."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_framework.api import ConfigError, Game, Pair, Player, Term, try_meeting
from gan_zoo.ranges import require_above_zero, require_not_negative
from gan_zoo.terms.sides import name_of, require_generator, trained_judges


class LatentConsistency(Term):
    """D: discriminator · E (D(G(z)) - D(G(z')))², G: -generator · E (G(z) - G(z'))², z' = z + std · N(0, 1) (zCR).

    Zhao et al. 2020, arXiv 2002.04724, section 3.2. G's mean is over all values of a sample.

    Args:
        std: the deviation of the noise on latents.
        discriminator: the factor in its players' objectives.
        generator: the factor in its players' objectives.
    """

    def __init__(self, std: float, discriminator: float, generator: float) -> None:
        super().__init__()
        require_above_zero(std=std)
        require_not_negative(discriminator=discriminator, generator=generator)
        self.std = std
        self.factors = {"discriminator": discriminator, "generator": generator}

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a discriminator or a generator.

        Raises:
            ConfigError: the player is on neither side, or there are no latents.
        """
        if player.team == "discriminator":
            trained_judges(self, game, player)
        else:
            require_generator(self, game, player)
        if any(pair.latent.z.numel() == 0 for pair in try_meeting(game).values()):
            raise ConfigError(f"{name_of(self, player)} compares latents, and {type(game).__name__} draws none")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the summand of the player's side."""
        z = pair.latent.z
        other = pair.another(pair.latent._replace(z=z + self.std * torch.randn_like(z)))
        factor = self.factors[str(player.team)]
        if player.team == "generator":
            return -factor * (pair.fake - other.fake).square().mean()
        near = pair.judge(other.fake, other.fake_labels, *other.fake_given)
        return factor * (pair.fake_output.scores - near.scores).square().mean()
