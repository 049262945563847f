"""Augmentation of what discriminators see."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from gan_framework.api import (
    ConfigError,
    Game,
    Pair,
    Player,
    Strategy,
    Term,
    TermPlan,
    distributed,
    try_meeting,
)
from gan_zoo.augmenting import AUGMENTATIONS, check_names
from gan_zoo.ranges import require_above_zero, require_positive, require_probability
from gan_zoo.warping import PIPELINES

MOVING = ("translation", "mirror", "quarter_turn", "geometry")
"""Augmentations after which what was at a place is at another."""


class Augment(nn.Module):
    """Augments images (N, C, H, W), each in its own way.

    Attributes:
        names: of the augmentations.

    Args:
        names: of the augmentations, in their order.
        p: the probability of each for an image, or of each part of a pipeline, a buffer.
    """

    p: Tensor

    def __init__(self, names: Sequence[str], p: float) -> None:
        super().__init__()
        self.names = [*names]
        self.register_buffer("p", torch.tensor(p))
        self.always = p == 1

    def forward(self, x: Tensor) -> Tensor:
        """Return the images augmented."""
        for name in self.names:
            if name in PIPELINES:
                x = PIPELINES[name](x, self.p)
                continue
            changed = AUGMENTATIONS[name](x)
            if not self.always:
                chosen = torch.rand(len(x), 1, 1, 1, device=x.device) < self.p
                changed = torch.where(chosen, changed, x)
            x = changed
        return x


def augment(game: Game, strategy: str, names: Sequence[str], p: float) -> Augment:
    """Put an augmentation between samples and every discriminator in training.

    Raises:
        ConfigError: another strategy augments already, the game has no discriminator, samples are no images (square
            ones for quarter turns, of one or three channels for colours), or they would be moved away from the places
            of images beside which they are judged.
    """
    game.claim("augmentation of what discriminators see", strategy)
    shape = game.data.sample
    if not game.teams()[0]:
        raise ConfigError(f"{strategy} has no effect on {type(game).__name__}, which updates no discriminator")
    if len(shape) != 3:
        raise ConfigError(f"{strategy} augments images (C, H, W), and samples are {shape}")
    if "quarter_turn" in names and shape[1] != shape[2]:
        raise ConfigError(f"{strategy}: quarter_turn needs square images, and they are {shape[1]} x {shape[2]}")
    coloured = next((name for name in names if "colours" in name), None)
    if coloured and shape[0] not in (1, 3):
        raise ConfigError(f"{strategy}: {coloured} needs images of one or three channels, and they have {shape[0]}")
    moving = [name for name in names if name in MOVING]
    if moving and any(_is_of_places(one, shape) for pair in try_meeting(game).values() for one in pair.real_given):
        raise ConfigError(
            f"{strategy}: {moving[0]} moves samples, and not the images beside which {type(game).__name__} has them "
            f"judged: leave {', '.join(moving)} out of strategy.{strategy}.policy"
        )
    transform = Augment(names, p)
    game.transforms.append(transform)
    return transform


def _is_of_places(given: Tensor, sample: tuple[int, ...]) -> bool:
    return given.ndim == len(sample) + 1 and given.shape[2:] == sample[1:]


class DiffAugment(Strategy):
    """D sees real and generated images augmented alike, and G learns through it (Zhao et al. 2020, arXiv 2006.10738).

    For small data sets: D cannot learn the images by heart.

    Args:
        policy: `color`, `translation`, `cutout`, `mirror` and `quarter_turn`, in the order in which they are applied;
            also `geometry`, `colours` and `half_colours`, which are ADA's.
        p: the probability of each, for an image.
    """

    def __init__(self, policy: list[str], p: float = 1.0) -> None:
        check_names("policy", policy, pipelines=True)
        require_probability(p=p)
        self.policy = policy
        self.p = p

    def apply(self, game: Game) -> None:
        """Put the augmentation before the discriminators."""
        augment(game, "diff_augment", self.policy, self.p)


class Adapted(Protocol):
    """Has a probability that follows overfitting."""

    p: Tensor


def of_first_pair(game: Game, player: Player) -> TermPlan:
    """Return the plan of a term that is computed for the first pair alone that a player faces."""
    named = player.objective if isinstance(player.objective, Mapping) else try_meeting(game)
    return TermPlan(pairs=(next(iter(named)),))


def check_rule(target: float, every: int, images: float) -> None:
    """Raise ValueError if `Overfitting` cannot follow these settings."""
    if not -1 < target < 1:
        raise ValueError(f"target={target}: it must lie between -1 and 1")
    require_positive(every=every)
    require_above_zero(images=images)


class Overfitting(Term):
    """Adds nothing; every few updates moves p by what E sign D(x) says of overfitting (Karras et al. 2020, section 3).

    p stays within [0, 1]; in the authors' program it may rise above 1, and takes longer to come back then.

    Args:
        augment: what has the p.
        target: the E sign D(x) that is aimed at.
        every: updates between two moves.
        images: real images in which p can go from 0 to 1.
    """

    signs: Tensor
    seen: Tensor

    def __init__(self, augment: Adapted, target: float, every: int, images: float) -> None:
        super().__init__()
        # Kept in a tuple: it belongs to the game, and must not be registered twice.
        self._augment = (augment,)
        self.target = target
        self.every = every
        self.images = images
        self.register_buffer("signs", torch.tensor(0.0))
        self.register_buffer("seen", torch.tensor(0.0))

    def forward(self, pair: Pair, player: Player) -> Tensor:
        """Return 0."""
        return pair.fake.new_zeros(())

    def after_update(self, pair: Pair, player: Player) -> None:
        """Count the signs of D(x), and move p when it is time."""
        self.signs.add_(distributed.mean(pair.real_output.logits.detach().sign().mean()))
        self.seen.add_(len(pair.real) * distributed.world() * self.game.accumulate)  # the pair is one part of a batch
        # `updates` has counted this one already.
        if player.updates % self.every == 0:
            (augment,) = self._augment
            augment.p.add_((self.signs / self.every - self.target).sign() * self.seen / self.images).clamp_(0, 1)
            self.signs.zero_()
            self.seen.zero_()

    def update_key(self, updates: int) -> Hashable:
        """Return whether p is moved."""
        return (updates + 1) % self.every == 0

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the probability."""
        return {"p": self._augment[0].p}


class ADA(Strategy):
    """Images are augmented with a probability that follows D's overfitting (Karras et al. 2020, arXiv 2006.06676).

    Its probability begins at 0. The paper's augmentations of small images are `[geometry, colours]`.

    Args:
        policy: as that of `diff_augment`.
        target: the mean sign of D(x) that is aimed at.
        every: updates of the discriminator between two moves of the probability.
        images: real images in which the probability can go from 0 to 1.
    """

    applies_last = True

    def __init__(self, policy: list[str], target: float, every: int, images: float) -> None:
        check_names("policy", policy, pipelines=True)
        check_rule(target, every, images)
        self.policy = policy
        self.target = target
        self.every = every
        self.images = images

    def apply(self, game: Game) -> None:
        """Put the augmentation before the discriminators, and let it follow the first one's that sees real samples."""
        transform = augment(game, "ada", self.policy, 0.0)
        player = next(player for player in game.teams()[0] if player.objective != "discriminator_fake")
        term = Overfitting(transform, self.target, self.every, self.images)
        player.add_term("ada", term, plan=of_first_pair(game, player))
