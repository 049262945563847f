"""A generator that looks ahead at how the discriminator will answer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan_framework.errors import ConfigError
from gan_framework.game import Game
from gan_framework.player import Player
from gan_framework.round import Round
from gan_framework.strategy import Strategy
from gan_framework.types import DiscriminatorOutput


class LookAhead(Round):
    """A round in which the discriminator has other parameters, computed in float32 whatever the run's precision.

    Nothing the discriminator does here changes the real one: its buffers are copies.

    Args:
        round: the round to look ahead in.
        parameters: by name, in the place of the discriminator's own.
        buffers: by name, in the place of the discriminator's own.
    """

    def __init__(self, round: Round, parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> None:
        super().__init__(round.game, round.batch, round.latent, round.fake)
        self.parameters = parameters
        self.buffers = buffers

    def discriminate(self, x: Tensor, labels: Tensor | None, full_precision: bool = False) -> DiscriminatorOutput:
        """Score any samples with the discriminator of this round."""
        state = self.parameters | self.buffers
        output: DiscriminatorOutput = functional_call(self.game.discriminator, state, (x.to(self.real.dtype), labels))
        return output

    def after_step(self, players: list[Player], lr: float) -> LookAhead:
        """Return the round after one gradient step of the discriminator's players, differentiable throughout."""
        loss = torch.stack([loss for player in players for loss in player.evaluate(self).values()]).sum()
        gradients = torch.autograd.grad(loss, list(self.parameters.values()), create_graph=True, allow_unused=True)
        moved = {
            name: parameter if gradient is None else parameter - lr * gradient
            for (name, parameter), gradient in zip(self.parameters.items(), gradients, strict=True)
        }
        return LookAhead(self, moved, self.buffers)


class View:
    """Shows a player each round as it is after some steps of the discriminator's players.

    Args:
        game: the game.
        steps: how many.
        lr: their learning rate.
    """

    differentiates_twice = True

    def __init__(self, game: Game, steps: int, lr: float) -> None:
        self.game = game
        self.steps = steps
        self.lr = lr

    def __call__(self, round: Round) -> Round:
        """Return the round after the steps."""
        if self.steps == 0:
            return round
        players, _, _ = self.game.sides()
        discriminator: nn.Module = self.game.discriminator
        moved = {id(parameter) for player in players for parameter in player.moved}
        ahead = LookAhead(
            round,
            # Copies without history: gradients of the steps are taken with respect to them.
            {n: p.detach().requires_grad_() for n, p in discriminator.named_parameters() if id(p) in moved},
            {name: buffer.clone() for name, buffer in discriminator.named_buffers()},
        )
        for _ in range(self.steps):
            ahead = ahead.after_step(players, self.lr)
        return ahead


class Unrolled(Strategy):
    """G minimises its loss against D as it will be K steps later (Metz et al. 2016, arXiv 1611.02163, section 2).

    The gradient flows through the K steps (equation 9, both terms). They are plain gradient steps on
    the discriminator's loss and the terms on what it puts out, on the samples of the generator's
    move; a term on the parameters themselves, as historical averaging's, has no part in them. The
    discriminator itself moves as it would without unrolling, and K = 0 is plain training.

    Args:
        k: the number K of steps.
        lr: their learning rate.
    """

    def __init__(self, k: int, lr: float) -> None:
        if k < 0:
            raise ValueError(f"k={k}: it must be at least 0")
        if not lr > 0:
            raise ValueError(f"lr={lr}: it must be positive")
        self.k = k
        self.lr = lr

    def apply(self, game: Game) -> None:
        """Let the generator look ahead."""
        if not game.sides()[0]:
            raise ConfigError(
                f"unrolled has no effect on {type(game).__name__}, where no player has a discriminator's loss"
            )
        game.claim("view of the generator", "unrolled")
        game.player("generator").view = View(game, self.k, self.lr)
