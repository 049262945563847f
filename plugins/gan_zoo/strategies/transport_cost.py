"""What it costs to make a sample of its latent."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gan_framework.api import ConfigError, DiscriminatorOutput, Game, Pair, Strategy
from gan_zoo.losses.semi_dual_transport import SemiDualTransport
from gan_zoo.pairing_up import change_pairs
from gan_zoo.ranges import require_above_zero


class PricedPair(Pair):
    """A pair whose generated samples are scored less what their way from the latents costs; its judge knows no cost."""

    weight: float

    @property
    def fake_output(self) -> DiscriminatorOutput:
        """What the judge says of the generated samples, less weight · ‖z - G(z)‖²."""
        if "fake_output" not in self.__dict__:
            self.fake_output = self.judge(self._seen("fake"), self.fake_labels, *self.fake_given)
        said: DiscriminatorOutput = self.__dict__["fake_output"]
        return said

    @fake_output.setter
    def fake_output(self, said: DiscriminatorOutput) -> None:
        cost = self.weight * (self.latent.z.flatten(1) - self.fake.flatten(1)).square().sum(1)
        each = cost.to(said.logits.dtype).view(-1, *[1] * (said.logits.ndim - 1))
        self.__dict__["fake_output"] = said._replace(logits=said.logits - each)

    def differentiate(self, sides: Iterable[str]) -> None:
        """Have `input_gradient` of generated samples come from a pass of its own, as that of the score without cost."""
        super().differentiate(side for side in sides if side != "fake")


class TransportCost(Strategy):
    """Generated samples pay for their way from the latents, τ ‖z - G(z)‖² (Choi et al. 2023, arXiv 2305.14777).

    For `loss=semi_dual_transport`, whose potential v is D's score: losses see v(G(z)) less the cost, penalties v alone.
    Latents and samples are to have as many values.

    Args:
        weight: τ.
    """

    def __init__(self, weight: float) -> None:
        require_above_zero(weight=weight)
        self.weight = weight

    def apply(self, game: Game) -> None:
        """Have every pair's generated samples pay."""
        if not isinstance(game.loss, SemiDualTransport):
            raise ConfigError(
                f"transport_cost is the cost of loss=semi_dual_transport, and the loss is {type(game.loss).__name__}"
            )
        values, latent = math.prod(game.data.sample), game.prior.dim if game.prior is not None else 0
        if values != latent:
            raise ConfigError(
                f"transport_cost compares samples with their latents, and samples have {values} values, latents "
                f"{latent}: set prior.dim={values}"
            )
        change_pairs(game, self._priced)

    def _priced(self, pair: Pair) -> Pair:
        given = {"real_given": pair.real_given, "fake_given": pair.fake_given}
        priced = PricedPair(pair.judge, pair.batch, pair.latent, pair.fake, real=pair.real, made=pair.made, **given)
        priced.weight = self.weight
        priced.real_labels, priced.fake_labels = pair.real_labels, pair.fake_labels
        return priced
