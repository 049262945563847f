"""What games that make images of images share: what generators are given, distances, and weighed objectives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

import torch
from torch import Tensor

from gan_framework.api import Pair, Player, Term

SOURCE = "source"
"""The extra that holds the image that another is made of."""


def image_in(given: Mapping[str, Tensor]) -> Tensor:
    """Return the image among what a generator is given: the `source`, or the only one.

    Raises:
        ValueError: nothing is given.
    """
    if not given:
        raise ValueError("the generator makes images of images, and is given none: choose a game that gives them")
    return given[SOURCE] if SOURCE in given else next(iter(given.values()))


DISTANCES: dict[str, Callable[[Tensor], Tensor]] = {
    "l1": torch.abs,
    "l2": torch.square,
    "charbonnier": lambda difference: (difference.square() + 1e-6).sqrt(),
}
"""Of a difference, each entry's share of the distance: |d|, d² or √(d² + 10⁻⁶) (Charbonnier et al. 1994)."""


def known_distance(name: str, setting: str = "distance") -> Callable[[Tensor], Tensor]:
    """Return a distance by its name.

    Raises:
        ValueError: there is none.
    """
    if name not in DISTANCES:
        raise ValueError(f"{setting}={name!r}: choose one of {', '.join(DISTANCES)}")
    return DISTANCES[name]


class WeighedPlayer(Player):
    """A player whose adversarial loss is multiplied by a weight, which may follow from its updates.

    Attributes:
        weight_at: returns the weight after so many updates.
    """

    weight_at: Callable[[int], float] = staticmethod(lambda updates: 1.0)

    def adversarial(self, faced: Mapping[str, Pair]) -> dict[str, Tensor]:
        """Return its parts of the adversarial loss, weighed; nothing where the weight is 0."""
        weight = self.weight_at(self.updates)
        return {name: weight * loss for name, loss in super().adversarial(faced).items()}

    def update_key(self, updates: int) -> Hashable:
        """Return the weight."""
        return self.weight_at(updates)


def constant(weight: float, updates: int) -> float:
    """Return a weight that does not follow from updates, for `WeighedPlayer.weight_at`."""
    return weight


class PixelDistance(Term):
    """The distance of samples from what they should be, a mean over entries.

    Args:
        distance: see `DISTANCES`.
        inside: the extra outside which nothing counts (a mask, 1 inside); None for all.
    """

    def __init__(self, distance: str, inside: str | None = None) -> None:
        super().__init__()
        self._distance = known_distance(distance)
        self.inside = inside

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        entries = self._distance(pair.fake.float() - pair.real)
        if self.inside is None:
            return entries.mean()
        mask = pair.batch.extra[self.inside].expand_as(entries)
        return (entries * mask).sum() / mask.sum().clamp(min=1)


class LayerDistance(Term):
    """Σ λⱼ |dⱼ(x) - dⱼ(g)|₁ over the judge's layers d, means over entries: samples are to look the same to it.

    For a player on the discriminator's side it is max(0, margin - Σ): the judge tells them apart up to a margin.

    Args:
        weights: λ of each layer; None for 1 divided by their number.
        margin: see above; needed where the discriminator is given the term.
    """

    def __init__(self, weights: list[float] | None, margin: float | None = None) -> None:
        super().__init__()
        self.weights = weights
        self.margin = margin

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's samples."""
        total = self.distance(pair, player.team != "discriminator")
        if player.team != "discriminator":
            return total
        assert self.margin is not None
        return (self.margin - total).clamp(min=0)

    def distance(self, pair: Pair, real_is_fixed: bool) -> Tensor:
        """Return Σ λⱼ |dⱼ(x) - dⱼ(g)|₁; a generator's gradient need not reach what is said of real samples."""
        real, fake = pair.real_output.features, pair.fake_output.features
        weights = self.weights or [1 / len(real)] * len(real)
        terms = [
            weight * ((x.detach() if real_is_fixed else x) - g).abs().mean()
            for weight, x, g in zip(weights, real, fake, strict=False)
        ]
        return torch.stack(terms).sum()


class TotalVariation(Term):
    """The mean absolute difference of neighbouring pixels, down and across."""

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return it for the pair's generated samples."""
        return total_variation(pair.fake.float())


def total_variation(x: Tensor) -> Tensor:
    """Return the sum of the mean absolute differences of neighbours of images (N, C, H, W), down and across."""
    return (x[:, :, 1:] - x[:, :, :-1]).abs().mean() + (x[..., 1:] - x[..., :-1]).abs().mean()
