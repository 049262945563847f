"""What keeps the code of an auto-encoding discriminator faithful."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, DiscriminatorOutput, Game, Pair, Player, Term, try_meeting
from gan_zoo.losses.vectors import vectors
from gan_zoo.terms.sides import name_of, trained_judges


class ReconstructionError(Term):
    """E (x - x̂)² + E (G(z) - Ĝ(z))², means over values, of the discriminator's reconstructions (MMD-GAN).

    Li et al. 2017, arXiv 1705.08584; generated samples are data here, no gradient reaches the generator.
    """

    def check(self, game: Game, player: Player) -> None:
        """See that the discriminator reconstructs.

        Raises:
            ConfigError: the player updates no discriminator, or it has no head `reconstruction`.
        """
        name = name_of(self, player)
        trained_judges(self, game, player)
        for pair in try_meeting(game).values():
            if pair.judged_by_network is not None and "reconstruction" not in pair.real_output.heads:
                kind = type(game.network(pair.judged_by_network)).__name__
                raise ConfigError(
                    f"{name} needs reconstructions, and {kind} makes none: choose discriminator=autoencoder"
                )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum of both sides' mean squared errors."""
        real, fake = pair.outputs
        return _error(pair.real, real) + _error(pair.fake.detach(), fake)


def _error(samples: Tensor, said: DiscriminatorOutput) -> Tensor:
    return (samples - said.heads["reconstruction"]).square().mean()


class FeasibleSet(Term):
    """E over entries [E Φ(G(z)) - E Φ(x)]₊: codes of real samples are to lie above (MMD-GAN, arXiv 1705.08584).

    The discriminator's player pays for it, with a weight of 16 in the authors' program; the generator's is rewarded,
    with -16: `+terms.feasible_set_of_g={name: feasible_set, player: generator, weight: -16}`.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return how far the mean codes of generated samples lie above those of real ones, a mean over entries."""
        above = [vectors("feasible_set", said).mean(0) for said in (pair.fake_output, pair.real_output)]
        return F.relu(above[0] - above[1]).mean()
