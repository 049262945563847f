"""Triple-GAN: Li et al. 2017, arXiv 1703.02291: a generator of (x, y), a classifier, and a judge of pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import (
    MAIN,
    Batch,
    Components,
    ConfigError,
    Game,
    Latent,
    Pair,
    Player,
    SeparableLoss,
    Term,
    TermPlan,
)
from gan_zoo.classifying import CLASS, LABELLED, LabelledError, LabelledGame, entropies, without_labels
from gan_zoo.encoding import Fools
from gan_zoo.ranges import require_below_one, require_not_negative

TOLD = "told"
"""The pair of labelled samples, and samples without labels with the classes that C tells."""


class Half(Term):
    """The real or the generated half of the discriminator's loss, as a summand with a weight.

    Args:
        side: `real` or `fake`, the side that is judged.
        taken_for: the half of the loss: `real` or `fake`; None for that of the side.
    """

    def __init__(self, side: str, taken_for: str | None = None) -> None:
        super().__init__()
        self.side = side
        self.taken_for = taken_for or side

    def check(self, game: Game, player: Player) -> None:
        """Raise ConfigError if the loss is no sum of two halves, or D is no probability."""
        if not isinstance(game.loss, SeparableLoss) or not game.loss.probabilistic:
            raise ConfigError(
                f"{type(game).__name__} weighs the halves of the discriminator's loss, and {type(game.loss).__name__} "
                "has none that make D a probability: choose loss=nonsaturating"
            )

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return that half."""
        loss = self.game.loss
        assert isinstance(loss, SeparableLoss)
        said = pair.real_output if self.side == "real" else pair.fake_output
        return loss.real_half(said) if self.taken_for == "real" else loss.fake_half(said)


class ToldIsReal(Term):
    """E Σ_y C(y|x) (-log D(x, y)): classes with which D takes a sample for one whose label is known.

    C's probabilities are what lets a gradient reach C; the paper's text has log(1 - D), the authors' program this form.

    Args:
        every: whether the sum is over all classes; else it is the likeliest's summand alone.
    """

    def __init__(self, every: bool) -> None:
        super().__init__()
        self.every = every

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the samples without labels, each judged once with every class that counts."""
        p = pair.made[CLASS].softmax(1)
        n, classes = p.shape
        if not self.every:
            most, labels = p.max(1)
            return (most * F.softplus(-pair.judge(pair.fake, labels).scores)).mean()
        labels = torch.arange(classes, device=p.device).repeat(n)
        logits = pair.judge(pair.fake.repeat_interleave(classes, 0), labels).scores.view(n, classes)
        return (p * F.softplus(-logits)).sum(1).mean()


class Decided(Term):
    """E H(C(x)) of samples without labels, in nats: C is to be sure."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the samples without labels."""
        return entropies(pair.made[CLASS])[1]


class Even(Term):
    """-1/K Σ_k log E C(k|x) of samples without labels: C is to use all classes alike; at the least log K."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy of the even distribution and the batch's mean, in nats."""
        log_p = pair.made[CLASS].log_softmax(1)
        return -(log_p.logsumexp(0) - math.log(len(log_p))).mean()


class PseudoDiscriminative(Term):
    """E CE(C(G(z, y)), y): C learns from generated samples the classes that these were asked for (section 3.2).

    Args:
        start: the updates of C after which it begins.
    """

    def __init__(self, start: int) -> None:
        super().__init__()
        self.start = start

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over generated samples, 0 before the start."""
        if player.updates < self.start:
            return pair.fake.new_zeros(())
        game, labels = self.game, pair.fake_labels
        assert isinstance(game, LabelledGame) and labels is not None
        return F.cross_entropy(game.classify(pair.fake.detach()), labels)


class TripleGAN(LabelledGame):
    """D tells labelled pairs (x, y) from (G(z, y), y) and from (x, C(x)); G and C both make them (section 3.1).

        D  E_l -log D(x, y) + (1 - α) E -log(1 - D(G(z, y), y)) + α E_u -log(1 - D(x, y_C))
        G  (1 - α) E -log D(G(z, y), y)
        C  α w E_u Σ_y C(y|x) (-log D(x, y)) + E_l CE(C(x), y) + α_P E CE(C(G(z, y)), y)
           + r E_u H(C(x)) - b 1/K Σ_k log E_u C(k|x)

    Where all three distributions are the same D is 1/2, and its loss 2 log 2. Classes are asked for evenly, those of
    samples without labels are never read. In the authors' program a share j of D's real pairs are (x, y_C) too, 400 of
    401 with 100 labels of MNIST, and C pays for its likeliest class alone (`every_class=false`). What that program has
    beside is left out: C's training before the game, its average over updates for scores, weight decay, and C's
    consistency on CIFAR-10.

    Args:
        components: what the game is made of; `classifier` is any discriminator whose last layer scores classes.
        alpha: α, the share of C's pairs among what D tells from labelled ones.
        adversarial_weight: w of C's adversarial part.
        pseudo_weight: α_P.
        pseudo_start: the updates of C after which α_P is more than 0.
        confidence: r.
        balance: b.
        joined: j.
        every_class: whether C pays for all classes, or for the likeliest alone.
        told: the classes that D sees with samples without labels, `likeliest` or `drawn` from C.
        supervised: whether C learns from labelled samples alone: what it is to be compared with.
    """

    classifier: ClassVar[str] = "classifier"

    def __init__(
        self,
        components: Components,
        alpha: float,
        adversarial_weight: float,
        pseudo_weight: float,
        pseudo_start: int,
        confidence: float,
        balance: float,
        joined: float,
        every_class: bool,
        told: str,
        supervised: bool,
    ) -> None:
        require_below_one(alpha=alpha, joined=joined)
        require_not_negative(
            adversarial_weight=adversarial_weight,
            pseudo_weight=pseudo_weight,
            pseudo_start=pseudo_start,
            confidence=confidence,
            balance=balance,
        )
        if told not in ("likeliest", "drawn"):
            raise ValueError(f"game.told={told!r}: choose likeliest or drawn")
        super().__init__(components)
        self.told = told
        self._see_that_classes_fit()
        self.score_classes("classifier", self.num_classes)
        d, g, c = (self.player(name) for name in ("discriminator", "generator", "classifier"))
        d.add_term("real", Half("real"), plan=TermPlan(1 - joined, pairs=(MAIN,)))
        if joined:
            d.add_term("joined", Half("fake", "real"), plan=TermPlan(joined, pairs=(TOLD,)))
        d.add_term("generated", Half("fake"), plan=TermPlan(1 - alpha, pairs=(MAIN,)))
        if alpha:
            d.add_term("told", Half("fake"), plan=TermPlan(alpha, pairs=(TOLD,)))
        g.add_term("fools", Fools(), plan=TermPlan(1 - alpha, pairs=(MAIN,)))
        c.add_term("labelled", LabelledError(), plan=TermPlan(pairs=(MAIN,)))
        for name, term, weight, pair in (
            ("fools", ToldIsReal(every_class), alpha * adversarial_weight, TOLD),
            ("pseudo", PseudoDiscriminative(pseudo_start), pseudo_weight, MAIN),
            ("decided", Decided(), confidence, TOLD),
            ("even", Even(), balance, TOLD),
        ):
            if weight and not supervised:
                c.add_term(name, term, plan=TermPlan(weight, pairs=(pair,)))

    def _see_that_classes_fit(self) -> None:
        for name in ("generator", "discriminator"):
            if not getattr(self.network(name), "conditional", False):
                raise ConfigError(
                    f"game=triple_gan: networks.{name} is given classes, and {type(self.network(name)).__name__} takes "
                    "none: choose cgan_mlp or dcgan_conditional"
                )
        if self.data.num_classes != self.num_classes:
            raise ConfigError(
                f"game=triple_gan makes samples of the {self.num_classes} classes of sources.{LABELLED}, and data has "
                f"{self.data.num_classes}: choose data with the same"
            )

    def make_players(self) -> list[Player]:
        """Return D, G and C, whose objectives are terms."""
        return [
            Player("discriminator", ("discriminator",), team="discriminator"),
            Player("generator", ("generator",), team="generator"),
            Player("classifier", ("classifier",)),
        ]

    def latent_for(self, batch: Batch) -> Latent:
        """Return latents with classes that are drawn evenly."""
        latent = super().latent_for(batch)
        n = len(latent.z)
        return latent._replace(labels=torch.randint(self.num_classes, (n,), device=latent.z.device))

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return labelled samples with generated ones, and with those without labels and what C tells of them."""
        judge, few, unlabelled = self.judge("discriminator"), batch.others[LABELLED], without_labels(batch)
        scores = self.classify(batch.samples)
        p = scores.detach().softmax(1)
        told = p.argmax(1) if self.told == "likeliest" else torch.multinomial(p, 1)[:, 0]
        main = Pair(judge, unlabelled, latent, self.generate(latent), real=few.samples)
        other = Pair(judge, unlabelled, latent, batch.samples, real=few.samples, made={CLASS: scores})
        main.real_labels = other.real_labels = few.labels
        other.fake_labels = told
        return {MAIN: main, TOLD: other}
