"""What the strategies share that let the discriminator see a batch as a whole."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.api import ConfigError, Discriminator, Game
from gan_zoo.heads import ClassScores


class WithBatchStatistic(nn.Module):
    """A discriminator's last layer with a statistic of the batch concatenated to its input.

    A linear layer on a concatenation is the sum of two linear layers. So the last layer stays as it
    is, with its weights and whatever else wraps it, and a linear layer on the statistic is added.
    Real and generated samples are scored in batches of their own, so they are never mixed.

    Args:
        output: maps penultimate features (N, A) to logits (N, 1).
        statistic: maps penultimate features (N, A) to a statistic (N, size).
        size: of the statistic.
        strategy: the name of the strategy that asks for it.
    """

    def __init__(self, output: nn.Module, statistic: nn.Module, size: int, strategy: str) -> None:
        super().__init__()
        self.strategy = strategy
        self.output = output
        self.statistic = statistic
        self.on_statistic = nn.Linear(size, 1, bias=False)
        # Hardly any say at first: the samples of a fresh generator are all alike.
        nn.init.normal_(self.on_statistic.weight, std=1e-3)

    def forward(self, features: Tensor) -> Tensor:
        """Map penultimate features (N, A) to logits (N, 1), or maps (N, A, ...) to logits (N, 1, ...)."""
        logits: Tensor = self.output(features)
        said = self.on_statistic(self.statistic(features.flatten(1)))
        widened: Tensor = logits + said.view(len(said), *[1] * (logits.ndim - 1))
        return widened


def choose_critics(game: Game, networks: list[str] | None, strategy: str) -> list[str]:
    """Return the discriminators that a strategy is to change: those it names, or all that the game has.

    Raises:
        ConfigError: it names another network, or there is none.
    """
    critics = [name for name in game.critics if isinstance(game.network(name), Discriminator)]
    for name in critics if networks is None else networks:
        if name not in critics:
            raise ConfigError(
                f"strategy.{strategy}.networks: {name!r} is no discriminator of {type(game).__name__}; it has "
                f"{', '.join(critics) or 'none'}"
            )
    if not critics:
        raise ConfigError(f"{strategy} has no effect on {type(game).__name__}: it has no discriminator")
    return critics if networks is None else networks


def penultimate_size(game: Game, network: str) -> int:
    """Return the number A of a discriminator's flat penultimate features."""
    return game.probe(network).features[-1].flatten(1).shape[1]


def see_batch(discriminator: Discriminator, statistic: nn.Module, size: int, strategy: str) -> None:
    """Widen a discriminator's last layer by a statistic of the batch.

    Raises:
        ConfigError: the last layer scores all classes, which one number more would not tell apart.
    """
    if isinstance(discriminator.output, ClassScores):
        raise ConfigError(
            f"{strategy} adds to a sample's one score, and with {discriminator.output.loss} the discriminator scores "
            f"every class: leave out {strategy}"
        )
    discriminator.output = WithBatchStatistic(discriminator.output, statistic, size, strategy)
