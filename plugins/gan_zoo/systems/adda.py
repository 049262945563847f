"""ADDA (Tzeng et al. 2017, arXiv 1702.05464): the target has features of its own, made like those of the source."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Batch, Components, Latent, NextBatch, Pair, Player
from gan_zoo.adapting import AdaptingGame, SourceClassification, frozen_copy, take_over


class ADDA(AdaptingGame):
    """First F and C learn from the source alone; then F goes on for the target, and D tells it from what it was.

    The schedule says when (`stages`: the player `classifier`, then `discriminator` and `generator`). Until the
    generator's first update the source's features are those of F; from then on they, and C, stay as they are, and F
    minimises the generator's part of the loss on the target (equation 9).
    """

    def __init__(self, components: Components) -> None:
        super().__init__(components)
        self.of_source = frozen_copy(self.network("features"))
        self.player("classifier").add_term("classification", SourceClassification())

    def make_players(self) -> list[Player]:
        """Return D, F as the target's, and F with C as the source's."""
        return [
            Player("discriminator", ("discriminator",), "discriminator", "discriminator"),
            Player("generator", ("features",), "generator", "generator"),
            Player("classifier", ("features", "classifier")),
        ]

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the source's features as they were learnt first, and the target's."""
        x, _ = self.source(batch)
        with self.autocast():
            real: Tensor = self.of_source(x)
        fake = self.ask("features", batch.samples)
        found = Pair(self.judge("discriminator"), batch, latent, fake, real=real.to(fake.dtype))
        found.real_labels = found.fake_labels = None
        return found

    def step(self, next_batch: NextBatch) -> dict[str, Tensor]:
        """Play one step; until the target's features are trained, the source's follow them."""
        measured = super().step(next_batch)
        if self.player("generator").updates == 0:
            take_over(self.of_source, self.network("features"))
        return measured
