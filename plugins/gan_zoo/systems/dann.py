"""DANN and ARDA: features of two domains that a discriminator cannot tell apart.

Ganin et al. 2016, arXiv 1505.07818; with a Wasserstein critic Shen et al. 2017, arXiv 1707.01217.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Batch, Components, Latent, Pair, Player, Term
from gan_zoo.adapting import AdaptingGame, ramp
from gan_zoo.ranges import require_not_negative


class LabelledFeatures(Term):
    """CE(C(F(x)), y), of the features that the pair already has of the source."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the source's batch."""
        game = self.game
        assert isinstance(game, AdaptingGame)
        _, labels = game.source(pair.batch)
        return F.cross_entropy(game.ask("classifier", pair.real), labels)


class Confusion(Term):
    """-λ(p) times the discriminator's loss: its gradient, reversed, is what reaches the features.

    Args:
        steps: updates after which p is 1; p is 1 from the first where it is None.
    """

    def __init__(self, steps: int | None) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's features."""
        loss = self.game.loss
        assert loss is not None
        factor = 1.0 if self.steps is None else ramp(min(player.updates / self.steps, 1.0))
        return -factor * loss.discriminator(*pair.outputs)


class FeatureAdaptation(AdaptingGame):
    """F and C minimise CE(C(F(x_s)), y_s) - λ L_D, D minimises L_D, by which it tells F(x_s) from F(x_t).

    With binary cross entropy it is DANN (section 4.2; the layer that reverses gradients and a simultaneous update of
    both players are the same), with a Wasserstein loss and a penalty on the critic's gradient ARDA. Of features that
    are equal in law D's loss is at best 2 log 2, and the critic's 0.

    Args:
        components: what the game is made of; `features` F maps samples to vectors, `classifier` C these to logits.
        confusion: the greatest λ; 0 for a classifier that learns from the source alone.
        ramp_steps: λ grows as 2 / (1 + e^(-10 p)) - 1 with the share p of so many updates; null for a constant λ.
    """

    def __init__(self, components: Components, confusion: float, ramp_steps: int | None) -> None:
        require_not_negative(confusion=confusion)
        if ramp_steps is not None and ramp_steps < 1:
            raise ValueError(f"ramp_steps={ramp_steps}: it must be at least 1, or null")
        super().__init__(components)
        learner = self.player("classifier")
        learner.add_term("classification", LabelledFeatures())
        if confusion:
            learner.add_term("confusion", Confusion(ramp_steps), confusion)

    def make_players(self) -> list[Player]:
        """Return D, and F with C."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("classifier", ("features", "classifier"), "generator"),
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the features of the source as the real side, those of the target as the other."""
        x, _ = self.source(batch)
        real, fake = self.ask("features", x), self.ask("features", batch.samples)
        found = Pair(self.judge("discriminator"), batch, latent, fake, real=real)
        found.real_labels = found.fake_labels = None
        return found
