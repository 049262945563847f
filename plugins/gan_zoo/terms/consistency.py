"""Consistency: D says the same of a sample and of its augmentation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan_framework.api import ConfigError, DiscriminatorOutput, Game, Pair, Player, Term, try_meeting
from gan_zoo.augmenting import AUGMENTATIONS, check_names
from gan_zoo.terms.sides import name_of, trained_judges

ALWAYS = ("mirror", "quarter_turn")
"""Augmentations that change every image, and are applied to every second one."""


class Consistency(Term):
    """real · E (D(x) - D(T(x)))² + fake · E (D(G(z)) - D(T(G(z))))², T an augmentation (CR-GAN, bCR).

    Zhang et al. 2020, arXiv 1910.12027, equation 2, has the first summand, Zhao et al. 2020, arXiv 2002.04724,
    section 3.1, both. T(x) itself has no part in the adversarial loss; the gradient flows through both scores.

    Args:
        policy: `color`, `translation`, `cutout`, `mirror` and `quarter_turn`, in the order in which they are applied.
        real: of the first summand.
        fake: of the second.
    """

    def __init__(self, policy: list[str], real: float, fake: float) -> None:
        super().__init__()
        check_names("policy", policy)
        if real < 0 or fake < 0 or real + fake == 0:
            raise ValueError(f"real={real}, fake={fake}: both must be at least 0, and one above it")
        self.policy = policy
        self.factors = {side: factor for side, factor in (("real", real), ("fake", fake)) if factor}

    def check(self, game: Game, player: Player) -> None:
        """See that the term reaches a discriminator of images.

        Raises:
            ConfigError: the player does not update one that judges what it faces, samples are no images (square ones
                for quarter turns), or they belong to something that is not augmented with them.
        """
        trained_judges(self, game, player)
        name, shape = name_of(self, player), game.data.sample
        if len(shape) != 3:
            raise ConfigError(f"{name} augments images (C, H, W), and samples are {shape}")
        if "quarter_turn" in self.policy and shape[1] != shape[2]:
            raise ConfigError(f"{name}: quarter_turn needs square images, and they are {shape[1]} x {shape[2]}")
        if any(pair.real_given or pair.fake_given for pair in try_meeting(game).values()):
            raise ConfigError(f"{name} augments samples, and {type(game).__name__} has judges of more than these")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the weighted sum of both sides' mean squared differences."""
        said = dict(zip(("real", "fake"), pair.outputs, strict=True)) if len(self.factors) == 2 else self._of(pair)
        total = pair.real.new_zeros(())
        for side, factor in self.factors.items():
            x, labels = getattr(pair, side), getattr(pair, f"{side}_labels")
            augmented = pair.judge(_augmented(x, self.policy), labels)
            total = total + factor * (said[side].scores - augmented.scores).square().mean()
        return total

    def _of(self, pair: Pair) -> dict[str, DiscriminatorOutput]:
        return {side: getattr(pair, f"{side}_output") for side in self.factors}


def _augmented(x: Tensor, policy: Sequence[str]) -> Tensor:
    for name in policy:
        changed = AUGMENTATIONS[name](x)
        if name in ALWAYS:
            changed = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, changed, x)
        x = changed
    return x
