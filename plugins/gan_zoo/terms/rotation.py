"""Discriminators that tell how images are turned."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import ConfigError, Discriminator, Game, Pair, Player, Term, try_meeting
from gan_zoo.batch_statistic import penultimate_size
from gan_zoo.heads import ReadsHeads, add_head
from gan_zoo.terms.reading import require_head, widened
from gan_zoo.terms.sides import name_of

TURNS = 4
TURNING = {"geometry", "mirror", "quarter_turn"}
"""Augmentations that turn or mirror images."""


class Rotation(Term, ReadsHeads):
    """-E log P(r | image turned by r quarters), which the discriminator's head `rotation` says (Chen et al. 2019).

    SSGAN, arXiv 1811.11212: the discriminator learns it on real images, and the generator makes images of which it can
    be told. The adversarial loss sees upright images alone. Images that look the same turned set a bound.

    Args:
        all_four: turn each image in all four ways, else a quarter of the batch in each.
        generator: what a generator's part is multiplied by, beside the weight.
    """

    def __init__(self, all_four: bool, generator: float) -> None:
        super().__init__()
        if not generator > 0:
            raise ValueError(f"generator={generator}: it must be positive; leave the generator out of `player`")
        self.all_four = all_four
        self.share = generator

    def give_heads(self, game: Game, network: str) -> None:
        """Give a discriminator the head `rotation`."""
        critic = cast(Discriminator, game.network(network))
        add_head(critic, "rotation", nn.Linear(penultimate_size(game, network), TURNS))

    def check(self, game: Game, player: Player) -> None:
        """See that images can be turned, and that the discriminator has the head and is trained on it.

        Raises:
            ConfigError: samples are no square images, are judged together with something else, or are turned already;
                the discriminator has no such head, or none that learns.
        """
        name, shape = name_of(self, player), game.data.sample
        if len(shape) != 3 or shape[1] != shape[2]:
            raise ConfigError(f"{name} turns square images, and samples are {shape}")
        if any(pair.real_given for pair in try_meeting(game).values()):
            raise ConfigError(f"{name} turns samples alone, and {type(game).__name__} judges them together with others")
        turning = [t for t in game.transforms if TURNING & {*getattr(t, "names", ())}]
        if turning:
            raise ConfigError(
                f"{name} asks how images are turned, and an augmentation turns or mirrors them: leave "
                "geometry, mirror and quarter_turn out of the policy of diff_augment or ada"
            )
        require_head(self, game, player, "rotation")

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return the cross entropy in nats, of real images for a discriminator, of generated ones for a generator."""
        real = player.team == "discriminator"
        images, labels = (pair.real, pair.real_labels) if real else (pair.fake, pair.fake_labels)
        turned, which, turns = turn(images, self.all_four)
        said = pair.judge(turned, None if labels is None else labels[which])
        loss = F.cross_entropy(widened(said.heads["rotation"]), turns)
        return loss if real else self.share * loss


def turn(images: Tensor, all_four: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return turned images (M, C, H, H), the places (M,) of the images that they were, and their quarter turns (M,).

    Args:
        images: (N, C, H, H).
        all_four: turn each in all four ways, M = 4N; else the first quarter by none, the second by one, M = N.
    """
    n = len(images)
    places = torch.arange(n, device=images.device)
    if all_four:
        turned = torch.cat([images.rot90(quarters, (2, 3)) for quarters in range(TURNS)])
        return turned, places.repeat(TURNS), torch.arange(TURNS, device=images.device).repeat_interleave(n)
    bounds = [-(-quarters * n // TURNS) for quarters in range(TURNS + 1)]
    parts = [images[start:end].rot90(quarters, (2, 3)) for quarters, (start, end) in enumerate(pairwise(bounds))]
    return torch.cat(parts), places, places * TURNS // n
