"""A generator that looks ahead at how the discriminator will answer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gan_framework.core.contracts.strategy import Strategy
from gan_framework.core.game import Game
from gan_framework.core.pair import Round
from gan_framework.core.player import Player
from gan_framework.core.records import DiscriminatorOutput
from gan_framework.errors import ConfigError
from gan_zoo.look_ahead import GradientSteps, Steps, steps_of


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
        with torch.autocast(x.device.type, enabled=False):
            output: DiscriminatorOutput = functional_call(
                self.game.discriminator, state, (x.to(self.real.dtype), labels)
            )
        return output

    def after_step(self, moves: list[tuple[Player, Steps, list[str]]]) -> LookAhead:
        """Return the round after one step of the discriminator's players, differentiable throughout.

        Args:
            moves: the players with the steps they take, and the names of the parameters that they move.
        """
        moved = dict(self.parameters)
        for player, steps, names in moves:
            loss = torch.stack(list(player.evaluate(self).values())).sum()
            own = [self.parameters[name] for name in names]
            gradients = torch.autograd.grad(loss, own, create_graph=True, allow_unused=True)
            found = {name: gradient for name, gradient in zip(names, gradients, strict=True) if gradient is not None}
            for name, update in steps(found).items():
                moved[name] = moved[name] + update
        return LookAhead(self, moved, self.buffers)


class View:
    """Shows a player each round as it is after some steps of the discriminator's players.

    Args:
        game: the game.
        steps: how many.
        lr: the learning rate of gradient steps; None for those of the players' own optimizers.
    """

    differentiates_twice = True

    def __init__(self, game: Game, steps: int, lr: float | None) -> None:
        self.game = game
        self.steps = steps
        self.lr = lr

    def __call__(self, round: Round) -> Round:
        """Return the round after the steps."""
        if self.steps == 0:
            return round
        players, _, _ = self.game.sides()
        discriminator: nn.Module = self.game.discriminator
        own = {player.name: _named(discriminator, player.moved) for player in players}
        ahead = LookAhead(
            round,
            # Copies without history: gradients of the steps are taken with respect to them.
            {name: p.detach().requires_grad_() for found in own.values() for name, p in found.items()},
            {name: buffer.clone() for name, buffer in discriminator.named_buffers()},
        )
        moves = [
            (player, GradientSteps(self.lr) if self.lr else steps_of(player.optimizer, found), list(found))
            for player, found in zip(players, own.values(), strict=True)
        ]
        for _ in range(self.steps):
            ahead = ahead.after_step(moves)
        return ahead


def _named(network: nn.Module, parameters: list[nn.Parameter]) -> dict[str, nn.Parameter]:
    wanted = {id(parameter) for parameter in parameters}
    return {name: parameter for name, parameter in network.named_parameters() if id(parameter) in wanted}


class Unrolled(Strategy):
    """G minimises its loss against D as it will be K steps later (Metz et al. 2016, arXiv 1611.02163, section 2).

    The gradient flows through the K steps (equation 9, both terms). They lower the discriminator's
    loss and the terms on what it puts out, on the samples of the generator's move; a term on the
    parameters themselves, as historical averaging's, has no part in them. The discriminator itself
    moves as it would without unrolling, and K = 0 is plain training.

    Args:
        k: the number K of steps.
        lr: the learning rate of gradient steps (equation 7); None for the steps that the
            discriminator's own optimizer would take.
    """

    applies_last = True

    def __init__(self, k: int, lr: float | None) -> None:
        if k < 0:
            raise ValueError(f"k={k}: it must be at least 0")
        if lr is not None and not lr > 0:
            raise ValueError(f"lr={lr}: it must be positive, or null for the steps of the discriminator's optimizer")
        self.k = k
        self.lr = lr

    def apply(self, game: Game) -> None:
        """Let the generator look ahead."""
        if not game.sides()[0]:
            raise ConfigError(
                f"unrolled has no effect on {type(game).__name__}, where no player has a discriminator's loss"
            )
        if self.k and self.lr is None:
            for player in game.sides()[0]:
                if player.name in game.optimizers:
                    steps_of(game.optimizers[player.name]([nn.Parameter(torch.zeros(1))]), {})
        game.claim("view of the generator", "unrolled")
        game.player("generator").view = View(game, self.k, self.lr)
