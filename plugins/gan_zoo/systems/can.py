"""CAN: Elgammal et al. 2017, arXiv 1706.07068: art that D takes for art, and can assign to no style."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan_framework.api import Components, Pair, Player, Term
from gan_zoo.classifying import ClassError, ClassifyingGame, class_scores, require_classes
from gan_zoo.ranges import require_not_negative

FORMS = ("binary", "uniform")


def ambiguity(scores: Tensor, form: str) -> Tensor:
    """Return how far a distribution p over K classes is from the even one, for each sample (N,), in nats.

    For `binary` -Σ_k [1/K log p_k + (1 - 1/K) log(1 - p_k)], for `uniform` -1/K Σ_k log p_k; both are least where
    p is even, at K log K - (K - 1) log(K - 1) and at log K.

    Args:
        scores: the logits of p (N, K).
        form: `binary` or `uniform`.
    """
    classes = scores.shape[1]
    log_p = scores.log_softmax(1)
    if form == "uniform":
        return -log_p.mean(1)
    own = torch.eye(classes, dtype=torch.bool, device=scores.device)
    # log(1 - p_k) from the others' scores, which stays exact where p_k is all but 1.
    rest = log_p[:, None].expand(-1, classes, -1).masked_fill(own, -math.inf).logsumexp(2)
    return -(log_p / classes + (1 - 1 / classes) * rest).sum(1)


class ClassAmbiguity(Term):
    """E A(h(G(z))): generated samples are to be of no class in particular.

    Args:
        form: see `ambiguity`.
    """

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the pair's generated samples."""
        return ambiguity(class_scores(pair.fake_output), self.form).mean()


class CAN(ClassifyingGame):
    """D learns the classes (styles) of real samples beside its loss; G fools it with samples of ambiguous class.

        D  its loss + E CE(h(x), y);   G  its loss + λ E A(h(G(z)))                                (equations 2 and 3)

    Args:
        components: what the game is made of.
        form: of A: `binary` as in the paper, K logistic losses of the softmax; `uniform`, the cross entropy with the
            even distribution, as in programs of others.
        weight: λ.
    """

    def __init__(self, components: Components, form: str, weight: float) -> None:
        require_not_negative(weight=weight)
        if form not in FORMS:
            raise ValueError(f"form={form!r}: choose {' or '.join(FORMS)}")
        super().__init__(components)
        self.tell_classes("discriminator", require_classes(self, conditional=False))
        self.player("discriminator").add_term("class", ClassError("real"))
        if weight:
            self.player("generator").add_term("ambiguity", ClassAmbiguity(form), weight)
