"""ControlGAN: Lee & Seok 2017, arXiv 1708.00598: a classifier apart from D, and a weight that holds its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import Components, Pair, Player, Term, distributed
from gan_zoo.classifying import ClassifyingGame, ToldError, require_classes
from gan_zoo.ranges import require_not_negative


def controlled(
    weight: Tensor, fake: Tensor, real: Tensor, ratio: float, rate: float, most: float | None = None
) -> Tensor:
    """Return γ after an update: γ + r (CE_fake - E CE_real), at least 0 and at most `most`.

    Args:
        weight: γ.
        fake: the classifier's cross entropy on generated samples.
        real: that on real samples.
        ratio: E, the wanted ratio of the two.
        rate: r.
        most: the greatest γ; None for none.
    """
    return (weight + rate * (fake - ratio * real)).clamp(0, most)


class Controlled(Term):
    """γ E CE(C(G(z, y)), y), γ such that the error is E times that on real samples (see `controlled`).

    Args:
        ratio: E.
        rate: r.
        most: the greatest γ; None for none.
    """

    gamma: Tensor

    def __init__(self, ratio: float, rate: float, most: float | None) -> None:
        super().__init__()
        self.ratio, self.rate, self.most = ratio, rate, most
        self.register_buffer("gamma", torch.zeros(()))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the weighted mean over the pair's generated samples, in nats."""
        return self.gamma * self._error(pair.fake, pair.fake_labels)

    def after_update(self, pair: Pair, player: Player) -> None:
        """Adapt γ."""
        fake, real = self._error(pair.fake, pair.fake_labels), self._error(pair.real, pair.real_labels)
        fake, real = distributed.mean(fake), distributed.mean(real)
        found = controlled(self.gamma, fake, real, self.ratio, self.rate, self.most)
        self.gamma.copy_(found)

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return γ."""
        return {"gamma": self.gamma}

    def _error(self, x: Tensor, labels: Tensor | None) -> Tensor:
        assert isinstance(self.game, ClassifyingGame) and labels is not None
        return F.cross_entropy(self.game.classify(x), labels)


class ControlGAN(ClassifyingGame):
    """D tells real from generated without classes, C learns these from real samples, and G is to satisfy both.

        D  the loss;   C  E CE(C(x), y);   G  its loss + γ E CE(C(G(z, y)), y)

    γ begins at 0; the defaults are those of the authors' program, which also shifts and mirrors what C learns from.

    Args:
        components: what the game is made of; `classifier` is any discriminator whose last layer scores classes.
        ratio: E, the wanted ratio of C's errors on generated and on real samples.
        rate: r, how fast γ follows; 0 leaves it at 0.
        most: the greatest γ; null for none.
    """

    classifier: ClassVar[str] = "classifier"

    def __init__(
        self, components: Components, ratio: float = 1.0, rate: float = 0.001, most: float | None = 2.0
    ) -> None:
        require_not_negative(ratio=ratio, rate=rate, most=0.0 if most is None else most)
        super().__init__(components)
        self.last_layer("discriminator")
        self.score_classes("classifier", require_classes(self))
        self.player("generator").add_term("controlled", Controlled(ratio, rate, most))
        self.player("classifier").add_term("class", ToldError())

    def make_players(self) -> list[Player]:
        """Return D, G and C."""
        return [*super().make_players(), Player("classifier", ("classifier",))]
