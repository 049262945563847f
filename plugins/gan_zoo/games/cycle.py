"""Images of one domain made like those of another, learnt without pairs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gan_framework.api import Batch, Components, ConfigError, Game, Latent, Pair, Player, Term, distributed, try_meeting
from gan_zoo.image_pool import ImagePool
from gan_zoo.ranges import require_not_negative, require_probability
from gan_zoo.translating import WeighedPlayer, known_distance

A, B = "a", "b"
TO = {A: "generator_ba", B: "generator_ab"}
"""By a domain, the generator that translates into it."""

OTHER = {A: B, B: A}


class Translated(Pair):
    """The images of a domain, and those of the other one translated into it.

    Attributes:
        source: what was translated.
        domain: the domain into which.
    """

    def __init__(self, *arguments: Any, source: Tensor, domain: str, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.source = source
        self.domain = domain


class CycleConsistency(Term):
    """The distance of images from themselves translated there and back, a mean over entries (equation 2).

    Args:
        distance: see `translating.DISTANCES`.
    """

    def __init__(self, distance: str) -> None:
        super().__init__()
        self._distance = known_distance(distance)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for what was translated into the pair's domain."""
        assert isinstance(pair, Translated)
        game = self.game
        assert isinstance(game, Cycle)
        back = game.translate(pair.fake, OTHER[pair.domain])
        return self._distance(back.float() - pair.source).mean()


class IdentityMapping(Term):
    """|G(y) - y| for images y that are in G's domain already, a mean over entries (section 5.2)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the real images of the pair's domain."""
        game = self.game
        assert isinstance(game, Cycle) and isinstance(pair, Translated)
        return (game.translate(pair.real, pair.domain).float() - pair.real).abs().mean()


class MeanFeatures(Term):
    """Σ (E dⱼ(x) - E dⱼ(g))² over the judge's layers but the first, E over the batch, means over entries.

    These are the layers of DiscoGAN's program.
    """

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        layers = zip(pair.real_output.features[1:], pair.fake_output.features[1:], strict=True)
        return torch.stack([mean_difference(x.detach(), g) for x, g in layers]).sum()


def mean_difference(x: Tensor, g: Tensor) -> Tensor:
    """Return the mean of the squared difference of the means over the batch of x and g (N, ...)."""
    return (x.mean(0) - g.mean(0)).square().mean()


class DistancePreservation(Term):
    """Images that are far from each other are to be so when translated (Benaim & Wolf 2017, equations 2 to 5).

    E |(|xᵢ - xⱼ|₁ - μ_X)/σ_X - (|G(xᵢ) - G(xⱼ)|₁ - μ_Y)/σ_Y| over all pairs of a batch; μ and σ are those of the
    distances of training images of either domain, taken from the first batches.

    Args:
        batches: how many batches they are taken from.
    """

    seen: Tensor

    def __init__(self, batches: int = 10) -> None:
        super().__init__()
        self.batches = batches
        for name in (A, B):
            self.register_buffer(f"sums_{name}", torch.zeros(3))  # number, sum and sum of squares of distances
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for what was translated into the pair's domain; nothing before there are distances."""
        assert isinstance(pair, Translated)
        before, after = pairwise(pair.source), pairwise(pair.fake.float())
        (mean_x, std_x), (mean_y, std_y) = (self._moments(name, pair) for name in (OTHER[pair.domain], pair.domain))
        return ((before - mean_x) / std_x - (after - mean_y) / std_y).abs().mean()

    def _moments(self, domain: str, pair: Translated) -> tuple[Tensor, Tensor]:
        count, total, squares = getattr(self, f"sums_{domain}")
        if int(self.seen) == 0:  # the first batch knows its own alone
            found = pairwise(pair.real if domain == pair.domain else pair.source)
            return found.mean(), found.std(correction=0).clamp(min=1e-6)
        mean = total / count
        return mean, (squares / count - mean.square()).clamp(min=1e-12).sqrt()

    def after_update(self, pair: Pair, player: Player) -> None:
        """Take in the distances of one of the first batches; once for both domains."""
        if int(self.seen) >= self.batches:
            return
        assert isinstance(pair, Translated)
        for domain, images in ((pair.domain, pair.real), (OTHER[pair.domain], pair.source)):
            found = pairwise(images)
            sums = torch.stack([found.new_tensor(float(len(found))), found.sum(), found.square().sum()])
            getattr(self, f"sums_{domain}").add_(distributed.mean(sums))
        self.seen += 1


def pairwise(x: Tensor) -> Tensor:
    """Return the mean absolute differences of all pairs of samples (N, ...), (N (N - 1) / 2,)."""
    first, second = torch.triu_indices(len(x), len(x), 1, device=x.device)
    return (x[first] - x[second]).abs().flatten(1).mean(1)


class Cycle(Game):
    """Two domains, a translation into each, and back to where an image came from (Zhu et al. 2017, arXiv 1703.10593).

    B, what is made, are the data; A, what it is made of, is the further source `a`. Each domain has its D; one player
    updates both generators, of which each minimises its adversarial loss and, by their weights, that translating back
    gives the same image, that its own domain stays as it is, and other terms. D's loss is multiplied by
    `discriminator_weight`; it sees images of a pool.

    Args:
        components: what the game is made of.
        discriminator_weight: of each D's loss.
        adversarial_weight: of the generators' adversarial losses.
        cycle: the weight of the cycle's distance.
        distance: of the cycle: `l1`, `l2` or `charbonnier`.
        identity: the weight of the identity mapping; 0 where domains have other channels.
        pool: images in the pool of each D; 0 for none.
        features: the weight of the distance of mean features (DiscoGAN).
        preservation: the weight of the preservation of distances (DistanceGAN).
        both_ways: whether B is translated into A too; if not, there is one generator and no cycle.
        starting_share: of the generators' objective that the cycle has at first, the rest weighed by 1 minus it
            (DiscoGAN's rate); null for none, whatever the weights say.
        share: that share from `starting_steps` on.
        starting_steps: updates of the generators until then.
    """

    sampling_network = TO[B]
    generates_from = A

    def __init__(
        self,
        components: Components,
        discriminator_weight: float,
        adversarial_weight: float,
        cycle: float,
        distance: str,
        identity: float,
        pool: int,
        features: float,
        preservation: float,
        both_ways: bool,
        starting_share: float | None,
        share: float,
        starting_steps: int,
    ) -> None:
        weights = {"discriminator_weight": discriminator_weight, "adversarial_weight": adversarial_weight}
        of_terms = {"cycle": cycle, "identity": identity, "features": features, "preservation": preservation}
        require_not_negative(**weights, **of_terms)
        if cycle and not both_ways:
            raise ValueError(f"cycle={cycle}: with both_ways=false nothing is translated back; set cycle=0")
        require_not_negative(pool=pool)
        self.domains = (A, B) if both_ways else (B,)
        super().__init__(components)
        self.pool = pool
        self.identity = identity
        generator = self.player("generator")
        terms: dict[str, tuple[float, Term]] = {
            "cycle": (cycle, CycleConsistency(distance)),
            "identity": (identity, IdentityMapping()),
            "features": (features, MeanFeatures()),
            "preservation": (preservation, DistancePreservation()),
        }
        for name, (weight, term) in terms.items():
            if weight:
                scheduled = Scheduled(term, name == "cycle", starting_share, share, starting_steps)
                generator.add_term(name, scheduled if starting_share is not None else term, weight)
        for name in self.players:
            player = self.player(name)
            assert isinstance(player, WeighedPlayer)
            weight = adversarial_weight if name == "generator" else discriminator_weight
            rate = Rate(starting_share, share, starting_steps) if name == "generator" else None
            player.weight_at = partial(_weight_at, weight, rate)

    def make_players(self) -> list[Player]:
        """Return a judge for each domain that is translated into, and the generators as one player."""
        judges: list[Player] = [
            WeighedPlayer(name, (name,), "discriminator", {domain: "discriminator"})
            for domain, name in ((domain, f"discriminator_{domain}") for domain in self.domains)
        ]
        generators = tuple(TO[domain] for domain in reversed(self.domains))
        faced = dict.fromkeys(self.domains, "generator")
        return [*judges, WeighedPlayer("generator", generators, "generator", faced)]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the images of A."""
        images = batch.others[A].samples
        return self.latent(len(images))._replace(labels=None, given={A: images})

    def translate(self, x: Tensor, into: str) -> Tensor:
        """Return images translated into a domain."""
        return self.generate(Latent(x.new_zeros(len(x), 0), given={OTHER[into]: x}), TO[into])

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each domain before its judge."""
        images = {A: latent.given[A], B: batch.samples}
        found = {}
        for domain in self.domains:
            source = images[OTHER[domain]]
            pair = Translated(
                self.judge(f"discriminator_{domain}"),
                batch,
                latent,
                self.translate(source, domain),
                real=images[domain],
                source=source,
                domain=domain,
            )
            pair.real_labels = None
            found[domain] = pair
        return found

    def check(self) -> None:
        """See that there are two domains, and put the pools before their judges.

        Raises:
            ConfigError: there is no further source `a`, or something cannot be had of these domains.
        """
        name = type(self).__name__
        if A not in self.data.others:
            raise ConfigError(
                f"{name} makes samples of those of another source, `sources.{A}`, and there is none: choose "
                "data=unpaired or data=digit_domains"
            )
        a, b = self.data.others[A].sample, self.data.sample
        if self.identity and a[0] != b[0]:
            raise ConfigError(
                f"game.identity={self.identity} maps images of one domain as if they were the other's, and these have "
                f"{a[0]} and {b[0]} channels: set it to 0"
            )
        super().check()
        if not self.pool:
            return
        if self.accumulate > 1 or distributed.world() > 1:
            what = f"train.accumulate={self.accumulate}" if self.accumulate > 1 else "several processes"
            raise ConfigError(
                f"game.pool={self.pool} keeps images of whole batches, not of parts ({what}): set it to 0"
            )
        meeting = try_meeting(self)
        for domain in self.domains:
            player = self.player(f"discriminator_{domain}")
            pool = ImagePool(self.pool, {domain: tuple(meeting[domain].fake.shape[1:])})
            player.look_aheads.append(pool.look)
            player.after_step.append(pool)


class Rate:
    """A share that changes once, after so many updates."""

    def __init__(self, first: float | None, then: float, steps: int) -> None:
        require_probability(share=then, **({} if first is None else {"starting_share": first}))
        self.first, self.then, self.steps = first, then, steps

    def at(self, updates: int) -> float | None:
        """Return the share after so many updates; None where there is none."""
        if self.first is None:
            return None
        return self.first if updates < self.steps else self.then


def _weight_at(weight: float, rate: Rate | None, updates: int) -> float:
    share = None if rate is None else rate.at(updates)
    return weight if share is None else weight * (1 - share)


class Scheduled(Term):
    """A term by its share of its player's objective, or by what is left of it."""

    def __init__(self, of: Term, is_cycle: bool, first: float | None, then: float, steps: int) -> None:
        super().__init__()
        self.of = of
        self.is_cycle = is_cycle
        self._rate = Rate(first, then, steps)

    def attach(self, game: Game) -> None:
        """Take up the game."""
        super().attach(game)
        self.of.attach(game)

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the term, weighed."""
        share = self._rate.at(player.updates)
        assert share is not None
        found: Tensor = (share if self.is_cycle else 1 - share) * self.of(pair, player)
        return found

    def update_key(self, updates: int) -> Hashable:
        """Return the share, and what the term itself follows from."""
        return self._rate.at(updates), self.of.update_key(updates)

    def after_update(self, pair: Pair, player: Player) -> None:
        """Adapt what the term keeps."""
        self.of.after_update(pair, player)
