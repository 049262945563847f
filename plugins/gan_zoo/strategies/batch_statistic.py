"""What the strategies share that let the discriminator see a batch as a whole."""

from __future__ import annotations

from torch import Tensor, nn

from gan_framework.core.game import Game


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
        """Map penultimate features (N, A) to logits (N, 1)."""
        logits: Tensor = self.output(features) + self.on_statistic(self.statistic(features))
        return logits


def penultimate_size(game: Game) -> int:
    """Return the number A of the discriminator's flat penultimate features."""
    return game.probe().features[-1].flatten(1).shape[1]
