"""Separate optimizers for the two halves of the discriminator's loss."""

from __future__ import annotations

from gan_framework.api import ConfigError, Game, Player, SeparableLoss, Strategy


class SplitDiscriminator(Strategy):
    """The discriminator is updated on the real batch and on the generated one apart, each with its own optimizer.

    Both halves update the same network; the player `discriminator_real` comes first. Their optimizers
    take the settings of `optimizer.discriminator`, unless `optimizer.discriminator_real` or
    `optimizer.discriminator_fake` are given.
    """

    def apply(self, game: Game) -> None:
        """Put the two halves in the discriminator's place."""
        split(game, "split_discriminator")


def split(game: Game, strategy: str) -> None:
    """Put the players `discriminator_real` and `discriminator_fake` in the place of `discriminator`.

    What follows the discriminator's updates follows those of both, unless it says by `once` that it counts updates of
    the whole: then it follows the first's.

    Args:
        game: the game to edit.
        strategy: the name of the strategy that asks for it.

    Raises:
        ConfigError: the loss or a term of the discriminator cannot be divided.
    """
    game.claim("optimizers of the discriminator", strategy)
    whole = game.player("discriminator")
    if not isinstance(game.loss, SeparableLoss):
        raise ConfigError(
            f"{strategy} updates the discriminator on the real and the generated half of its loss apart, but the loss "
            f"{type(game.loss).__name__} is no sum of two such halves"
        )
    if whole.terms:
        raise ConfigError(
            f"{strategy} divides the discriminator's loss into a real and a generated half, and the term "
            f"{' and '.join(whole.terms)} belongs to neither: leave out one of them"
        )
    names = ("discriminator_real", "discriminator_fake")
    halves = [Player(name, whole.networks, whole.team, objective=name) for name in names]
    halves[0].after_step.extend(whole.after_step)
    halves[1].after_step.extend(one for one in whole.after_step if not getattr(one, "once", False))
    game.replace_player("discriminator", halves, strategy)
