"""CatGAN: Springenberg 2016, arXiv 1511.06390."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Components, ConfigError, Pair, Player, Term
from gan_zoo.classifying import (
    LabelledError,
    UnlabelledGame,
    class_scores,
    entropies,
    labelled_classes,
)
from gan_zoo.ranges import require_not_negative


class Certainty(Term):
    """How sure D is of each sample, and how evenly it uses its categories.

    D minimises -H(E p(x)) + E H(p(x)) - E H(p(G(z))), G -H(E p(G(z))) + E H(p(G(z))), p the distribution over
    categories (equations 7 and 9); the entropies of means are those of the batch.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return what the player minimises, in nats."""
        if player.team != "discriminator":
            marginal, conditional = entropies(class_scores(pair.fake_output))
            return conditional - marginal
        real, fake = pair.outputs
        marginal, conditional = entropies(class_scores(real))
        return conditional - marginal - entropies(class_scores(fake))[1]


def surest(scores: Tensor) -> Tensor:
    """Return -H(p) (N,) of the distributions of scores (N, K): 0 where one category is certain, at least -log K."""
    log_p = scores.log_softmax(1)
    return (log_p.exp() * log_p).sum(1)


class CatGAN(UnlabelledGame):
    """D sorts samples into categories, sure of real ones and unsure of generated ones; it says nothing of realness.

    Of K categories the best D has -log K for the part of the real samples. With labelled samples it learns their
    classes beside (section 3.3). What is reported as D's logit is -H(p). Batches must be large, as the entropy of their
    mean is to be that of all samples; the paper's are of 100.

    Args:
        components: what the game is made of.
        categories: their number; null for as many as there are classes.
        labelled_weight: of the cross entropy of the source `labelled`; 0 where there is none.
        supervised: whether D learns from these alone: what the others are to be compared with.
    """

    def __init__(
        self, components: Components, categories: int | None, labelled_weight: float, supervised: bool
    ) -> None:
        require_not_negative(labelled_weight=labelled_weight)
        if components.loss is not None:
            raise ConfigError(
                f"game=catgan has objectives of its own, and loss={type(components.loss).__name__} is no part of them: "
                "set loss=null"
            )
        if supervised and not labelled_weight:
            raise ConfigError("game.supervised=true needs game.labelled_weight above 0")
        super().__init__(components)
        classes = labelled_classes(self) if labelled_weight else self.data.num_classes
        if labelled_weight and categories not in (None, classes):
            raise ConfigError(
                f"game.categories={categories}: with labelled samples they are the {classes} classes; set it to null"
            )
        found = categories or classes
        if found < 2:
            raise ConfigError(f"game.categories={categories}: at least 2, and these data have no classes to count")
        self.score_classes("discriminator", found, surest)
        for name in ("generator",) if supervised else ("discriminator", "generator"):
            self.player(name).add_term("certainty", Certainty())
        if labelled_weight:
            self.player("discriminator").add_term("labelled", LabelledError(), labelled_weight)

    def make_players(self) -> list[Player]:
        """Return D and G, whose objectives are terms."""
        teams = ("discriminator", "generator")
        return [Player(name, (name,), team=name) for name in teams]
