"""Conditional CycleGAN (Lu et al. 2018, arXiv 1705.09966): sharp images of coarse ones, with an attribute asked for."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_framework.api import SAMPLES, Batch, Components, ConfigError, Latent, Pair, Player, Term, TermPlan
from gan_zoo.editing import identity_features, learn_identity
from gan_zoo.games.cycle import OTHER, TO, A, B, Cycle, Translated
from gan_zoo.layers import given
from gan_zoo.ranges import require_not_negative, require_positive
from gan_zoo.translating import WeighedPlayer

WRONG, BACK = "wrong", "back"
"""The pair of real images beside wrong attributes, and what images become that are translated there and back."""


class BackAgain(Term):
    """|x - x̂|, a mean over entries, x̂ an image translated there and back, with its own attribute."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for what was translated into the pair's domain."""
        assert isinstance(pair, Translated)
        return (pair.source - pair.made[BACK]).abs().mean()


class IdentityBackAgain(Term):
    """|F(x) - F(x̂)|, a mean over entries of the hidden layer of the frozen network `identity`."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for sharp images that were made coarse and sharp again."""
        assert isinstance(pair, Translated)
        with torch.no_grad():
            before = identity_features(self.game, pair.source)
        return (before - identity_features(self.game, pair.made[BACK])).abs().mean()


class ConditionalCycleGAN(Cycle):
    """CycleGAN between coarse images, A, and sharp ones, B, whose generator of B is given an attribute.

    The attribute is the class. The judge of B sees images beside attributes: real ones beside their own, generated ones
    beside those that were asked for, and, as if they were generated, real ones beside wrong ones. Coarse images are
    asked for their own attribute. A sharp image that was made coarse and sharp again, with its own attribute, is to be
    the same to a frozen network F too, which is trained on the classes of B first; it stands for a network of faces.
    The paper is followed from memory, and how it weighs its parts is not known to us.

    Args:
        components: what the game is made of.
        discriminator_weight: of each judge's loss.
        adversarial_weight: of the generators' adversarial losses.
        cycle: the weight of the way back.
        identity: the weight of F's features.
        identity_steps: batches on which F is trained.
        identity_lr: its learning rate.
    """

    def __init__(
        self,
        components: Components,
        discriminator_weight: float,
        adversarial_weight: float,
        cycle: float,
        identity: float,
        identity_steps: int,
        identity_lr: float,
    ) -> None:
        require_not_negative(cycle=cycle, identity=identity)
        require_positive(identity_steps=identity_steps)
        super().__init__(
            components,
            discriminator_weight,
            adversarial_weight,
            cycle=0.0,
            distance="l1",
            identity=0.0,
            pool=0,
            features=0.0,
            preservation=0.0,
            both_ways=True,
            starting_share=None,
            share=0.0,
            starting_steps=0,
        )
        generator = self.player("generator")
        if cycle:
            generator.add_term("cycle", BackAgain(), cycle)
        if identity:
            learn_identity(self, identity_steps, identity_lr)
            generator.add_term("identity", IdentityBackAgain(), plan=TermPlan(identity, pairs=(A,)))

    def make_players(self) -> list[Player]:
        """Return a judge for each domain, that of B with wrong attributes, and the generators."""
        told = {"discriminator_a": {A: "discriminator"}}
        told["discriminator_b"] = {B: "discriminator", WRONG: "discriminator_fake"}
        judges = [WeighedPlayer(name, (name,), "discriminator", objective) for name, objective in told.items()]
        return [*judges, WeighedPlayer("generator", (TO[B], TO[A]), "generator", dict.fromkeys((A, B), "generator"))]

    def latent_for(self, batch: Batch) -> Latent:
        """Return coarse images with their own attributes."""
        return super().latent_for(batch)._replace(labels=batch.others[A].labels)

    def make(self, latent: Latent, network: str = TO[B]) -> Mapping[str, Tensor]:
        """Return what a generator makes of the images it is given."""
        return super().make(latent._replace(given={SAMPLES: next(iter(latent.given.values()))}), network)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each domain before its judge, and sharp images beside wrong attributes."""
        images = {A: latent.given[A], B: batch.samples}
        own = {A: given(latent.labels), B: given(batch.labels)}
        found: dict[str, Pair] = {}
        for domain in self.domains:
            source = OTHER[domain]
            made = self.generate(Latent(latent.z, own[source], given={source: images[source]}), TO[domain])
            back = self.generate(Latent(latent.z, own[source], given={domain: made}), TO[source])
            pair = Translated(
                self.judge(f"discriminator_{domain}"),
                batch,
                latent,
                made,
                real=images[domain],
                made={BACK: back},
                source=images[source],
                domain=domain,
            )
            if domain == A:
                pair.real_labels = pair.fake_labels = None
            found[domain] = pair
        steps = torch.randint(1, max(self.data.num_classes, 2), own[B].shape, device=own[B].device)
        wrong = Pair(self.judge("discriminator_b"), batch, latent, batch.samples)
        wrong.fake_labels = (own[B] + steps) % max(self.data.num_classes, 1)
        return {**found, WRONG: wrong}

    def check(self) -> None:
        """See that both domains have the same classes.

        Raises:
            ConfigError: they have not, or the networks do not fit.
        """
        coarse = self.data.others.get(A)
        if coarse is not None and (self.data.num_classes < 2 or coarse.num_classes != self.data.num_classes):
            raise ConfigError(
                f"ConditionalCycleGAN asks for classes, and the domains have {self.data.num_classes} and "
                f"{coarse.num_classes}: they must have the same, at least 2"
            )
        super().check()
