"""A player that judges whole batches, and the generator that it teaches."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, Game, Pair, Player, Term
from gan_zoo.terms.sides import name_of, require_generator

FORMS = ("sample", "two_sample")
NETWORK = "set_discriminator"


class SetAdversarial(Term):
    """The network `set_discriminator` tells batches apart, and G is to make batches that it takes for real ones.

    Li et al. 2017, arXiv 1706.09549. `sample` (DAN-S): the network says of a batch whether it is real. `two_sample`
    (DAN-2S): it says of two halves whether they are of one kind, real and real or generated and generated; a mixed pair
    is of half of either side, as in the authors' program. Cross entropies are summed, over two batches or four pairs; G
    is paid -log of the probability that the generated batch is real, or that either mixed pair is of one kind, with a
    weight of 0.2 or 0.1 in the authors' program.

    Args:
        form: `sample` or `two_sample`.
    """

    def __init__(self, form: str) -> None:
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose {' or '.join(FORMS)}")
        self.form = form

    def check(self, game: Game, player: Player) -> None:
        """See that there is the network, and that the player updates it or a generator.

        Raises:
            ConfigError: it does not.
        """
        name = name_of(self, player)
        if NETWORK not in game.networks:
            raise ConfigError(
                f"{name} asks networks.{NETWORK}, and there is none: add +network={NETWORK} and set game=dan"
            )
        if NETWORK not in player.networks:
            require_generator(self, game, player)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return what the network pays for its errors, or the generator for being found out."""
        telling = NETWORK in player.networks
        real, fake = pair.real, pair.fake.detach() if telling else pair.fake
        judge = self.game.network(NETWORK)
        with self.game.autocast():
            if self.form == "sample":
                same, mixed = [judge(real)] if telling else [], [judge(fake)]
            else:
                if min(len(real), len(fake)) < 2:
                    raise ConfigError("set_adversarial.form=two_sample needs at least two samples in a batch")
                (real_a, real_b), (fake_a, fake_b) = real.chunk(2), fake.chunk(2)
                same = [judge(real_a, real_b), judge(fake_a, fake_b)] if telling else []
                mixed = [judge(real_a, fake_b), judge(fake_a, real_b)]
        if telling:
            losses = [F.softplus(-logit.to(real.dtype)) for logit in same]
            losses += [F.softplus(logit.to(real.dtype)) for logit in mixed]
        else:
            losses = [F.softplus(-logit.to(real.dtype)) for logit in mixed]
        return sum(losses[1:], losses[0]).squeeze()
