"""What games share that make images of a source look like the data, of which nothing else is known."""

from __future__ import annotations

from collections.abc import Mapping

from gan_framework.api import SAMPLES, Batch, ConfigError, Game, Latent, Pair, Player
from gan_zoo.adapting import A, Asking
from gan_zoo.translating import WeighedPlayer


class MadeAlike(Asking):
    """The base of games whose generator makes images of the source `a` look like the data.

    Each sample is made of the image of the source and z, where there is a prior.
    """

    generates_from = A

    def latent_for(self, batch: Batch) -> Latent:
        """Return the source's images, each with a z where there is a prior."""
        of = batch.others[A]
        return self.latent(len(of.samples))._replace(labels=None, given={A: of.samples, **of.extra})

    def pair(self, batch: Batch, latent: Latent) -> Pair:
        """Return the data, and what is made of the source."""
        made = self.make(latent)
        found = Pair(self.judge("discriminator"), batch, latent, made[SAMPLES], made=made)
        found.real_labels = found.fake_labels = None
        return found

    def check(self) -> None:
        """See that there is a source.

        Raises:
            ConfigError: there is none.
        """
        if A not in self.data.others:
            raise ConfigError(
                f"{type(self).__name__} makes samples of those of another source, `sources.{A}`, and there is none: "
                "choose data=digit_domains, data=unpaired or data=gaze_like"
            )
        super().check()

    def make_players(self) -> list[Player]:
        """Return D and G."""
        return [
            WeighedPlayer("discriminator", ("discriminator",), "discriminator", "discriminator"),
            WeighedPlayer("generator", ("generator",), "generator", "generator"),
        ]


class Constant:
    """The same weight in all updates."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, updates: int) -> float:
        """Return it."""
        return self.weight


def weigh(game: Game, weights: Mapping[str, float]) -> None:
    """Multiply the adversarial losses of players by weights."""
    for name, weight in weights.items():
        player = game.player(name)
        assert isinstance(player, WeighedPlayer)
        player.weight_at = Constant(weight)
