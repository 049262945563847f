"""Adaptive pseudo augmentation: some of what the discriminator takes for real is generated."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gan_framework.api import ConfigError, Game, Meeting, Pair, Player, Strategy, try_meeting
from gan_zoo.strategies.augmentation import Overfitting, check_rule, of_first_pair


class Share(nn.Module):
    """The probability p with which a real sample is replaced, a buffer."""

    p: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("p", torch.tensor(0.0))


class Deception(Overfitting):
    """Adds nothing; keeps p, and moves it by how sure D is of what it takes for real (Jiang et al. 2021, section 3.2).

    Args:
        target: the E sign D(x) that is aimed at.
        every: updates between two moves.
        images: real samples in which p can go from 0 to 1.
    """

    def __init__(self, target: float, every: int, images: float) -> None:
        share = Share()
        super().__init__(share, target, every, images)
        self.share = share

    def figures(self) -> Mapping[str, Tensor | float]:
        """Return the probability."""
        return {"p": self.share.p}


class Deceive:
    """Puts generated samples of the batch, without a gradient, in the place of a share of the real ones.

    The meeting is changed in place, so that what is reported and what adapts sees what the discriminator saw.

    Args:
        share: has the probability.
    """

    def __init__(self, share: Share) -> None:
        self.share = share

    def __call__(self, meeting: Meeting) -> Meeting:
        """Return the meeting with some of its real samples replaced."""
        for name, pair in meeting.items():
            meeting[name] = self._deceived(pair)
        return meeting

    def _deceived(self, pair: Pair) -> Pair:
        replaced = torch.rand(len(pair.real), device=pair.real.device) < self.share.p
        deceived = pair.judged_by(pair.judge)
        deceived.real = _mixed(replaced, pair.fake, pair.real)
        deceived.real_given = tuple(
            _mixed(replaced, made, real) for made, real in zip(pair.fake_given, pair.real_given, strict=True)
        )
        return deceived


def _mixed(replaced: Tensor, made: Tensor, real: Tensor) -> Tensor:
    return torch.where(replaced.view(-1, *[1] * (real.ndim - 1)), made.detach().to(real.dtype), real)


class APA(Strategy):
    """With probability p, D is given a generated sample for a real one (Jiang et al. 2021, arXiv 2111.06849).

    For small data sets: p follows D's overfitting as that of `ada`. The authors' program takes the samples of G's last
    update; here they are those that D is shown as generated in the same update, each in the place of its label's.

    Args:
        target: the mean sign of D's answer on what it takes for real that is aimed at.
        every: updates of the discriminator between two moves of the probability.
        images: real samples in which the probability can go from 0 to 1.
    """

    applies_last = True

    def __init__(self, target: float, every: int, images: float) -> None:
        check_rule(target, every, images)
        self.target = target
        self.every = every
        self.images = images

    def apply(self, game: Game) -> None:
        """Deceive all discriminators that see real samples; the first one's overfitting sets the probability."""
        deceived = [player for player in game.teams()[0] if player.objective != "discriminator_fake"]
        if not deceived:
            raise ConfigError(f"apa has no effect on {type(game).__name__}, which updates no discriminator")
        _check_pairs(game, deceived)
        term = Deception(self.target, self.every, self.images)
        deceived[0].add_term("apa", term, plan=of_first_pair(game, deceived[0]))
        for player in deceived:
            player.look_aheads.append(Deceive(term.share))


def _check_pairs(game: Game, players: list[Player]) -> None:
    meeting = try_meeting(game)
    for name in dict.fromkeys(name for player in players for name in player.pairs(meeting)):
        pair = meeting[name]
        alike = [(pair.real, pair.fake), *zip(pair.real_given, pair.fake_given, strict=True)]
        if any(real.shape != fake.shape for real, fake in alike):
            raise ConfigError(
                f"apa replaces real samples, and generated ones of {type(game).__name__} are not like them"
            )
        labels = (pair.real_labels, pair.fake_labels)
        told = [label for label in labels if label is not None]
        if len(told) == 1 or (told and not torch.equal(*told)):
            raise ConfigError(f"apa replaces real samples, and {type(game).__name__} gives generated ones other labels")
