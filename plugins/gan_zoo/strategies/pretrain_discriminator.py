"""A discriminator that is trained before the game begins."""

from __future__ import annotations

from gan_framework.api import BeforeFirstStep, ConfigError, Game, NextBatch, Strategy
from gan_zoo.ranges import require_positive


class Pretraining(BeforeFirstStep):
    """The discriminator's players are updated alone, each time on a fresh real and a fresh generated batch.

    Args:
        steps: updates of each player on the discriminator's side.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def play(self, game: Game, next_batch: NextBatch) -> None:
        """Update the discriminator's players."""
        discriminators, _, _ = game.teams()
        for _ in range(self.steps):
            meeting = game.meet(next_batch(), graph=False)
            for player in discriminators:
                player.play(meeting.detached())


class PretrainDiscriminator(Strategy):
    """The discriminator takes n steps before the generator's first one.

    They belong to the first step, so `train.steps` counts steps of the game alone.

    Args:
        steps: of the discriminator before the first step.
    """

    applies_last = True

    def __init__(self, steps: int) -> None:
        require_positive(steps=steps)
        self.steps = steps

    def apply(self, game: Game) -> None:
        """Add the opening."""
        if not game.teams()[0]:
            raise ConfigError(
                f"pretrain_discriminator has no effect on {type(game).__name__}, where no player has a "
                "discriminator's loss"
            )
        game.openings.append(Pretraining(self.steps))
