"""The ranking loss of GoGAN."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import ConfigError, Game, Pair, Player, Term, evaluation_mode
from gan_zoo.games.gogan import BEFORE, GoGAN
from gan_zoo.ranges import require_above_zero
from gan_zoo.terms.sides import name_of, trained_judges


class StageRanking(Term):
    """E max(0, D'(G'(z)) + 2 ε - D(x)), D' and G' those of the stage before (Juefei-Xu et al. 2017, arXiv 1704.04865).

    Section 3: real samples are to score above the last stage's samples by twice the margin of `loss=margin_pair`. It is
    0 in the first stage.

    Args:
        margin: ε.
    """

    def __init__(self, margin: float) -> None:
        super().__init__()
        require_above_zero(margin=margin)
        self.margin = margin

    def check(self, game: Game, player: Player) -> None:
        """See that the game has stages and the player the discriminator.

        Raises:
            ConfigError: it has not.
        """
        if not isinstance(game, GoGAN):
            raise ConfigError(
                f"{name_of(self, player)} ranks the stages of game=gogan, and the game is {type(game).__name__}"
            )
        trained_judges(self, game, player)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return how far this pair's real samples fall short."""
        game = self.game
        assert isinstance(game, GoGAN)
        scores = pair.real_output.scores
        if int(game.stage) == 1:
            return 0 * scores.mean()
        with torch.no_grad(), evaluation_mode(game.network("generator" + BEFORE)):
            with evaluation_mode(game.network("discriminator" + BEFORE)):
                fake = game.generate(pair.latent, "generator" + BEFORE)
                before = game.judge("discriminator" + BEFORE)(fake, pair.fake_labels, *pair.fake_given).scores
        return F.relu(before + 2 * self.margin - scores).mean()
