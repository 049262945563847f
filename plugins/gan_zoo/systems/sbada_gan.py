"""SBADA-GAN (Russo et al. 2018, arXiv 1705.08824): source to target and back, with a classifier in each domain."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F

from gan_framework.api import (
    Batch,
    Components,
    ConfigError,
    Latent,
    Pair,
    Player,
    Term,
    TermPlan,
    distributed,
    try_meeting,
)
from gan_zoo.adapting import A, Asking, require_labelled_source
from gan_zoo.image_pool import ImagePool
from gan_zoo.ranges import require_not_negative

B = "b"
TO = {A: "generator_ba", B: "generator_ab"}
"""By a domain, the generator into it; `a` is the source, `b` the target, the data."""


class OfMadeTargets(Term):
    """CE(C_t(G_st(x_s)), y_s): the target's classifier learns from what is made of the source."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch; the pair is that of the domain b."""
        game = of(self)
        return F.cross_entropy(game.ask("classifier_b", pair.fake), labels_of(pair))


class OfSources(Term):
    """CE(C_s(x_s), y_s): the source's classifier learns from the source."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch; the pair is that of the domain a."""
        return F.cross_entropy(of(self).ask("classifier_a", pair.real), labels_of(pair))


class SelfLabelled(Term):
    """CE(C_s(G_ts(x_t)), ŷ), ŷ the class that C_s itself finds there; nothing in the first updates.

    Args:
        start: in how many.
    """

    def __init__(self, start: int) -> None:
        super().__init__()
        self.start = start

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch; the pair is that of the domain a."""
        logits = of(self).ask("classifier_a", pair.fake)
        found = F.cross_entropy(logits, logits.detach().argmax(1))
        return found if player.updates >= self.start else 0 * found


class ClassConsistency(Term):
    """CE(C_s(G_ts(G_st(x_s))), y_s): there and back an image is of its class, and need not be the same."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the mean over the batch; the pair is that of the domain b."""
        game = of(self)
        return F.cross_entropy(game.ask("classifier_a", game.translate(pair.fake, A)), labels_of(pair))


def labels_of(pair: Pair) -> Tensor:
    """Return the labels of the source's batch."""
    labels = pair.batch.others[A].labels
    assert labels is not None
    return labels


def of(term: Term) -> SBADAGAN:
    """Return a term's game as what it is."""
    game = term.game
    assert isinstance(game, SBADAGAN)
    return game


class SBADAGAN(Asking):
    """Two generators and two discriminators as in a cycle, C_s of the source and C_t of the target.

    Both generators and classifiers are one player, which minimises both adversarial losses and the four cross
    entropies, each by its weight. The class of a target image is that of σ · C_s(G_ts(x)) + τ · C_t(x), probabilities.

    Args:
        components: what the game is made of.
        classification: the weight of C_t on made images and of C_s on the source.
        pseudo: the weight of C_s on the target, by labels of its own.
        pseudo_start: updates before they are used.
        consistency: the weight of the class there and back.
        sigma: σ.
        tau: τ.
        pool: images in the pool of each D; 0 for none.
    """

    sampling_network = TO[B]
    generates_from = A

    def __init__(
        self,
        components: Components,
        classification: float,
        pseudo: float,
        pseudo_start: int,
        consistency: float,
        sigma: float,
        tau: float,
        pool: int,
    ) -> None:
        require_not_negative(
            classification=classification,
            pseudo=pseudo,
            pseudo_start=pseudo_start,
            consistency=consistency,
            sigma=sigma,
            tau=tau,
            pool=pool,
        )
        if not sigma + tau:
            raise ValueError("sigma=0, tau=0: one of the classifiers must have a say")
        super().__init__(components)
        self.sigma, self.tau, self.pool = sigma, tau, pool
        generator = self.player("generator")
        for name, term, weight, domain in (
            ("made_targets", OfMadeTargets(), classification, B),
            ("sources", OfSources(), classification, A),
            ("self_labelled", SelfLabelled(pseudo_start), pseudo, A),
            ("consistency", ClassConsistency(), consistency, B),
        ):
            if weight:
                generator.add_term(name, term, plan=TermPlan(weight, pairs=(domain,)))

    def make_players(self) -> list[Player]:
        """Return both discriminators, and one player of all else."""
        judges = [
            Player(f"discriminator_{domain}", (f"discriminator_{domain}",), "discriminator", {domain: "discriminator"})
            for domain in (A, B)
        ]
        networks = ("generator_ab", "generator_ba", "classifier_a", "classifier_b")
        return [*judges, Player("generator", networks, "generator", dict.fromkeys((A, B), "generator"))]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images of the source, with a z each where there is a prior."""
        images = batch.others[A].samples
        return self.latent(len(images))._replace(labels=None, given={A: images})

    def translate(self, x: Tensor, into: str) -> Tensor:
        """Return images translated into a domain, each with a new z where there is a prior."""
        return self.generate(self.latent(len(x))._replace(given={B if into == A else A: x}), TO[into])

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each domain before its judge."""
        made = {A: self.translate(batch.samples, A), B: self.generate(latent, TO[B])}
        real = {A: latent.given[A], B: batch.samples}
        found = {}
        for domain in (A, B):
            found[domain] = Pair(self.judge(f"discriminator_{domain}"), batch, latent, made[domain], real=real[domain])
            found[domain].real_labels = found[domain].fake_labels = None
        return found

    def classify(self, x: Tensor) -> Tensor:
        """Return σ · C_s(G_ts(x)) + τ · C_t(x), sums of probabilities (N, K), of target images."""
        z = x.new_zeros(len(x), 0 if self.prior is None else self.prior.dim)
        back = self.generate(Latent(z, given={B: x}), TO[A])
        of_source, of_target = self.ask("classifier_a", back), self.ask("classifier_b", x)
        return self.sigma * of_source.softmax(1) + self.tau * of_target.softmax(1)

    def check(self) -> None:
        """See that there is a labelled source, and put the pools before their judges.

        Raises:
            ConfigError: there is none, or the pools would see parts of batches.
        """
        require_labelled_source(self)
        super().check()
        if not self.pool:
            return
        if self.accumulate > 1 or distributed.world() > 1:
            raise ConfigError(f"game.pool={self.pool} keeps images of whole batches, not of parts: set it to 0")
        meeting = try_meeting(self)
        for domain in (A, B):
            player = self.player(f"discriminator_{domain}")
            pool = ImagePool(self.pool, {domain: tuple(meeting[domain].fake.shape[1:])})
            player.look_aheads.append(pool.look)
            player.after_step.append(pool)
