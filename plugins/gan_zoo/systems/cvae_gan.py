"""CVAE-GAN: Bao, Chen, Wen, Li & Hua 2017, arXiv 1703.10155: a conditional VAE, a GAN and a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import MAIN, Batch, Components, Latent, Pair, Player, Term, TermPlan, distributed
from gan_zoo.autoencoding import decode
from gan_zoo.classifying import ClassifyingGame, ToldError, require_classes
from gan_zoo.encoding import RECONSTRUCTION, EncodingGame
from gan_zoo.ranges import require_below_one, require_not_negative
from gan_zoo.terms.kl_divergence import KLDivergence


def half_square(difference: Tensor) -> Tensor:
    """Return ½ |d|² of differences (N, ...): a sum over entries, a mean over samples."""
    return 0.5 * difference.flatten(1).square().sum(1).mean()


class Reconstruction(Term):
    """½ |x - x_f|² + ½ |f_D(x) - f_D(x_f)|² + ½ |f_C(x) - f_C(x_f)|², f the penultimate layers (equation 7)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the sum over entries, a mean over the pair's samples."""
        game = self.game
        assert isinstance(game, CVAEGAN)
        wide = pair.real.dtype
        of_d = pair.real_output.features[-1].to(wide) - pair.fake_output.features[-1].to(wide)
        of_c = game.inner(pair.real) - game.inner(pair.fake)
        return half_square(pair.real - pair.fake) + half_square(of_d) + half_square(of_c)


def means_of(features: Tensor, groups: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the sums (count, F) of features (N, F) over the members of each group, and their numbers (count, 1)."""
    member = F.one_hot(groups, count).to(features.dtype)
    return member.T @ features, member.sum(0)[:, None]


class MeanFeatures(Term):
    """½ Σ_c |E f(x|c) - E f(G(z, c))|²: generated samples have the mean features of the real ones of their class.

    The real means are averages over updates; classes that are absent from the generated batch, or of which no real
    sample has been seen, add nothing (equations 4 and 6).

    Args:
        network: whose penultimate layer f is: `discriminator`, where all samples are one class, or `classifier`.
        groups: the number of classes.
        size: of f(x).
        momentum: the share of the means of the updates before; 0 for those of the batch alone.
    """

    means: Tensor
    seen: Tensor

    def __init__(self, network: str, groups: int, size: int, momentum: float) -> None:
        super().__init__()
        self.network = network
        self.groups = groups
        self.momentum = momentum
        self.register_buffer("means", torch.zeros(groups, size))
        self.register_buffer("seen", torch.zeros(groups, 1, dtype=torch.bool))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of this pair's mean features."""
        real, known = self._real_means(*self._sums(pair, "real"))
        sums, counts = self._sums(pair, "fake")
        difference = sums / counts.clamp(min=1) - real.to(sums.dtype)
        return 0.5 * (difference.square() * (known & (counts > 0))).sum()

    def after_update(self, pair: Pair, player: Player) -> None:
        """Take up the means of the pair's real samples."""
        sums, counts = (distributed.mean(value) for value in self._sums(pair, "real"))
        means, known = self._real_means(sums, counts)
        self.means.copy_(means)
        self.seen.copy_(known)

    def _real_means(self, sums: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the real means with the batch's sums taken up, and of which classes they are known."""
        present = counts > 0
        batch = (sums / counts.clamp(min=1e-12)).to(self.means.dtype)
        averaged = torch.where(self.seen, self.momentum * self.means + (1 - self.momentum) * batch, batch)
        return torch.where(present, averaged, self.means), present | self.seen

    def _sums(self, pair: Pair, side: str) -> tuple[Tensor, Tensor]:
        game, x, labels = self.game, getattr(pair, side), getattr(pair, f"{side}_labels")
        assert isinstance(game, CVAEGAN)
        if self.network == "discriminator":
            features = getattr(pair, f"{side}_output").features[-1].flatten(1).to(x.dtype)
            labels = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        else:
            features = game.inner(x)
        return means_of(features, labels, self.groups)


class CVAEGAN(EncodingGame, ClassifyingGame):
    """E and G are a conditional VAE, D tells both reconstructions x_f and samples x_p, and C tells classes.

        E  λ₁ KL + λ₂ L_rec                                      x_f = G(E(x), y), x_p = G(z, y)
        G  λ₂ L_rec + λ₃ ½ |E f_D(x) - E f_D(x_p)|² + λ₄ ½ Σ_c |E f_C(x|c) - E f_C(x_p|c)|²
        D  -log D(x) - log(1 - D(x_f)) - log(1 - D(x_p));      C  E CE(C(x), y)                       (algorithm 1)

    G never sees D's logit: it matches means of features (asymmetric training). E sees x alone. From memory of the
    paper: the weights and the average's momentum are not checked. The loss must be a sum of two halves.

    Args:
        components: what the game is made of; `classifier` is any discriminator whose last layer scores classes.
        kl_weight: λ₁.
        reconstruction_weight: λ₂.
        mean_weight: λ₃.
        class_mean_weight: λ₄.
        momentum: of the real means' average over updates.
    """

    classifier: ClassVar[str] = "classifier"

    def __init__(
        self,
        components: Components,
        kl_weight: float,
        reconstruction_weight: float,
        mean_weight: float,
        class_mean_weight: float,
        momentum: float,
    ) -> None:
        require_not_negative(
            kl_weight=kl_weight,
            reconstruction_weight=reconstruction_weight,
            mean_weight=mean_weight,
            class_mean_weight=class_mean_weight,
        )
        require_below_one(momentum=momentum)
        super().__init__(components)
        classes = require_classes(self)
        of_d, of_c = (self.last_layer(name).in_features for name in ("discriminator", "classifier"))
        self.score_classes("classifier", classes)
        encoder, generator, classifier = (self.player(name) for name in ("encoder", "generator", "classifier"))
        encoder.add_term("kl_divergence", KLDivergence(), plan=TermPlan(kl_weight, pairs=(RECONSTRUCTION,)))
        for player in (encoder, generator):
            plan = TermPlan(reconstruction_weight, pairs=(RECONSTRUCTION,))
            player.add_term("reconstruction", Reconstruction(), plan=plan)
        generator.add_term(
            "mean_features",
            MeanFeatures("discriminator", 1, of_d, momentum),
            plan=TermPlan(mean_weight, pairs=(MAIN,)),
        )
        generator.add_term(
            "class_mean_features",
            MeanFeatures("classifier", classes, of_c, momentum),
            plan=TermPlan(class_mean_weight, pairs=(MAIN,)),
        )
        classifier.add_term("class", ToldError(), plan=TermPlan(pairs=(MAIN,)))

    def make_players(self) -> list[Player]:
        """Return D, G, E and C."""
        told = {MAIN: "discriminator", RECONSTRUCTION: "discriminator_fake"}
        return [
            Player("discriminator", ("discriminator",), "discriminator", told),
            Player("generator", ("generator",), "generator"),
            Player("encoder", ("encoder",)),
            Player("classifier", ("classifier",)),
        ]

    def inner(self, x: Tensor) -> Tensor:
        """Return f_C(x), the classifier's penultimate layer (N, F)."""
        return self.judge("classifier")(x).features[-1].flatten(1).to(x.dtype)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return x and x_p, and x and x_f, before D."""
        judge, code = self.judge("discriminator"), self.encode(batch.samples, batch.labels)
        return {
            MAIN: Pair(judge, batch, latent, self.generate(latent)),
            RECONSTRUCTION: Pair(judge, batch, code, decode(self, code)),
        }
