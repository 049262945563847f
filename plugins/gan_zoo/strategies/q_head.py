"""InfoGAN's Q as a head of the discriminator."""

from __future__ import annotations

from torch import nn

from gan_framework.api import ConfigError, Game, Strategy
from gan_zoo.codes import QOutput
from gan_zoo.layers import init_normal
from gan_zoo.priors.codes import Codes
from gan_zoo.terms.mutual_information import MutualInformation


class QHead(Strategy):
    """The discriminator tells the codes too: Q shares all its layers but the last (Chen et al. 2016, section 5).

    Q is a linear layer, batch norm and leaky ReLU on the penultimate features, then its outputs
    (appendix C.1). Its parameters are the discriminator's, so both players maximise λ L_I, as in the
    authors' code: the discriminator by learning to tell the codes, the generator by showing them.

    Args:
        hidden: the size of Q's layer.
        deviation: of continuous codes, `fixed` at 1 or `predicted` from the sample.
        categorical: λ of the categorical codes.
        continuous: λ of the continuous codes.
        slope: of the leaky ReLU below 0; 0.1 in the paper.
    """

    def __init__(self, hidden: int, deviation: str, categorical: float, continuous: float, slope: float = 0.2) -> None:
        self.hidden = hidden
        self.deviation = deviation
        self.categorical = categorical
        self.continuous = continuous
        self.slope = slope

    def apply(self, game: Game) -> None:
        """Add the head `q` and the term `mutual_information` of both players."""
        game.claim("network q", "q_head")
        if not isinstance(game.prior, Codes):
            raise ConfigError(
                f"q_head tells structured codes, which {type(game.prior).__name__} has none of: set prior=codes"
            )
        if "q" in game.networks:
            raise ConfigError("q_head and the network q of this model both tell the codes: choose one of them")
        features = game.probe().features[-1].flatten(1).shape[1]
        game.discriminator.heads["q"] = nn.Sequential(
            nn.Linear(features, self.hidden),
            nn.BatchNorm1d(self.hidden),
            nn.LeakyReLU(self.slope),
            QOutput(self.hidden, game.prior.codes, self.deviation),
        )
        init_normal(game.discriminator.heads["q"], 0.02)
        for name in ("discriminator", "generator"):
            game.player(name).add_term("mutual_information", MutualInformation(self.categorical, self.continuous))
