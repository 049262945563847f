"""ss-InfoGAN: Spurr, Aksan & Hilliges 2017, arXiv 1707.04487: InfoGAN whose categories are named by a few labels."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Components, ConfigError, Pair, Player, Term
from gan_zoo.classifying import LABELLED, LabelledError, LabelledGame
from gan_zoo.priors.codes import Codes
from gan_zoo.ranges import require_not_negative

CODE = "categorical_0"
"""The code whose values are the classes."""


class CodeError(Term):
    """-E log Q(c | G(z, c)), the cross entropy of the code that names classes on generated samples, in nats."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's generated samples."""
        game = self.game
        assert isinstance(game, SSInfoGAN)
        return F.cross_entropy(game.classify(pair.fake), pair.latent.code[CODE].argmax(1))


class SSInfoGAN(LabelledGame):
    """InfoGAN with a Q of its own, whose first categorical code is tied to classes by a few labelled samples.

        min over D, then G:      the loss - λ₂ E log Q(c|G(z, c))
        min over G and Q:        -λ₁ L_I(c') - λ₂ E_labelled log Q(y|x)

    Q learns the named code c of labelled samples alone, and G is to make what Q takes for it: were Q trained on
    generated samples too, the two could agree on a code that is no class (the authors' program). λ₁ is that of
    `term=[mutual_information]`, of the other codes c'. The player `q`, G and Q, comes after D's and G's own update, as
    in `game=infogan`; in the program Q has D's layers.

    Args:
        components: what the game is made of; the network `q` tells the codes.
        labelled_weight: λ₂; 0 leaves the code to find what it likes, as an unnamed one.
    """

    classifier: ClassVar[str] = "q"
    named_codes: tuple[str, ...] = ()

    def __init__(self, components: Components, labelled_weight: float) -> None:
        require_not_negative(labelled_weight=labelled_weight)
        super().__init__(components)
        prior = self.prior
        sizes = prior.codes.sizes if isinstance(prior, Codes) else {}
        if sizes.get(CODE, 0) != self.num_classes:
            raise ConfigError(
                f"game=ss_infogan ties a code to the {self.num_classes} classes of sources.{LABELLED}, and the first "
                f"categorical code has {sizes.get(CODE, 0)} values: set prior=codes prior.codes.categorical="
                f"[{self.num_classes}]"
            )
        if labelled_weight:
            self.named_codes = (CODE,)
            self.player("q").add_term("labelled", LabelledError(), labelled_weight)
            self.player("generator").add_term("code", CodeError(), labelled_weight)

    def make_players(self) -> list[Player]:
        """Return D, G, and Q with G."""
        return [*super().make_players(), Player("q", ("generator", "q"))]

    def classify(self, x: Tensor) -> Tensor:
        """Return Q's scores (N, K) of the code that names classes, of samples x (N, ...)."""
        assert isinstance(self.prior, Codes)
        with self.autocast():
            said: Tensor = self.network("q")(x)
        scores = said[:, : self.prior.codes.sizes[CODE]]
        return scores.to(x.dtype)
