"""CycleGAN (Zhu et al. 2017, arXiv 1703.10593): two domains without pairs, translated there and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gan_framework.api import SAMPLES, Batch, Game, Latent, Pair, Player, Term


class Translated(Pair):
    """The samples of a domain, and those of the other one translated into it.

    Args:
        source: what was translated.
        into: the generator that translates into the domain.
        back: the generator that translates out of it.
    """

    def __init__(self, *arguments: Any, source: Tensor, into: str, back: str, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.source, self.into, self.back = source, into, back


class CycleGAN(Game):
    """A is the data, B the further source `b`; samples are those of A translated into B."""

    sampling_network = "generator_ab"
    generates_from = SAMPLES

    def make_players(self) -> list[Player]:
        """Return a judge for each domain, and both generators as one player."""
        names = {f"discriminator_{domain}": {domain: "discriminator"} for domain in "ab"}
        judges = [Player(name, (name,), "discriminator", faced) for name, faced in names.items()]
        both = ("generator_ab", "generator_ba")
        return [*judges, Player("generator", both, "generator", dict.fromkeys("ab", "generator"))]

    def translate(self, x: Tensor, network: str) -> Tensor:
        """Return samples translated by a generator."""
        return self.generate(Latent(x.new_zeros(len(x), 0), given={SAMPLES: x}), network)

    def pairs(self, batch: Batch, latent: Latent) -> Mapping[str, Pair]:
        """Return each domain before its judge."""
        a, b = batch.samples, batch.others["b"].samples

        def pair(domain: str, real: Tensor, source: Tensor, into: str, back: str) -> Pair:
            judge, made = self.judge(f"discriminator_{domain}"), self.translate(source, into)
            return Translated(judge, batch, latent, made, real=real, source=source, into=into, back=back)

        return {
            "a": pair("a", a, b, "generator_ba", "generator_ab"),
            "b": pair("b", b, a, "generator_ab", "generator_ba"),
        }


class CycleConsistency(Term):
    """‖F(G(x)) - x‖₁, a mean over entries (equation 2)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of what was translated from itself translated there and back."""
        return (self.game.translate(pair.fake, pair.back) - pair.source).abs().mean()


class Identity(Term):
    """‖G(y) - y‖₁ for samples y that are in G's domain already, a mean over entries (section 5.2)."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the distance of the domain's samples from themselves translated into it."""
        return (self.game.translate(pair.real, pair.into) - pair.real).abs().mean()
