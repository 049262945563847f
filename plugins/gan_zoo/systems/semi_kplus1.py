"""Semi-supervised learning with K + 1 classes (Salimans et al. 2016, arXiv 1606.03498, section 5)."""

from __future__ import annotations

from gan_framework.api import Components, Player
from gan_zoo.classifying import LabelledError, LabelledGame
from gan_zoo.ranges import require_not_negative


class KPlusOne(LabelledGame):
    """D scores K classes, l, and a sample is real as far as it is of any: its logit is Z = log Σ_k exp(l_k).

        D  E_labelled CE(l(x), y) + E softplus(-Z(x)) + E softplus(Z(G(z)))

    That is a softmax over K + 1 classes, the last of generated samples, whose score is fixed at 0 (section 5). With
    `loss=nonsaturating` the last two summands are the game's loss, and with `strategy=[feature_matching]` G matches
    the means of D's penultimate layer, as in the paper. The authors' program has these two at half their weight, which
    is `labelled_weight` 2 here but for the size of the steps; it starts weight norm from data, which is left out.

    Args:
        components: what the game is made of.
        labelled_weight: of the labelled samples' cross entropy.
        supervised: whether D learns from these alone: what the others are to be compared with.
    """

    def __init__(self, components: Components, labelled_weight: float, supervised: bool) -> None:
        require_not_negative(labelled_weight=labelled_weight)
        self.supervised = supervised
        super().__init__(components)
        self.score_classes("discriminator", self.num_classes)
        self.player("discriminator").add_term("labelled", LabelledError(), labelled_weight)

    def make_players(self) -> list[Player]:
        """Return D and G; D without an adversarial loss where it is supervised alone."""
        discriminator, generator = super().make_players()
        if self.supervised:
            discriminator.objective = None
        return [discriminator, generator]
