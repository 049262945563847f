"""Images of images, learnt from pairs."""

from __future__ import annotations

from functools import partial

from gan_framework.api import SAMPLES, Batch, Components, ConfigError, Game, Latent, Pair, Player, TermPlan, nobody
from gan_zoo.ranges import require_not_negative
from gan_zoo.translating import (
    SOURCE,
    LayerDistance,
    PixelDistance,
    TotalVariation,
    WeighedPlayer,
    constant,
    known_distance,
)


class Translation(Game):
    """G makes the sample of its source; D judges both beside the source (Isola et al. 2017, arXiv 1611.07004).

    D minimises `discriminator_weight` times its part of the loss; G minimises, section 3.1 and 3.3,

        adversarial_weight · L_G + distance_weight · |x - G(s)| + features_weight · Σ |dⱼ(x) - dⱼ(G(s))| + TV

    of which what has the weight 0 is left out. With a `margin` D also minimises max(0, margin - Σ λⱼ |dⱼ(x) -
    dⱼ(G(s))|), as PAN's does (Wang et al. 2017, arXiv 1706.09138, equations 3 to 5). What a generator is given is all
    that belongs to a sample: the extra `source`, and whatever else there is (a mask).

    Args:
        components: what the game is made of.
        beside: whether D judges images beside their source, or alone.
        discriminator_weight: of D's loss.
        adversarial_weight: of G's adversarial loss; 0 for regression alone, of which D takes no notice.
        distance: `l1`, `l2` or `charbonnier`.
        distance_weight: of the distance of samples from what they should be.
        distance_in: an extra, a mask, in which alone the distance counts; null for everywhere.
        features_weight: of the distance in D's layers.
        layers: λ of each of D's layers, first layer first; null for the mean over all.
        margin: up to which D tells the layers apart; null where it does not care.
        total_variation: the weight of the mean difference of neighbouring pixels.
    """

    generates_from = SOURCE

    def __init__(
        self,
        components: Components,
        beside: bool,
        discriminator_weight: float,
        adversarial_weight: float,
        distance: str,
        distance_weight: float,
        distance_in: str | None = None,
        features_weight: float = 0.0,
        layers: list[float] | None = None,
        margin: float | None = None,
        total_variation: float = 0.0,
    ) -> None:
        require_not_negative(
            discriminator_weight=discriminator_weight,
            adversarial_weight=adversarial_weight,
            distance_weight=distance_weight,
            features_weight=features_weight,
            total_variation=total_variation,
        )
        known_distance(distance)
        if margin is not None and not features_weight:
            raise ValueError(f"margin={margin} has no effect with features_weight=0: set it to null")
        if layers is not None and (not layers or min(layers) < 0):
            raise ValueError(f"layers={layers}: a weight of at least 0 for each of D's layers, or null")
        self.adversarial = adversarial_weight > 0
        super().__init__(components)
        self.beside = beside
        self.inside = distance_in
        self._of_layers = layers is not None or features_weight > 0
        generator = self.player("generator")
        if distance_weight:
            generator.add_term("distance", PixelDistance(distance, distance_in), distance_weight)
        if features_weight:
            generator.add_term("features", LayerDistance(layers), features_weight)
        if total_variation:
            generator.add_term("total_variation", TotalVariation(), total_variation)
        if margin is not None:
            self.player("discriminator").add_term(
                "margin", LayerDistance(layers, margin), plan=TermPlan(discriminator_weight)
            )
        weights = {"discriminator": discriminator_weight, "generator": adversarial_weight}
        for name in self.players:
            player, weight = self.player(name), weights[name]
            assert isinstance(player, WeighedPlayer)
            player.weight_at = partial(constant, weight)

    def make_players(self) -> list[Player]:
        """Return D and G; G without an adversarial loss where that has no weight, and no D where there is none."""
        judged = "discriminator" in self.networks
        objective = "generator" if self.adversarial and judged else None
        generator = WeighedPlayer("generator", ("generator",), team="generator", objective=objective)
        if not judged:
            return [generator]
        return [WeighedPlayer("discriminator", ("discriminator",), "discriminator", "discriminator"), generator]

    def latent_for(self, batch: Batch) -> Latent:
        """Return the sources, and whatever else belongs to the samples, with a z each where there is a prior."""
        return super().latent_for(batch)._replace(given=dict(batch.extra))

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the samples and what G makes of their sources, each beside its source if D is to see it."""
        made = self.make(latent)
        given = (latent.given[SOURCE],) if self.beside else ()
        judge = self.judge("discriminator") if "discriminator" in self.networks else nobody
        return Pair(judge, batch, latent, made[SAMPLES], real_given=given, fake_given=given, made=made)

    def check(self) -> None:
        """See that samples have sources, and D what is compared.

        Raises:
            ConfigError: they have not.
        """
        name = type(self).__name__
        for extra in (SOURCE, *((self.inside,) if self.inside else ())):
            if extra not in self.data.extra:
                found = ", ".join(self.data.extra) or "nothing"
                raise ConfigError(
                    f"{name} makes samples of their {extra!r}, and with those of these data comes {found}: choose "
                    "data=paired, data=degraded or data=digit_pairs"
                )
        super().check()
        if "discriminator" not in self.networks:
            if self.adversarial or self._of_layers:
                raise ConfigError(
                    "game.adversarial_weight and game.features_weight need networks.discriminator, and there is none: "
                    "set both to 0 for regression alone"
                )
        elif self._of_layers and not self.probe().features:
            kind = type(self.network("discriminator")).__name__
            raise ConfigError(f"game.features_weight compares D's layers, and {kind} reports none: set it to 0")
